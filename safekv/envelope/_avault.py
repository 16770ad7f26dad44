"""What an aio ring asks of vaults. ``_vault`` is the twin."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from safekv.envelope._kek import VaultKeyBase
from safekv.envelope._wrapping import Wrapped
from safekv.keys.crypto.aio import CryptographyClient
from safekv.secrets.aio import SecretClient


class VaultKey(VaultKeyBase):
    """An ``AsyncWrapper`` for one key in a vault or a Managed HSM."""

    @classmethod
    def _client_class(cls) -> Any:
        return CryptographyClient

    async def wrap(self, key: bytes) -> Wrapped:
        """With ``RSA-OAEP-256``, which needs no call once the key is known, or with ``A256KW`` by the service."""
        algorithm, options = self.wrap_options((await self.client._look_up()).jwk)
        return self.wrapped(await self.client.wrap_key(algorithm, key, **options))

    async def unwrap(self, algorithm: str, kid: str, encrypted_key: bytes) -> bytes:
        """By the service."""
        options = self.unwrap_options(kid)
        key: bytes = (await self.client.unwrap_key(algorithm, encrypted_key, **options)).key
        return key

    async def close(self) -> None:
        """Give back the lease of the client, if it is not its user's."""
        client = self._made_client()
        if client is not None:
            await client.close()


@asynccontextmanager
async def secrets_in(vault: Any, credential: Any) -> AsyncIterator[Any]:
    """The client for secrets that ``vault`` is or names."""
    if isinstance(vault, SecretClient):
        yield vault
    else:
        async with SecretClient(vault, credential) as client:
            yield client


async def versions_of(client: Any, name: str) -> frozenset[str]:
    """All versions of a secret."""
    return frozenset([it.version async for it in client.list_properties_of_secret_versions(name)])
