"""One front door to a vault: its clients, made when they are first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from safekv.connection import _registry
from safekv.connection._identity import Same, frozen

if TYPE_CHECKING:
    from safekv.secrets import SecretClient


class Vault:
    """A vault and an identity; its clients share one connection. The same arguments give the same object.

    >>> vault = Vault("my-vault")
    >>> vault.secrets.get_secret("db-password")            # doctest: +SKIP

    :param vault_url: as for ``SecretClient``: a URL, a vault's name, or None for ``AZURE_KEY_VAULT_URL``.
    :param credential: as for ``SecretClient``; None is the process's ``DefaultAzureCredential``.
    :param options: every keyword of the SDK's clients.
    :raises InvalidArgument: if the URL cannot be a vault's.
    """

    def __new__(cls, vault_url: str | None = None, credential: Any = None, **options: Any) -> Vault:
        key = (cls, _registry.vault_url(vault_url), Same(credential), frozen(options))
        return _registry.current().vault(key, lambda: super(Vault, cls).__new__(cls))

    def __init__(self, vault_url: str | None = None, credential: Any = None, **options: Any) -> None:
        self._url = _registry.vault_url(vault_url)
        self._credential = credential
        self._options = options

    @property
    def vault_url(self) -> str:
        """The canonical URL of the vault."""
        return self._url

    @cached_property
    def secrets(self) -> SecretClient:
        """The client for secrets."""
        from safekv.secrets import SecretClient

        return SecretClient(self._url, self._credential, **self._options)

    def close(self) -> None:
        """Give back what this object has leased."""
        client = self.__dict__.pop("secrets", None)
        if client is not None:
            client.close()

    def __enter__(self) -> Vault:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<safekv.Vault {self._url}>"
