"""The emulator joined to the doors: Key Vault for tests, in this process, on a clock of its own.

>>> from safekv.testing import LocalKeyVault
>>> local = LocalKeyVault()
>>> vault = local.vault("my")
>>> local.set_secret("db-password", "not a real one", vault="my")
>>> vault.secrets.get_secret("db-password").name
'db-password'
"""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions

from safekv._settings import from_environment
from safekv.connection import _emulation, _registry
from safekv.connection._closing import AsyncClosing
from safekv.connection._traffic import Traffics
from safekv.emulator import (
    AsyncEmulatorTransport,
    EmulatedVault,
    Emulator,
    EmulatorSettings,
    EmulatorTransport,
    Fault,
    Journal,
    granted_claims,
    make_token,
)
from safekv.emulator._directory import Principal, group_id
from safekv.errors import MissingPackage

if TYPE_CHECKING:
    from safekv.secrets import SecretClient
    from safekv.secrets.aio import SecretClient as AsyncSecretClient
    from safekv.vault import Vault

__all__ = ["AsyncLocalCredential", "LocalArm", "LocalCredential", "LocalKeyVault"]

DEFAULT_VAULT = "local"
_MAX_VAULTS = 64
_LASTING = 10 * 365 * 86_400.0  # seconds


class LocalKeyVault:
    """Key Vaults in this process, and clients for them. No network, no waiting, no Azure.

    Clients that this object hands out reach it in any case. Inside ``with LocalKeyVault()
    as local:`` every safekv client does, whatever its credential, so that an application
    under test needs no change; sleeping moves ``local``'s clock instead of waiting.

    :param seed: of what is left to chance (version ids, faults with a probability).
    """

    def __init__(self, *, seed: int = 0, settings: EmulatorSettings | None = None) -> None:
        self.emulator = Emulator(seed=seed, settings=settings or EmulatorSettings())
        read_timeout = from_environment().read_timeout
        self._transports = {
            "sync": EmulatorTransport(self.emulator, read_timeout=read_timeout),
            "aio": AsyncEmulatorTransport(self.emulator, read_timeout=read_timeout),
        }
        self._credential = LocalCredential(self.emulator)
        self._credentials: dict[str, LocalCredential] = {}
        self.arm = LocalArm(self)
        self.traffics = Traffics(_MAX_VAULTS)
        _forget_challenges()
        self._replaced: list[tuple[_registry.Registry, _emulation.Emulation | None]] = []

    @property
    def journal(self) -> Journal:
        """What was asked: method, path, status, time; never a value or a token."""
        return self.emulator.journal

    @property
    def client(self) -> SecretClient:
        """The client for the secrets of the vault named ``local``."""
        return self.vault().secrets

    def vault(
        self,
        name: str = DEFAULT_VAULT,
        *,
        enforce: bool | None = None,
        rbac: bool | None = None,
        credential: LocalCredential | None = None,
        **options: Any,
    ) -> Vault:
        """The front door to the vault of this name, which is made if there is none.

        :param enforce: let in only whom an access policy lets in, or with ``rbac`` a role; see :meth:`allow`.
        :param credential: who uses it; by default the one of :meth:`credential`.
        """
        from safekv.vault import Vault

        vault = self._emulated(name)
        if enforce is not None:
            vault.enforce = enforce
        if rbac is not None:
            vault.use_roles(rbac)
        return Vault(vault.url, credential or self._credential, transport=self._transports["sync"], **options)

    def aio_client(
        self, name: str = DEFAULT_VAULT, *, credential: LocalCredential | None = None, **options: Any
    ) -> AsyncSecretClient:
        """The aio client for the secrets of the vault of this name."""
        from safekv.secrets.aio import SecretClient

        asking = credential or self._credential
        return SecretClient(self.url(name), asking, transport=self._transports["aio"], **options)

    def url(self, name: str = DEFAULT_VAULT) -> str:
        """The URL of the vault of this name, which is made if there is none."""
        return self._emulated(name).url

    def credential(self, name: str | None = None, *, groups: Iterable[str] = (), user: bool = False) -> LocalCredential:
        """A credential that the emulator accepts; it counts what it is asked.

        :param name: an identity of its own, the same for the same name: an application, or a ``user``.
        :param groups: names of the groups that it is in, for a name that is new.
        """
        if name is None:
            return self._credential
        if name not in self._credentials:
            principal = self.emulator.directory.add(name, groups=groups, user=user)
            self._credentials[name] = LocalCredential(self.emulator, principal=principal)
        return self._credentials[name]

    def allow(self, who: LocalCredential | str, *, vault: str = DEFAULT_VAULT, **permissions: Iterable[str]) -> None:
        """Give an identity or a group permissions by an access policy: ``local.allow(app, secrets=["get"])``.

        :param permissions: by ``secrets``, ``keys`` and ``certificates``.
        """
        self._emulated(vault).allow(_object_id(who), permissions)

    def assign(
        self, who: LocalCredential | str, role: str, *, vault: str = DEFAULT_VAULT, scope: str | None = None
    ) -> None:
        """Give an identity or a group a role, such as ``"Key Vault Secrets User"``, on a vault or another ``scope``.

        Inside a Managed HSM it is a local one, such as ``"Managed HSM Crypto User"``, at ``/``, ``/keys`` or a key's.
        """
        self._emulated(vault).assign(_object_id(who), role, scope)

    def aio_credential(self) -> AsyncLocalCredential:
        """The same for the SDK's own aio clients, which take asynchronous credentials only."""
        return AsyncLocalCredential(self._credential)

    def transport(self, colour: str = "sync") -> Any:
        """An azure-core transport to the emulator, ``"sync"`` or ``"aio"``, for clients of the SDK's own."""
        return self._transports[colour]

    def set_secret(self, name: str, *values: str, vault: str = DEFAULT_VAULT, **attributes: Any) -> None:
        """Put a secret into a vault without a request; several values are its versions, oldest first.

        :param attributes: ``content_type``, ``tags``, ``enabled``, ``not_before``, ``expires_on`` (s since 1970).
        """
        for value in values:
            self._emulated(vault).set_secret(name, value, **attributes)

    def fail(self, **fault: Any) -> Fault:
        """Make requests fail; see ``Emulator.fail`` for all it takes.

        ``local.fail(operation="get_secret", status=429, count=2, retry_after=1)`` is an example.
        """
        return self.emulator.fail(**fault)

    def advance(self, *, seconds: float) -> None:
        """Move the emulator's clock."""
        self.emulator.clock.advance(seconds)

    def settle(self, *, timeout: float = 10.0) -> None:
        """Wait until the sync clients have done what is due in the background: refreshes, watches, callbacks.

        :raises TimeoutError: if that takes longer than ``timeout`` seconds.
        """
        from safekv.connection._background import background

        if not background().drain(timeout):
            raise TimeoutError(f"the background is still busy after {timeout} s")

    async def aio_settle(self, *, timeout: float = 10.0) -> None:
        """The same for the aio clients of the running loop."""
        from safekv.connection import _tasks

        if not await _tasks.drain(timeout):
            raise TimeoutError(f"the background is still busy after {timeout} s")

    def __enter__(self) -> LocalKeyVault:
        self._replaced.append((_registry.replace(_registry.Registry()), _emulation.activate(self)))
        return self

    def __exit__(self, *details: object) -> None:
        registry, emulation = self._replaced.pop()
        _registry.replace(registry)
        _emulation.activate(emulation)

    def __repr__(self) -> str:
        return f"<LocalKeyVault with {len(self.emulator.vaults)} vaults>"

    def _emulated(self, name: str) -> EmulatedVault:
        for vault in self.emulator.vaults.values():
            if vault.name.lower() == name.lower():
                return vault
        return self.emulator.add_vault(name)


