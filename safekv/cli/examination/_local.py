"""What can be seen without leaving the machine: packages, environment, the vault's URL."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from safekv import _identifiers
from safekv._versions import FLOORS
from safekv.cli.examination._check import Check, about, ok, raised
from safekv.cli.examination._machine import Machine
from safekv.errors import InvalidArgument
from safekv.errors._topic import TENANTS

_MORE_FLOORS = {
    "azure-keyvault-administration": "4.1.0",  # the first that finds a vault's tenant
    "azure-core": "1.38.0",
    "cryptography": "47.0.0",
    "requests": "2.32.2",
}
_SHOWN = (
    "AZURE_KEY_VAULT_URL",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_AUTHORITY_HOST",
    "AZURE_TOKEN_CREDENTIALS",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "SSL_CERT_FILE",
    "NO_PROXY",
)
#: Their presence counts; their values are nobody's business.
_HIDDEN = (
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_USERNAME",
    "AZURE_PASSWORD",
    "AZURE_FEDERATED_TOKEN_FILE",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "MSI_ENDPOINT",
    "MSI_SECRET",
)
_CLOUDS = {
    ".azure.net": "public cloud",
    ".azure.cn": "China",
    ".usgovcloudapi.net": "US Government",
    ".microsoftazure.de": "Germany (retired)",
}


def packages(machine: Machine) -> Check:
    versions = machine.versions()
    wanted = {**FLOORS, **_MORE_FLOORS}
    old = {name: floor for name, floor in wanted.items() if name in versions and _older(versions[name], floor)}
    said = ", ".join(f"{name} {version}" for name, version in versions.items())
    if not old:
        return ok("packages", said, versions=versions)
    names = " ".join(f"'{name}>={floor}'" for name, floor in old.items())
    told = ", ".join(f"{name} {versions[name]} is older than {floor}" for name, floor in old.items())
    return Check(
        "packages",
        "failed",
        told,
        f"Upgrade: pip install -U {names}. Older ones do not find a vault's tenant, or hand one caller's secret to "
        "another.",
        (),
        TENANTS,
        {"versions": versions},
    )


def environment(machine: Machine) -> Check:
    shown = {name: machine.environ[name] for name in _SHOWN if machine.environ.get(name)}
    hidden = [name for name in _HIDDEN if machine.environ.get(name)]
    proxy = proxy_of(machine.environ)
    parts = [*(f"{name}={value}" for name, value in shown.items()), *(f"{name} (set)" for name in hidden)]
    said = ", ".join([*parts, *([f"proxy {proxy}"] if proxy else [])]) or "none of the variables that matter is set"
    for problem, help_ in _troubles(machine.environ):
        return Check("environment", "warning", problem, help_, facts={"variables": [*shown, *hidden], "proxy": proxy})
    return ok("environment", said, variables=[*shown, *hidden], proxy=proxy)


def address(given: str | None, machine: Machine) -> tuple[Check, str | None]:
    """The check, and the vault's URL if it can be one."""
    try:
        url = _identifiers.named_vault_url(given or machine.environ.get("AZURE_KEY_VAULT_URL"), machine.environ)
    except InvalidArgument as error:
        return raised("address", error), None
    host = urlsplit(url).hostname or ""
    if ".privatelink." in f".{host}" or _is_address(host, machine.environ):
        return about("address", "failed", f"{host} is not the vault's public name.", "challenge-mismatch"), url
    cloud = next((name for suffix, name in _CLOUDS.items() if host.endswith(suffix)), "no cloud of Azure's")
    if url in _identifiers.emulated_vaults(machine.environ).values():
        cloud = "safekv's emulator"
    return ok("address", f"{url} ({cloud})", url=url, cloud=cloud), url


def proxy_of(environ: Mapping[str, str]) -> str | None:
    """The proxy for https as host and port, without user and password; None if there is none."""
    found = next(
        (environ[name] for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY") if environ.get(name)), ""
    )
    return re.sub(r"^.*@", "", found.split("://", 1)[-1]).rstrip("/") or None


def _is_address(host: str, environ: Mapping[str, str]) -> bool:
    return bool(re.fullmatch(r"[\d.]+|\[?[0-9a-f:]+\]?", host)) and "SAFEKV_EMULATOR_VAULTS" not in environ


def _troubles(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        if environ.get(name) and not os.path.exists(environ[name]):
            yield f"{name} names a file that is not there", f"Unset {name}, or let it name a file of certificates."
    principal = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID")
    if environ.get("AZURE_CLIENT_SECRET") and not all(environ.get(name) for name in principal):
        yield (
            "AZURE_CLIENT_SECRET is set without AZURE_TENANT_ID and AZURE_CLIENT_ID: it is not used",
            "Set all three, or none.",
        )


def _older(version: str, floor: str) -> bool:
    return _numbers(version) < _numbers(floor)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
