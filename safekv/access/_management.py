"""Clients of Azure's management plane on a connection of safekv's: one credential, one pool, the same good manners."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy

from safekv._clock import Clock
from safekv._identifiers import emulated_management, emulated_vaults
from safekv.connection import _emulation, _registry
from safekv.connection._connection import Connection, SyncConnection
from safekv.connection._identity import split_options
from safekv.connection.pipeline._translate import Translate
from safekv.errors import DeadlineExceeded, InvalidArgument, MissingPackage

_HINT = "pip install 'safekv[management]'"


class Cloud(NamedTuple):
    """Where a cloud is managed, and what tokens for that are for."""

    endpoint: str
    scope: str


PUBLIC = Cloud("https://management.azure.com", "https://management.azure.com/.default")
_CLOUDS = (  # by the end of a vault's host, and by what AZURE_AUTHORITY_HOST has in it
    ((".usgovcloudapi.net", "microsoftonline.us"), "usgovcloudapi.net", "core.usgovcloudapi.net"),
    ((".azure.cn", "chinacloudapi.cn", "partner.microsoftonline.cn"), "chinacloudapi.cn", "chinacloudapi.cn"),
)


def cloud_of(host: str | None, environ: Mapping[str, str], endpoint: str | None = None) -> Cloud:
    """The cloud of a vault's host; without one, that of ``AZURE_AUTHORITY_HOST``; else the public one.

    :param endpoint: of a management plane that is none of Azure's own, such as Azure Stack's.
    """
    if endpoint is not None:
        parts = urlsplit(endpoint)
        if parts.scheme != "https" or not parts.hostname:
            raise InvalidArgument(f"{endpoint[:100]!r} is no endpoint: tokens travel over https:// only.")
        root = f"https://{parts.netloc.rpartition('@')[2]}"
        return Cloud(root, f"{root}/.default")
    emulated = emulated_management(environ) if host is None or _is_of_emulator(host, environ) else None
    if emulated:
        return Cloud(emulated, PUBLIC.scope)
    if host is not None and not host.lower().endswith((".vault.azure.net", ".usgovcloudapi.net", ".azure.cn")):
        raise InvalidArgument(
            f"{host} is in no cloud whose management plane is known.",
            hint="Give its endpoint (endpoint=, --endpoint), or the vault's resource id.",
        )
    text = (host or environ.get("AZURE_AUTHORITY_HOST", "")).lower().rstrip("/")
    for ends, domain, audience in _CLOUDS:
        if text.endswith(ends):
            return Cloud(f"https://management.{domain}", f"https://management.{audience}/.default")
    return PUBLIC


def _is_of_emulator(host: str, environ: Mapping[str, str]) -> bool:
    """Whether a vault is one of safekv's emulator: what runs there has no token for anybody else."""
    return host.lower() in {urlsplit(url).hostname for url in emulated_vaults(environ).values()}


class Deadline(SansIOHTTPPolicy[Any, Any]):
    """One deadline for all requests of a job: each has what is left of it."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._end = clock.monotonic() + seconds
        self._seconds = seconds

    def on_request(self, request: PipelineRequest[Any]) -> None:
        left = self._end - self._clock.monotonic()
        if left <= 0:
            raise DeadlineExceeded(
                f"Azure's management plane was not asked for all of it within {self._seconds:g} s.",
                hint="Give more time (timeout=), or a resource id, which saves listing the subscription's vaults.",
            )
        request.context.options["timeout"] = left


@contextmanager
def management(
    cloud: Cloud, subscription: str, credential: Any, timeout: float, options: Mapping[str, Any]
) -> Iterator[tuple[Any, Any]]:
    """The clients of azure-mgmt-keyvault and azure-mgmt-authorization, closed at the end.

    :raises MissingPackage: if the extra is not installed.
    """
    key_vault = _client_of("azure.mgmt.keyvault", "KeyVaultManagementClient")
    authorization = _client_of("azure.mgmt.authorization", "AuthorizationManagementClient")
    network, _ = split_options(options)
    registry = _registry.current()
    connection = registry.connection(SyncConnection, cloud.endpoint, credential or _default_credential(), network)
    deadline = Deadline(connection.clock, timeout)
    made: list[Any] = []
    try:
        for kind in (key_vault, authorization):
            client = kind(
                connection.tokens,
                subscription,
                base_url=cloud.endpoint,
                credential_scopes=[cloud.scope],
                transport=_leased(registry, connection),
                retry_policy=connection.policy({}),
                per_call_policies=[Translate(), deadline],
            )
            made.append(client)
        yield made[0], made[1]
    finally:
        for client in made:
            client.close()


def _leased(registry: Any, connection: Connection) -> Any:
    """A transport of the connection for one client; the last one that is closed closes the connection."""

    def close(lease: Any) -> None:
        if registry.give_back(lease):
            connection.close()

    lease = connection.lease(close)
    lease.registry, lease.leases = registry, 1
    connection.leases += 1
    return lease


def _default_credential() -> Any:
    emulation = _emulation.active()
    if emulation is not None:
        return emulation.credential()
    from safekv.identity import DefaultAzureCredential

    return DefaultAzureCredential()


def _client_of(module: str, name: str) -> Any:
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        if not module.startswith(error.name or "?"):
            raise
        package = module.replace(".", "-")
        raise MissingPackage(f"Reading a vault's access from Azure needs {package}.", hint=_HINT) from error


def subscription_of(given: str | None, environ: Mapping[str, str] | None = None) -> str:
    """The subscription to look in.

    :raises InvalidArgument: if none is given and ``AZURE_SUBSCRIPTION_ID`` is not set.
    """
    found = given or (os.environ if environ is None else environ).get("AZURE_SUBSCRIPTION_ID", "")
    if not found:
        raise InvalidArgument(
            "A vault is found by its name in a subscription, and none is given.",
            hint="Give the vault's resource id, or the subscription (subscription_id=, --subscription, "
            "AZURE_SUBSCRIPTION_ID). `az account show --query id` prints it.",
        )
    return found
