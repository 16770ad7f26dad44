"""Columns of Spark data frames, encrypted by the executors: one unwrapping for each worker process, whatever the rows.

::

    box = Encryptor(KeyRing.load("app.ring", kek))
    safe = encrypt_columns(frame, box, {"iban": b"customers|iban"}, row_id="id")
    back = decrypt_columns(safe, box, {"iban": b"customers|iban"}, row_id="id", types={"iban": "string"})

What goes to the executors is the wrapped ring and who may open it: no key, and no key in a query plan, where
``aes_encrypt`` would show it. Executors need safekv, and a credential of their own (``credential=None``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safekv.envelope import Encryptor
from safekv.errors import InvalidArgument
from safekv.integrations._batches import Batches
from safekv.integrations._missing import need

__all__ = ["decrypt_columns", "encrypt_columns"]


def encrypt_columns(frame: Any, box: Encryptor, aad: Mapping[str, bytes], *, row_id: str | None) -> Any:
    """The data frame with these columns, of text or binary, encrypted; they are binary then.

    :param aad: for each column, what binds its values to it, such as ``b"customers|iban"``.
    :param row_id: a column of whole numbers or text that binds them to their row, too; None leaves rows exchangeable.
    """
    return _mapped(frame, Batches(box, aad, row_id=row_id), row_id, dict.fromkeys(aad, "binary"))


def decrypt_columns(
    frame: Any,
    box: Encryptor,
    aad: Mapping[str, bytes],
    *,
    row_id: str | None,
    types: Mapping[str, str] | None = None,
) -> Any:
    """The reverse.

    :param types: ``"string"`` for columns that were text; binary if nothing is said.
    """
    kinds = {**dict.fromkeys(aad, "binary"), **(types or {})}
    unknown = [name for name, kind in kinds.items() if name not in aad or kind not in ("string", "binary")]
    if unknown:
        raise InvalidArgument(f"types must say 'string' or 'binary' for columns of aad; not so for {unknown}.")
    pa = need("pyarrow", "arrow")
    arrow = {name: pa.string() if kind == "string" else pa.binary() for name, kind in kinds.items()}
    return _mapped(frame, Batches(box, aad, row_id=row_id, decrypt=True, types=arrow), row_id, kinds)


def _mapped(frame: Any, work: Batches, row_id: str | None, kinds: Mapping[str, str]) -> Any:
    missing = [name for name in (*kinds, *([] if row_id is None else [row_id])) if name not in frame.columns]
    if missing:
        raise InvalidArgument(f"The data frame has no columns {missing}.", hint=f"It has {frame.columns}.")
    functions = need("pyspark.sql.functions", "spark")
    by_column = hasattr(functions, "arrow_udf")
    return _by_column(frame, work, row_id, kinds) if by_column else _by_row(frame, work, kinds)


def _by_column(frame: Any, work: Batches, row_id: str | None, kinds: Mapping[str, str]) -> Any:
    """Only the columns concerned travel to Python and back (Spark 4.1)."""
    made = {name: _function(work, name, kind)(*_columns(frame, name, row_id)) for name, kind in kinds.items()}
    changed = frame.withColumns(made)
    for field in frame.schema.fields:
        if field.name in kinds and field.metadata:
            changed = changed.withMetadata(field.name, field.metadata)
    return changed


def _columns(frame: Any, name: str, row_id: str | None) -> list[Any]:
    names = [name] if row_id is None else [name, row_id]
    return [frame["`{}`".format(each.replace("`", "``"))] for each in names]


def _function(work: Batches, name: str, kind: str) -> Any:
    functions, pa = need("pyspark.sql.functions", "spark"), need("pyarrow", "arrow")

    def change(values: Any, *ids: Any) -> Any:
        return work.column(name, values, *ids)

    # Spark reads the kind of function off its annotations.
    change.__annotations__ = {"values": pa.Array, "ids": pa.Array, "return": pa.Array}
    # A plan that has the column twice would otherwise be free to encrypt it twice, to two different records.
    return functions.arrow_udf(change, kind).asNondeterministic()


def _by_row(frame: Any, work: Batches, kinds: Mapping[str, str]) -> Any:
    """Whole rows travel."""
    types = need("pyspark.sql.types", "spark")
    made = {"binary": types.BinaryType(), "string": types.StringType()}
    fields = [
        types.StructField(it.name, made[kinds[it.name]], it.nullable, it.metadata) if it.name in kinds else it
        for it in frame.schema.fields
    ]
    return frame.mapInArrow(work, types.StructType(fields))
