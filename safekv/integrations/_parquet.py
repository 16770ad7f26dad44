"""Parquet Modular Encryption with keys in vaults."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from safekv.connection._bulk import bulk
from safekv.envelope._allowed import shown
from safekv.envelope._encoding import from_base64url, from_json, to_base64url, to_json
from safekv.envelope._errors import InvalidRing, KeyNotAllowed, WrapCheckFailed
from safekv.envelope._jwe import WRAP_ALGORITHMS
from safekv.envelope._vault import VaultKey
from safekv.errors import InvalidArgument
from safekv.integrations._missing import need
from safekv.integrations._unwrapped import TTL, Unwrapped

if TYPE_CHECKING:
    from azure.keyvault.keys import KeyVaultKey

    from safekv.keys.crypto import CryptographyClient

_LIFETIME = timedelta(seconds=TTL)


class ParquetKeys:
    """Master keys for encrypted Parquet files.

    :param keys: the keys in vaults, by the names that files and configurations use for them. A file names the key that
        it needs, so only these are asked, whatever it says.
    :param credential: as for ``KeyClient``; None is the process's ``DefaultAzureCredential``.

    Files' keys are wrapped by keys in memory that the vault wraps (double wrapping, always), so that the vault is asked
    once for each master key and hour, however many files there are. Pickles, without any key.
    """

    def __init__(self, keys: Mapping[str, str | KeyVaultKey | CryptographyClient], credential: Any = None) -> None:
        if not keys or not isinstance(keys, Mapping):
            raise InvalidArgument(
                "keys must be a dict of names and keys.",
                hint="{'customers': 'https://my-vault.vault.azure.net/keys/parquet'} is an example.",
            )
        self._pe = need("pyarrow.parquet.encryption", "arrow")
        self._keks = {name: VaultKey(key, credential) for name, key in keys.items()}
        self._unwrapped = Unwrapped()
        #: For ``pyarrow.dataset``: its ``ParquetEncryptionConfig`` takes all of these.
        self.factory = self._pe.CryptoFactory(lambda _: _client(self._pe, self._keks, self._unwrapped))
        self.connection = self._pe.KmsConnectionConfig()

    def encryption_config(self, *, footer_key: str, **options: Any) -> Any:
        """A ``pyarrow.parquet.encryption.EncryptionConfiguration``, with double wrapping.

        :param footer_key: name of a master key.
        :param options: such as ``column_keys={"customers": ["iban"]}`` or ``uniform_encryption=True``.
        """
        if options.get("double_wrapping", True) is not True:
            raise InvalidArgument(
                "Without double_wrapping each file and column would be a request to the vault.",
                hint="Leave double_wrapping out.",
            )
        for name in (footer_key, *(options.get("column_keys") or ())):
            _known(self._keks, name)
        return self._pe.EncryptionConfiguration(
            footer_key=footer_key, **{"cache_lifetime": _LIFETIME, **options, "double_wrapping": True}
        )

    def decryption_config(self) -> Any:
        """A ``pyarrow.parquet.encryption.DecryptionConfiguration``."""
        return self._pe.DecryptionConfiguration(cache_lifetime=_LIFETIME)

    def encryption(self, *, footer_key: str, **options: Any) -> Any:
        """``encryption_properties`` for one file; parameters as for :meth:`encryption_config`."""
        config = self.encryption_config(footer_key=footer_key, **options)
        return self.factory.file_encryption_properties(self.connection, config)

    def decryption(self) -> Any:
        """``decryption_properties`` for files."""
        return self.factory.file_decryption_properties(self.connection, self.decryption_config())

    def close(self) -> None:
        """Drop the keys that safekv holds, and give back what it opened. pyarrow's own go with this object."""
        self._unwrapped.clear()
        for kek in self._keks.values():
            kek.close()

    def __repr__(self) -> str:
        return f"<safekv.integrations.arrow.ParquetKeys {sorted(self._keks)}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self._keks,)


def _rebuild(keks: dict[str, VaultKey]) -> ParquetKeys:
    keys = ParquetKeys({name: kek.address for name, kek in keks.items()})
    keys._keks.update(keks)
    return keys


def _known(keks: Mapping[str, VaultKey], name: str) -> VaultKey:
    kek = keks.get(name)
    if kek is None:
        raise KeyNotAllowed(
            f"The master key {shown(name)} is not one of those that were given: {', '.join(map(shown, keks))}.",
            hint="If it is yours, add it to ParquetKeys({...}); if it came with a file, it may be made up.",
        )
    return kek


def _client(pe: Any, keks: Mapping[str, VaultKey], unwrapped: Unwrapped) -> Any:
    class Client(pe.KmsClient):  # type: ignore[misc]  # nor has pyarrow
        """What pyarrow asks. It does so from inside its reader, so a request of ours is bulk work."""

        def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> bytes:
            with bulk():
                return _wrap(_known(keks, master_key_identifier), bytes(key_bytes), unwrapped)

        def unwrap_key(self, wrapped_key: str | bytes, master_key_identifier: str) -> bytes:
            with bulk():
                return _unwrap(_known(keks, master_key_identifier), wrapped_key, unwrapped)

    return Client()


def _wrap(kek: VaultKey, key: bytes, unwrapped: Unwrapped) -> bytes:
    wrapped = kek.wrap(key)
    if not hmac.compare_digest(kek.unwrap(*wrapped), key):
        raise WrapCheckFailed(f"What {wrapped.kid} wrapped, it does not unwrap to the same key.")
    unwrapped.put(wrapped.kid, wrapped.encrypted_key, key)
    alg, kid, encrypted_key = wrapped
    return to_json({"alg": alg, "kid": kid, "encrypted_key": to_base64url(encrypted_key)})


def _unwrap(kek: VaultKey, wrapped_key: str | bytes, unwrapped: Unwrapped) -> bytes:
    try:
        found = from_json(wrapped_key)
        algorithm, kid, encrypted_key = found["alg"], found["kid"], from_base64url(found["encrypted_key"])
        if algorithm not in WRAP_ALGORITHMS or not isinstance(kid, str):
            raise ValueError
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InvalidRing("The file's key was not wrapped by safekv.") from None
    if not kek.is_mine(kid):
        raise KeyNotAllowed(f"The file's key was wrapped by {shown(kid)}, and not by {kek.address}.")
    return unwrapped.get(kid, encrypted_key, lambda: kek.unwrap(algorithm, kid, encrypted_key))