def _forget_challenges() -> None:
    """Let the next request to any host begin without a token, as in a new process.

    The SDK remembers challenges by host for the whole process, and has no public way to forget
    them; without this, what a test counts would depend on the tests before it.
    """
    for package in ("secrets._shared", "keys._shared", "certificates._shared", "administration._internal"):
        cache = sys.modules.get(f"azure.keyvault.{package}.http_challenge_cache")
        if cache is not None:
            cache.clear()


class LocalArm:
    """The control plane of a ``LocalKeyVault``, for clients of azure-mgmt-keyvault and azure-mgmt-authorization."""

    def __init__(self, local: LocalKeyVault) -> None:
        self._local = local

    @property
    def subscription(self) -> str:
        return self._local.emulator.settings.subscription

    @property
    def resource_group(self) -> str:
        """Where vaults are that say nothing else."""
        return self._local.emulator.settings.resource_group

    def vault_id(self, name: str = DEFAULT_VAULT) -> str:
        """The resource id of the vault of this name, which is made if there is none."""
        resource = self._local._emulated(name).arm
        if resource is None:
            raise ValueError(f"{name!r} is a Managed HSM, which is no resource here")
        return resource.id

    def keyvault(self, credential: LocalCredential | None = None, **options: Any) -> Any:
        """Microsoft's ``KeyVaultManagementClient``, for vaults and access policies; needs the extra ``management``."""
        kind = _client_class("azure.mgmt.keyvault", "KeyVaultManagementClient")
        return self._made(kind, credential, options)

    def authorization(self, credential: LocalCredential | None = None, **options: Any) -> Any:
        """Microsoft's ``AuthorizationManagementClient``, for roles; needs the extra ``management``."""
        kind = _client_class("azure.mgmt.authorization", "AuthorizationManagementClient")
        return self._made(kind, credential, options)

    def _made(self, kind: Any, credential: LocalCredential | None, options: dict[str, Any]) -> Any:
        principal = (credential or self._local.credential()).principal
        # These clients judge by the real clock when a token expires, so theirs outlast a clock moved forward.
        asking = LocalCredential(self._local.emulator, lifetime=_LASTING, principal=principal)
        subscription = options.pop("subscription", self.subscription)
        return kind(asking, subscription, **{"transport": self._local.transport("sync"), **options})


