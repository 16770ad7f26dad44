"""One front door to a vault: its clients, made when they are first asked for."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from safekv._fork import on_fork
from safekv._identifiers import is_managed_hsm
from safekv.connection import _registry
from safekv.connection._credential_kinds import check_picklable
from safekv.connection._identity import Same, frozen, reconstruct

if TYPE_CHECKING:
    from safekv.administration import KeyVaultAccessControlClient, KeyVaultBackupClient, KeyVaultSettingsClient
    from safekv.certificates import CertificateClient
    from safekv.connection._traffic import Traffic
    from safekv.keys import KeyClient
    from safekv.keys.crypto import CryptographyClient
    from safekv.resilience._lane import LaneStatus
    from safekv.secrets import SecretClient

__all__ = ["Vault"]

T = TypeVar("T")


class Vault:
    """A vault and an identity; its clients share one connection. The same arguments give the same object.

    >>> vault = Vault("my-vault")
    >>> vault.secrets.get_secret("db-password")            # doctest: +SKIP
    >>> vault.crypto("app-key").wrap_key("RSA-OAEP-256", bytes(32))  # doctest: +SKIP

    :param vault_url: as for ``SecretClient``: a URL, a vault's name, or None for ``AZURE_KEY_VAULT_URL``.
    :param credential: as for ``SecretClient``; None is the process's ``DefaultAzureCredential``.
    :param options: every keyword of the SDK's clients, and ``cache`` as for ``SecretClient``.
    :raises InvalidArgument: if the URL cannot be a vault's, or ``cache`` is neither settings nor None.
    """

    def __new__(cls, vault_url: str | None = None, credential: Any = None, **options: Any) -> Vault:
        url = _registry.vault_url(vault_url)
        if options.get("cache") is not None:
            from safekv._cache_settings import check_cache

            check_cache(options["cache"])

        def make() -> Vault:
            vault = super(Vault, cls).__new__(cls)
            vault._origin = (url, credential, options)
            vault._leases = 0
            vault._clients = {}
            vault.after_fork()
            on_fork(vault)
            return vault

        shared: Vault = _registry.current().vault((cls, url, Same(credential), frozen(options)), make)
        return shared

    if TYPE_CHECKING:  # __new__ has done it all

        def __init__(self, vault_url: str | None = None, credential: Any = None, **options: Any) -> None: ...

    _origin: tuple[str, Any, Mapping[str, Any]]
    _leases: int
    _lock: threading.Lock
    _clients: dict[type, Any]

    @property
    def vault_url(self) -> str:
        """The canonical URL of the vault."""
        return self._origin[0]

    @property
    def secrets(self) -> SecretClient:
        """The client for secrets."""
        from safekv.secrets import SecretClient

        return self._client(SecretClient)

    @property
    def keys(self) -> KeyClient:
        """The client for keys."""
        from safekv.keys import KeyClient

        return self._client(KeyClient)

    @property
    def certificates(self) -> CertificateClient:
        """The client for certificates."""
        from safekv.certificates import CertificateClient

        return self._client(CertificateClient)

    @property
    def access_control(self) -> KeyVaultAccessControlClient:
        """The client for a Managed HSM's local roles."""
        from safekv.administration import KeyVaultAccessControlClient

        return self._client(KeyVaultAccessControlClient)

    @property
    def backup(self) -> KeyVaultBackupClient:
        """The client for full backups of a Managed HSM."""
        from safekv.administration import KeyVaultBackupClient

        return self._client(KeyVaultBackupClient)

    @property
    def settings(self) -> KeyVaultSettingsClient:
        """The client for a Managed HSM's settings."""
        from safekv.administration import KeyVaultSettingsClient

        return self._client(KeyVaultSettingsClient)

    def crypto(self, name: str, version: str | None = None) -> CryptographyClient:
        """A client that encrypts, wraps and signs with a key; without a version, with its newest one."""
        return self.keys.get_cryptography_client(name, key_version=version)

    def _client(self, kind: type[T]) -> T:
        with self._lock:
            client = self._clients.get(kind)
            if client is None:
                url, credential, options = self._origin
                client = self._clients[kind] = kind(url, credential, **options)  # type: ignore[call-arg]
            return client

    def lane_status(self) -> Mapping[str, LaneStatus]:
        """How this process uses the vault; see ``SecretClient.lane_status``."""
        return self._traffic.status()

    def isolate(self) -> None:
        """Send nothing to this vault until :meth:`restore`: calls raise ``VaultUnavailable`` at once."""
        self._traffic.breaker.isolate()

    def restore(self) -> None:
        """End an isolation, and forget the failures that may have closed the breaker."""
        self._traffic.breaker.restore()

    @property
    def _traffic(self) -> Traffic:
        client = self.keys if is_managed_hsm(self.vault_url) else self.secrets
        return client._lease.connection.traffic  # type: ignore[no-any-return]

    def after_fork(self) -> None:
        """Start again in a child: the lock may have been held."""
        self._lock = threading.Lock()

    def close(self) -> None:
        """Give back one lease; each construction is one. The last one closes the clients."""
        if _registry.current().give_back_vault(self):
            with self._lock:
                clients, self._clients = self._clients, {}
            for client in clients.values():
                client.close()

    def __enter__(self) -> Vault:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<safekv.Vault {self.vault_url}>"

    def __reduce__(self) -> tuple[Any, ...]:
        url, credential, options = self._origin
        check_picklable(credential)
        return reconstruct, (type(self), url, credential, dict(options))

    def __copy__(self) -> Vault:
        return self

    def __deepcopy__(self, memo: Any) -> Vault:
        return self
