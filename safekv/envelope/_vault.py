"""What a ring asks of vaults. ``_avault`` is the twin with ``await``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from safekv.envelope._kek import VaultKeyBase
from safekv.envelope._wrapping import Wrapped
from safekv.keys.crypto import CryptographyClient
from safekv.secrets import SecretClient


class VaultKey(VaultKeyBase):
    """A ``Wrapper`` for one key in a vault or a Managed HSM."""

    @classmethod
    def _client_class(cls) -> Any:
        return CryptographyClient

    def wrap(self, key: bytes) -> Wrapped:
        """With ``RSA-OAEP-256``, which needs no call once the key is known, or with ``A256KW`` by the service."""
        algorithm, options = self.wrap_options(self.client._look_up().jwk)
        return self.wrapped(self.client.wrap_key(algorithm, key, **options))

    def unwrap(self, algorithm: str, kid: str, encrypted_key: bytes) -> bytes:
        """By the service."""
        options = self.unwrap_options(kid)
        key: bytes = self.client.unwrap_key(algorithm, encrypted_key, **options).key
        return key

    def close(self) -> None:
        """Give back the lease of the client, if it is not its user's."""
        client = self._made_client()
        if client is not None:
            client.close()


@contextmanager
def secrets_in(vault: Any, credential: Any) -> Iterator[Any]:
    """The client for secrets that ``vault`` is, has or names."""
    client = getattr(vault, "secrets", vault)  # of a safekv.Vault
    if isinstance(client, SecretClient):
        yield client
    else:
        with SecretClient(vault, credential) as client:
            yield client


def versions_of(client: Any, name: str) -> frozenset[str]:
    """All versions of a secret."""
    return frozenset(it.version for it in client.list_properties_of_secret_versions(name))
