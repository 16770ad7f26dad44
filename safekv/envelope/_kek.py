"""A key in a vault as a ring's key-encryption key: which one it is, how it wraps, what it refuses. No I/O.

``_vault`` asks the vault, and ``_avault`` does so with ``await``.
"""

from __future__ import annotations

from typing import Any, NoReturn

from azure.keyvault.keys import KeyVaultKey

from safekv import _identifiers
from safekv._identifiers import KeyId
from safekv.connection._bulk import is_bulk
from safekv.connection.tokens._credential_kinds import check_picklable
from safekv.envelope._wrapping import OfRing, Wrapped
from safekv.errors import InvalidArgument
from safekv.keys.crypto import KeyWrapAlgorithm
from safekv.keys.crypto._shared import SharedCryptography

_EXAMPLE = f"{_identifiers.EXAMPLE_URL}/keys/app-kek"


class VaultKeyBase(OfRing):
    """One key, by its id, a ``KeyVaultKey`` or a client; without a version the newest one wraps, any one unwraps.

    It pickles as the arguments that it was made from, so those who share it share an identity.

    :raises InvalidArgument: for anything else.
    """

    def __init__(self, key: Any, credential: Any = None) -> None:
        self._given: Any = None
        self._client: Any = None
        if isinstance(key, self._client_class()):
            self._given = self._client = key
        key_id = self._id_of(key)
        self._credential = credential
        self._key_id = key_id
        self._where = _identifiers.key_id(key_id)

    @classmethod
    def _client_class(cls) -> Any:
        raise NotImplementedError

    def _id_of(self, key: Any) -> Any:
        if isinstance(key, SharedCryptography):
            if self._given is None:
                raise InvalidArgument(
                    f"{key!r} is of the other colour than the ring.",
                    hint="safekv.keys.crypto has the client for KeyRing, safekv.keys.crypto.aio that for aio.KeyRing.",
                )
            if key.vault_url is None:  # type: ignore[attr-defined]  # a client of the SDK's
                raise InvalidArgument(
                    "A client made with from_jwk has no vault, so nothing would keep its key.",
                    hint=f"Give {_EXAMPLE!r}.",
                )
            return key.key_id
        if isinstance(key, KeyVaultKey):
            return key.id
        if not isinstance(key, str):
            _refuse(key)
        return _identifiers.where_it_is(key)

    @property
    def address(self) -> str:
        """``https://host/keys/name``: what a list of allowed keys has of it."""
        return f"{self._where.vault_url}/keys/{self._where.name}"

    @property
    def client(self) -> Any:
        """What asks the vault; made when it is first needed."""
        if self._client is None:
            self._client = self._client_class()(self._key_id, self._credential)
        return self._client

    def _made_client(self) -> Any:
        """The client to close: not one that was given."""
        client, self._client = self._client, self._given
        return None if client is self._given else client

    def wrap_options(self, jwk: Any) -> tuple[KeyWrapAlgorithm, dict[str, Any]]:
        """How this key wraps, and where.

        :param jwk: its public part; None if we may not see it.
        :raises InvalidArgument: if it cannot wrap, or if nothing tells how.
        """
        kty = getattr(jwk, "kty", None)
        name = str(getattr(kty, "value", kty or "")).upper()
        if name.startswith("RSA"):
            return KeyWrapAlgorithm.rsa_oaep_256, {}
        if name.startswith("OCT"):  # only the service has the key
            return KeyWrapAlgorithm.aes_256, {"local": False}
        if name:
            raise InvalidArgument(
                f"{self.address} is a key of type {name}, which cannot wrap other keys.",
                hint="Use an RSA key, or a symmetric key (oct-HSM) in a Managed HSM.",
            )
        if _identifiers.is_managed_hsm(self.address):
            raise InvalidArgument(
                f"This identity may not look at {self.address}, so nothing tells whether it wraps as RSA or as AES.",
                hint="Give it the permission to read the key (role 'Managed HSM Crypto User').",
            )
        return KeyWrapAlgorithm.rsa_oaep_256, {"local": False}  # vaults have no symmetric keys

    def wrapped(self, result: Any) -> Wrapped:
        """The result of wrapping as a ring has it: with the version, and the host in lower case."""
        version = _identifiers.key_id(result.key_id).version or ""
        return Wrapped(result.algorithm.value, f"{self.address}/{version}", result.encrypted_key)

    def unwrap_options(self, kid: str) -> dict[str, Any]:
        """Which version unwraps: always in the service, so that a new data key is known to come back from there.

        :raises LookupError: if ``kid`` is another key.
        """
        if not self.is_mine(kid):
            raise LookupError(kid)
        # Of bulk work too: a ring may have another vault to turn to.
        return {"key_id": kid, "local": False, **({"timeout": self.client._timeout({})} if is_bulk() else {})}

    def is_mine(self, kid: str) -> bool:
        """Whether ``kid`` is a version of this key."""
        try:
            found: KeyId = _identifiers.key_id(kid)
        except InvalidArgument:
            return False
        mine = self._where
        return (found.vault_url, found.name.lower()) == (mine.vault_url, mine.name.lower())

    def __repr__(self) -> str:
        return f"<key {self.address}>"

    def __reduce__(self) -> tuple[Any, ...]:
        if self._given is not None:
            return type(self), (self._given,)
        check_picklable(self._credential)
        return type(self), (self._key_id, self._credential)


def _refuse(key: Any) -> NoReturn:
    if type(key).__module__.startswith("azure.keyvault.keys"):
        raise InvalidArgument(
            "The SDK's CryptographyClient would wrap with a symmetric key of its own making.",
            hint="Import it from safekv.keys.crypto, or give the key's id.",
        )
    raise InvalidArgument(
        f"A {type(key).__name__} is no key-encryption key: it has no wrap() and unwrap() either.",
        hint=f"Give the id of a key ({_EXAMPLE!r}), a KeyVaultKey or a CryptographyClient.",
    )
