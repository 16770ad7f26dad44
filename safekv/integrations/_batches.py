"""Columns of record batches, encrypted in whichever process they arrive: what travels holds no key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from safekv.envelope import Encryptor
from safekv.errors import InvalidArgument
from safekv.integrations.arrow import decrypt_array, encrypt_array, row_aad, with_column


class Batches:
    """Record batches in, record batches out; pickles, and unpickled unwraps its ring once in each process.

    :param aad: for each column that is encrypted, what binds its values to it, such as ``b"customers|iban"``.
    :param row_id: the column whose value binds them to their row, too; None leaves rows exchangeable.
    :param types: of the columns when they are decrypted, where that is not binary.
    """

    def __init__(
        self,
        box: Encryptor,
        aad: Any,
        *,
        row_id: str | None,
        decrypt: bool = False,
        types: Mapping[str, Any] | None = None,
    ) -> None:
        if not isinstance(aad, Mapping) or not aad or not all(isinstance(it, bytes) for it in aad.values()):
            raise InvalidArgument(
                "aad must be a dict of columns and bytes.", hint="{'iban': b'customers|iban'} is an example."
            )
        if row_id in aad:
            raise InvalidArgument(f"The column {row_id!r} cannot be encrypted and tell rows apart.")
        self._box, self._aad, self._row_id = box, dict(aad), row_id
        self._decrypt, self._types = decrypt, dict(types or {})

    def __call__(self, batches: Iterator[Any]) -> Iterator[Any]:
        for batch in batches:
            yield self.one(batch)

    def one(self, batch: Any) -> Any:
        """One of them."""
        ids = None if self._row_id is None else batch.column(self._row_id)
        for name in self._aad:
            batch = with_column(batch, name, partial(self.column, name, ids=ids))
        return batch

    def column(self, name: str, values: Any, ids: Any = None) -> Any:
        """What the column ``name`` becomes; ``ids`` is the column that tells rows apart, if there is one."""
        aad = self._aad[name] if ids is None else row_aad(self._aad[name], ids)
        if self._decrypt:
            return decrypt_array(values, self._box, aad=aad, type=self._types.get(name))
        return encrypt_array(values, self._box, aad=aad)
