"""The environment variables with which an unmodified client finds the emulator, trusts it and gets tokens."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from safekv.emulator.server import _trust

IdentityMode = Literal["managed", "workload"]
Format = Literal["env", "json"]


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where everything is while a server runs. URLs have no slash at the end.

    ``vaults`` maps names to URLs. ``token_url`` is App Service's endpoint (plain HTTP) and
    ``login_url`` Entra ID's (HTTPS). ``management_url`` is the control plane's.
    """

    vaults: Mapping[str, str]
    ca_file: str
    token_url: str
    identity_header: str = field(repr=False)
    login_url: str
    tenant: str
    client_id: str
    federated_token_file: str
    management_url: str
    subscription: str
    resource_group: str


def environment(endpoints: Endpoints, identity: IdentityMode = "managed") -> dict[str, str]:
    """The variables, with ``identity`` choosing how ``DefaultAzureCredential`` gets its tokens.

    ``"managed"`` imitates App Service, ``"workload"`` a Kubernetes pod with workload identity.
    """
    first = next(iter(endpoints.vaults.values()), None)
    variables = {} if first is None else dict.fromkeys(_VAULT_URL, first)
    variables["SAFEKV_EMULATOR_VAULTS"] = ",".join(f"{name}={url}" for name, url in endpoints.vaults.items())
    variables["SAFEKV_EMULATOR_MANAGEMENT_URL"] = endpoints.management_url
    variables["SAFEKV_EMULATOR_RESOURCE_GROUP"] = endpoints.resource_group
    variables["AZURE_SUBSCRIPTION_ID"] = endpoints.subscription
    variables |= dict.fromkeys(_trust.VARIABLES, endpoints.ca_file)
    variables |= dict.fromkeys(_NO_PROXY, _no_proxy())
    return variables | _IDENTITY[_known_mode(identity)](endpoints)


def render(variables: Mapping[str, str], format: Format = "env") -> str:
    """As lines for a POSIX shell (``env``) or as one JSON object (``json``)."""
    if format == "json":
        return json.dumps(dict(variables), indent=2) + "\n"
    return "".join(f"export {name}={_quoted(value)}\n" for name, value in variables.items())


# The SDK's samples and tests use different names for the same thing.
_VAULT_URL = ("AZURE_KEY_VAULT_URL", "AZURE_KEYVAULT_URL", "VAULT_URL")
_NO_PROXY = ("NO_PROXY", "no_proxy")


def _managed(endpoints: Endpoints) -> dict[str, str]:
    return {
        "IDENTITY_ENDPOINT": endpoints.token_url,
        "IDENTITY_HEADER": endpoints.identity_header,
        # So that DefaultAzureCredential asks nobody else, such as the developer's own az login.
        "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
    }


def _workload(endpoints: Endpoints) -> dict[str, str]:
    return {
        "AZURE_TENANT_ID": endpoints.tenant,
        "AZURE_CLIENT_ID": endpoints.client_id,
        "AZURE_FEDERATED_TOKEN_FILE": endpoints.federated_token_file,
        "AZURE_AUTHORITY_HOST": endpoints.login_url,
        "AZURE_TOKEN_CREDENTIALS": "WorkloadIdentityCredential",
    }


_IDENTITY = {"managed": _managed, "workload": _workload}


def _known_mode(identity: str) -> str:
    if identity not in _IDENTITY:
        raise ValueError(f"identity is {' or '.join(map(repr, _IDENTITY))}, not {identity!r}")
    return identity


def _no_proxy() -> str:
    """A proxy that the environment names must not be asked for this machine."""
    present = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    hosts = [host.strip() for host in present.split(",") if host.strip()]
    return ",".join(dict.fromkeys([*hosts, "127.0.0.1", "localhost"]))


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "'\"'\"'") + "'"
