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
    return _mapped(frame, Batches(box, aad, row_id=row_id), dict.fromkeys(aad, "binary"))


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
    return _mapped(frame, Batches(box, aad, row_id=row_id, decrypt=True, types=arrow), kinds)


def _mapped(frame: Any, work: Batches, kinds: Mapping[str, str]) -> Any:
    types = need("pyspark.sql.types", "spark")
    missing = [name for name in kinds if name not in frame.columns]
    if missing:
        raise InvalidArgument(f"The data frame has no columns {missing}.", hint=f"It has {frame.columns}.")
    made = {"binary": types.BinaryType(), "string": types.StringType()}
    fields = [
        types.StructField(it.name, made[kinds[it.name]], it.nullable, it.metadata) if it.name in kinds else it
        for it in frame.schema.fields
    ]
    return frame.mapInArrow(work, types.StructType(fields))
