"""Columns of Arrow tables, encrypted value by value, and keys for encrypted Parquet files.

::

    box = Encryptor(KeyRing.load("app.ring", kek))
    aad = row_aad(b"customers|iban", table["id"])
    table = encrypt_column(table, "iban", box, aad=aad)         # binary; decrypt_column is the reverse

    keys = ParquetKeys({"customers": "https://my-vault.vault.azure.net/keys/parquet"})
    pq.write_table(table, "customers.parquet", encryption_properties=keys.encryption(footer_key="customers", ...))
    pq.read_table("customers.parquet", decryption_properties=keys.decryption())

For files at rest take the second: it is faster, and hides statistics too. Values one by one are for tables that go
where not everybody may read everything. Nulls stay nulls, and a value's length can be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from safekv.envelope import Encryptor
from safekv.errors import InvalidArgument
from safekv.integrations._missing import need
from safekv.integrations._parquet import ParquetKeys

pa = need("pyarrow", "arrow")

__all__ = ["ParquetKeys", "decrypt_array", "decrypt_column", "encrypt_array", "encrypt_column", "row_aad"]

#: Rows that are made into Python objects at once.
_ROWS = 1 << 16

Aad = bytes | Sequence[bytes] | Any


def encrypt_column(table: Any, name: str, box: Encryptor, *, aad: Aad) -> Any:
    """The table (or record batch) with that column encrypted: binary, each value a record of its own.

    :param name: a column of binary or text.
    :param aad: what binds each value to its place: one for each row (a list, an Arrow array of binary,
        :func:`row_aad`), or one for all of them, which leaves the rows exchangeable.
    """
    return with_column(table, name, lambda column: encrypt_array(column, box, aad=aad))


def decrypt_column(table: Any, name: str, box: Encryptor, *, aad: Aad, type: Any = None) -> Any:
    """The reverse. ``type`` is that of the column before it was encrypted: binary, if none is given.

    :raises DecryptionFailed: for the first value that is not genuine; ``index`` is its row among those not null.
    """
    return with_column(table, name, lambda column: decrypt_array(column, box, aad=aad, type=type))


def encrypt_array(array: Any, box: Encryptor, *, aad: Aad) -> Any:
    """:func:`encrypt_column` for an array, or a chunked one."""
    return _mapped(array, pa.binary(), aad, box.encrypt_many)


def decrypt_array(array: Any, box: Encryptor, *, aad: Aad, type: Any = None) -> Any:
    """:func:`decrypt_column` for an array, or a chunked one."""
    wanted = pa.binary() if type is None else type
    _check_kind(wanted)
    return _mapped(array, wanted, aad, box.decrypt_many)


def row_aad(prefix: bytes, ids: Any) -> list[bytes]:
    """``prefix|id`` for each row: ``b"customers|iban|4711"``.

    :param ids: an Arrow array of whole numbers or text without nulls; what identifies a row for ever.
    """
    if not isinstance(prefix, bytes):
        raise InvalidArgument(f"prefix must be bytes, not {prefix.__class__.__name__}.")
    kind = ids.type
    if not (pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise InvalidArgument(f"Rows are told apart by whole numbers or text, not by {kind}.")
    if ids.null_count:
        raise InvalidArgument("A row has no id (null), so nothing would bind its values to it.")
    start = prefix + b"|"
    return [start + it for chunk in _chunks(ids.cast(pa.string())) for it in _values(chunk)]


def with_column(table: Any, name: str, change: Callable[[Any], Any]) -> Any:
    """The table (or record batch) with that column changed."""
    index = table.schema.get_field_index(name)
    if index < 0:
        raise InvalidArgument(f"The table has no column {name!r}, or several.", hint=f"It has {table.schema.names}.")
    column = change(table.column(index))
    if isinstance(table, pa.RecordBatch) and isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    field = table.schema.field(index)
    return table.set_column(index, pa.field(name, column.type, field.nullable, field.metadata), column)


def _mapped(array: Any, kind: Any, aad: Aad, change: Callable[..., list[bytes]]) -> Any:
    _check_kind(array.type)
    aads = _aads(aad, len(array))
    made, row = [], 0
    for chunk in _chunks(array):
        data = _values(chunk)
        mine = aads if isinstance(aads, bytes) else aads[row : row + len(data)]
        row += len(data)
        changed = _changed(data, mine, change) if chunk.null_count else change(data, mine)
        made.append(_array(changed, kind))
    if isinstance(array, pa.Array) and len(made) == 1 and isinstance(made[0], pa.Array):
        return made[0]
    flat = [piece for it in made for piece in (it.chunks if isinstance(it, pa.ChunkedArray) else [it])]
    chunked = pa.chunked_array(flat, type=kind)
    return chunked.combine_chunks() if isinstance(array, pa.Array) else chunked


def _changed(data: list[Any], aads: Any, change: Callable[..., list[bytes]]) -> list[Any]:
    """Changed where it is not null."""
    places = [number for number, value in enumerate(data) if value is not None]
    mine = aads if isinstance(aads, bytes) else [aads[number] for number in places]
    made: list[Any] = [None] * len(data)
    for number, value in zip(places, change([data[number] for number in places], mine), strict=True):
        made[number] = value
    return made


def _array(values: list[Any], kind: Any) -> Any:
    # From bytes straight to text, Arrow would have to decode each value.
    made = pa.array(values, pa.large_binary() if str(kind).startswith("large") else pa.binary())
    return made if made.type == kind else made.cast(kind)


def _chunks(array: Any) -> Iterator[Any]:
    for chunk in array.chunks if isinstance(array, pa.ChunkedArray) else [array]:
        for start in range(0, len(chunk), _ROWS):
            yield chunk.slice(start, _ROWS)


def _values(array: Any) -> list[Any]:
    """The values as bytes, None for null."""
    wide = array.type in (pa.large_binary(), pa.large_string())
    plain = array.cast(pa.large_binary() if wide else pa.binary())
    try:
        # Far faster than to_pylist() in releases of pyarrow before 26; numpy is not among what pyarrow requires.
        values: list[Any] = plain.to_numpy(zero_copy_only=False).tolist()
    except ImportError:
        values = plain.to_pylist()
    return values


def _check_kind(kind: Any) -> None:
    if kind not in (pa.binary(), pa.large_binary(), pa.string(), pa.large_string()):
        raise InvalidArgument(
            f"A column of {kind} cannot be encrypted value by value: only binary and text can.",
            hint="Cast it to text first, and back after decrypting.",
        )


def _aads(aad: Aad, count: int) -> bytes | list[bytes]:
    if isinstance(aad, (bytes, bytearray, memoryview)):
        return bytes(aad)
    if isinstance(aad, (pa.Array, pa.ChunkedArray)):
        _check_kind(aad.type)
        aad = [value for chunk in _chunks(aad) for value in _values(chunk)]
    if not isinstance(aad, (list, tuple)) or len(aad) != count or None in aad:
        raise InvalidArgument(
            f"aad must be bytes, or bytes for each of the {count} rows.", hint="row_aad(b'customers|iban', table['id'])"
        )
    return list(aad)
