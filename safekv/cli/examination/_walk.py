"""All checks in order. One that cannot be made is skipped and says why; none ends the walk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from safekv.cli.examination import _access, _local, _network
from safekv.cli.examination._check import Check, skipped
from safekv.cli.examination._machine import Machine
from safekv.cli.examination._management import Exact

_ACCESS = ("credential", "token", "get", "list", "key get", "wrap, unwrap", "access", "latency", "sharing")


def walk(
    vault: str | None, machine: Machine, *, secret: str | None = None, key: str | None = None, credential: Any = None
) -> Iterator[Check]:
    """Check after check, as they are made.

    :param vault: URL or name; by default ``AZURE_KEY_VAULT_URL``.
    :param credential: by default the process's ``DefaultAzureCredential``.
    """
    yield _local.packages(machine)
    yield _local.environment(machine)
    check, url = _local.address(vault, machine)
    yield check
    if url is None:
        yield from (
            skipped(name, "there is no vault to ask")
            for name in ("name", "connection", "health", "challenge", "clock", *_ACCESS)
        )
        return
    reached = True
    for each in _way(url, machine):
        reached = reached and each.state != "failed"
        yield each
    if not reached:
        yield from (skipped(name, "the vault cannot be reached") for name in ("challenge", "clock", *_ACCESS))
        return
    check, seen, told = _network.challenge(url, machine)
    yield check
    yield _network.clock(seen)
    if not told:
        yield from (skipped(name, "without a challenge there is no token to get") for name in _ACCESS)
        return
    yield from _permissions(url, told, machine, secret, key, credential)


def _way(url: str, machine: Machine) -> Iterator[Check]:
    host, port = urlsplit(url).hostname or "", urlsplit(url).port or 443
    proxy = _local.proxy_of(machine.environ)
    if proxy and not _bypassed(host, machine):
        yield skipped("name", f"the proxy {proxy} resolves it")
        yield skipped("connection", f"the proxy {proxy} makes it")
        yield skipped("health", "it is asked without a proxy only")
        return
    check, found = _network.name(host, port, machine)
    yield check
    if found is None:
        yield skipped("connection", "the name does not resolve")
        yield skipped("health", "the name does not resolve")
        return
    check = _network.connection(host, port, machine)
    yield check
    yield _network.health(url, machine) if check.state == "ok" else skipped("health", "there is no connection")


def _permissions(
    url: str, told: dict[str, str], machine: Machine, secret: str | None, key: str | None, credential: Any
) -> Iterator[Check]:
    from safekv.identity import DefaultAzureCredential
    from safekv.secrets import SecretClient

    credential = credential or DefaultAzureCredential()
    check, token = _access.credential(credential, told, urlsplit(url).netloc)
    yield check
    if token is None:
        yield from (skipped(name, "there is no token") for name in _ACCESS[1:])
        return
    check = _access.token(token, told, machine)
    yield check
    client = SecretClient(url, credential, timeout=_network.PATIENCE, cache=None)
    try:
        probes = _access.Probes(client, url)
        exact = Exact(url, machine, credential, check.facts.get("object id"))
        read = probes.reads(secret)
        yield exact.of(read, "get_secret", secret)
        yield exact.of(probes.lists(needed=read.state != "ok"), "list_properties_of_secrets")
        got, wrapped = probes.uses_key(key)
        yield exact.of(got, "get_key", key)
        yield exact.of(wrapped, _access.which_of_two(wrapped), key)
        yield exact.told()
        yield probes.latency() if not probes.throttled else skipped("latency", "the vault is throttled already")
        yield _access.sharing()
    finally:
        client.close()


def _bypassed(host: str, machine: Machine) -> bool:
    listed = machine.environ.get("no_proxy") or machine.environ.get("NO_PROXY") or ""
    return any(
        host == each.strip() or host.endswith("." + each.strip().lstrip("."))
        for each in listed.split(",")
        if each.strip()
    )
