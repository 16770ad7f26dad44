"""Client-side encryption of azure-storage-blob with a key in a vault, and without a vault call for each read.

::

    kek = StorageKey("https://my-vault.vault.azure.net/keys/storage")
    blob = BlobClient.from_connection_string(..., require_encryption=True, encryption_version="2.0",
                                             key_encryption_key=kek, key_resolver_function=kek.resolve)

The blob client unwraps the same content key again for each chunk that it downloads: 249 times for 1 GiB. This object
remembers it for an hour.

The aio client asks in the same way, without ``await``, so that the event loop would wait for the vault. ``await
kek.prepare()`` before uploads and ``await kek.prepare(properties.metadata)`` before a download ask ahead, in a thread.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import os
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from safekv._fork import on_fork
from safekv.connection._bulk import bulk
from safekv.envelope._allowed import shown
from safekv.envelope._errors import KeyNotAllowed, WrapCheckFailed
from safekv.envelope._vault import VaultKey
from safekv.envelope._wrapping import Wrapped
from safekv.errors import InvalidArgument
from safekv.integrations._unwrapped import TTL, Unwrapped

if TYPE_CHECKING:
    from azure.keyvault.keys import KeyVaultKey

    from safekv.keys.crypto import CryptographyClient

__all__ = ["StorageKey"]

#: What clients in other languages wrap with, too.
_ALGORITHMS = ("RSA-OAEP", "RSA-OAEP-256", "A256KW")


class StorageKey:
    """A ``key_encryption_key`` for azure-storage-blob (and -queue).

    :param key: id of a key, a ``KeyVaultKey`` or a ``CryptographyClient``; without a version the newest one wraps.
    :param credential: as for ``KeyClient``; None is the process's ``DefaultAzureCredential``.
    :param ttl: seconds for which an unwrapped content key stays in memory.

    Pass :meth:`resolve` as ``key_resolver_function``, so that blobs of older versions of the key are read as well.
    Threads may share it, and it pickles without any key.
    """

    def __init__(
        self, key: str | KeyVaultKey | CryptographyClient, credential: Any = None, *, ttl: float = TTL
    ) -> None:
        if isinstance(ttl, bool) or not 0 < ttl <= 86400:
            raise InvalidArgument(f"ttl={ttl!r} must be a number of seconds up to 86400.")
        self._kek = VaultKey(key, credential)
        self._unwrapped = Unwrapped(ttl)
        self._ttl = ttl
        self._proved = "", 0.0  # the version that was last seen to give back what it wraps, and until when that will do
        self.after_fork()
        on_fork(self)

    def after_fork(self) -> None:
        """A thread of the parent is none of the child."""
        self._last = threading.local()

    def wrap_key(self, key: bytes) -> bytes:
        """Wrap a content key. Once in ``ttl`` the vault unwraps it, too, before a blob is encrypted with it."""
        with bulk():
            wrapped = self._kek.wrap(key)
            self._prove(wrapped, key)
        self._unwrapped.put(wrapped.kid, wrapped.encrypted_key, key)
        self._last.wrapped = wrapped
        return wrapped.encrypted_key

    def _prove(self, wrapped: Wrapped, key: bytes) -> None:
        kid, until = self._proved
        if kid == wrapped.kid and time.monotonic() < until:
            return
        if not hmac.compare_digest(self._kek.unwrap(*wrapped), key):
            raise WrapCheckFailed(f"What {wrapped.kid} wrapped, it does not unwrap to the same key.")
        self._proved = wrapped.kid, time.monotonic() + self._ttl

    async def prepare(self, metadata: Mapping[str, str] | None = None) -> None:
        """Ask the vault now, in a thread, for what the aio blob client would otherwise stop the event loop for.

        :param metadata: of the blob that will be read (``(await blob.get_blob_properties()).metadata``): its content
            key is unwrapped. None: the key is looked up and tried, so that uploads with an RSA key ask nothing more
            for ``ttl`` (a symmetric key in a Managed HSM wraps each of them there).
        :raises InvalidArgument: if these are not the metadata of a blob that was encrypted so.
        """
        if metadata is None:
            await asyncio.to_thread(self.wrap_key, os.urandom(32))
            return
        kid, algorithm, key = _wrapped_in(metadata)
        await asyncio.to_thread(self.resolve(kid).unwrap_key, key, algorithm)

    def get_kid(self) -> str:
        """The version that wrapped last in this thread: the blob client asks after wrapping."""
        return self._wrapped().kid

    def get_key_wrap_algorithm(self) -> str:
        """``RSA-OAEP-256``, or ``A256KW`` for a symmetric key in a Managed HSM."""
        return self._wrapped().algorithm

    def unwrap_key(self, key: bytes, algorithm: str) -> bytes:
        """For a client that was not given :meth:`resolve`."""
        return self._unwrap(self.get_kid(), algorithm, key)

    def resolve(self, kid: str) -> _Version:
        """What unwraps with the version of this key that ``kid`` names.

        :raises KeyNotAllowed: for another key: ``kid`` comes with the blob, whoever wrote it.
        """
        if not self._kek.is_mine(kid):
            raise KeyNotAllowed(
                f"The blob was encrypted with {shown(kid)}, and not with {self._kek.address}.",
                hint="If that key is yours, make a StorageKey of it.",
            )
        return _Version(self, kid)

    def close(self) -> None:
        """Drop the content keys."""
        self._unwrapped.clear()
        self._kek.close()

    def _wrapped(self) -> Wrapped:
        wrapped: Wrapped | None = getattr(self._last, "wrapped", None)
        if wrapped is None:
            raise InvalidArgument(
                "Which version of the key encrypted this blob is known to a resolver only.",
                hint="Give the client key_resolver_function=kek.resolve as well.",
            )
        return wrapped

    def _unwrap(self, kid: str, algorithm: str, key: bytes) -> bytes:
        if algorithm not in _ALGORITHMS:
            raise InvalidArgument(f"The blob's key is wrapped with {shown(algorithm)}, not with {_ALGORITHMS}.")

        def ask() -> bytes:
            with bulk():
                return self._kek.unwrap(algorithm, kid, key)

        return self._unwrapped.get(kid, key, ask)

    def __repr__(self) -> str:
        return f"<safekv.integrations.storage.StorageKey {self._kek.address}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self._kek, self._ttl)


def _wrapped_in(metadata: Mapping[str, str]) -> tuple[str, str, bytes]:
    """Id, algorithm and wrapped content key of an encrypted blob."""
    found = {name.lower(): value for name, value in metadata.items()}.get("encryptiondata")
    try:
        wrapped = json.loads(found or "")["WrappedContentKey"]
        kid, algorithm = wrapped["KeyId"], wrapped["Algorithm"]
        return str(kid), str(algorithm), base64.b64decode(wrapped["EncryptedKey"], validate=True)
    except (ValueError, KeyError, TypeError):
        raise InvalidArgument(
            "These are not the metadata of a blob that a client has encrypted.",
            hint="(await blob.get_blob_properties()).metadata has them, as encryptiondata.",
        ) from None


class _Version:
    """One version of the key."""

    def __init__(self, key: StorageKey, kid: str) -> None:
        self._key, self._kid = key, kid

    def get_kid(self) -> str:
        return self._kid

    def unwrap_key(self, key: bytes, algorithm: str) -> bytes:
        return self._key._unwrap(self._kid, algorithm, key)


def _rebuild(kek: VaultKey, ttl: float) -> StorageKey:
    key = StorageKey(kek.address, ttl=ttl)
    key._kek = kek
    return key