def _client_class(module: str, name: str) -> Any:
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError:
        package = module.replace(".", "-")
        raise MissingPackage(f"This needs {package}.", hint="pip install 'safekv[management]'") from None


def _object_id(who: LocalCredential | str) -> str:
    return group_id(who) if isinstance(who, str) else who.principal.oid


class LocalCredential:
    """Gives tokens that the emulator can read. ``requests`` counts how often it was asked.

    ``principal`` is who it is for: its ``oid`` is what access policies and role assignments name.
    """

    #: Asked even while another emulator stands in for all credentials.
    emulated = True

    def __init__(self, emulator: Emulator, *, lifetime: float = 3600.0, principal: Principal | None = None) -> None:
        self.principal = principal or emulator.directory.default
        self._emulator = emulator
        self._lifetime = lifetime
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self.requests = 0

    def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """A token for the scope's resource and the tenant that was asked for."""
        wanted = options or {}
        tenant = wanted.get("tenant_id") or self._emulator.settings.tenant
        now = int(self._emulator.clock.time())
        expires_on = now + int(self._lifetime)
        with self._lock:
            self.requests += 1
            number = next(self._numbers)
        claims = {
            **granted_claims(wanted.get("claims")),
            **self.principal.claims(),
            "aud": scopes[0].removesuffix("/.default"),
            "iss": f"https://sts.windows.net/{tenant}/",
            "tid": tenant,
            "iat": now,
            "nbf": now,
            "exp": expires_on,
            "uti": str(number),
        }
        return AccessTokenInfo(make_token(claims), expires_on)

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """The same, in azure-core's older protocol."""
        wanted: TokenRequestOptions = {}
        if options.get("tenant_id"):
            wanted["tenant_id"] = options["tenant_id"]
        if options.get("claims"):
            wanted["claims"] = options["claims"]
        token = self.get_token_info(*scopes, options=wanted)
        return AccessToken(token.token, token.expires_on)


class AsyncLocalCredential(AsyncClosing):
    """A ``LocalCredential`` whose answers are awaited."""

    emulated = True

    def __init__(self, credential: LocalCredential) -> None:
        self._credential = credential

    async def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        return self._credential.get_token_info(*scopes, options=options)

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return self._credential.get_token(*scopes, **options)

    async def close(self) -> None:
        """Nothing to close."""
