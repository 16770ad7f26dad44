"""``resolve`` and its siblings for asyncio. ``_environ`` is its twin, and has the documentation."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from safekv._seconds import positive
from safekv.config._aloader import AsyncClients
from safekv.config._files import read_file
from safekv.config._request import TIMEOUT
from safekv.config._resolve import Resolution, environ_request, put
from safekv.config._values import Config

if TYPE_CHECKING:
    from safekv.secrets.aio import SecretClient


async def resolve(
    values: Mapping[str, Any],
    *,
    vault: str | SecretClient | None = None,
    credential: Any = None,
    timeout: float = TIMEOUT,
) -> Config:
    """As ``safekv.resolve``."""
    async with AsyncClients(vault, credential, positive("timeout", timeout)) as clients:
        found = Resolution(values, clients.targets.vaults)
        found.check()
        return found.config(await clients.read(found.wanted))


async def resolve_file(
    path: str | os.PathLike[str],
    *,
    vault: str | SecretClient | None = None,
    credential: Any = None,
    timeout: float = TIMEOUT,
) -> Config:
    """As ``safekv.resolve_file``."""
    file = read_file(path)
    async with AsyncClients(vault, credential, positive("timeout", timeout)) as clients:
        found = Resolution(file.values, clients.targets.vaults, file.where)
        found.check()
        return found.config(await clients.read(found.wanted))


async def load_environ(
    names: Iterable[str] | Mapping[str, str] | None = None,
    *,
    optional: Iterable[str] | Mapping[str, str | None] = (),
    prefix: str | None = None,
    tags: Mapping[str, str] | None = None,
    override: bool = False,
    environ: MutableMapping[str, str] | None = None,
    vault: str | SecretClient | None = None,
    credential: Any = None,
    timeout: float = TIMEOUT,
) -> list[str]:
    """As ``safekv.load_environ``."""
    into = os.environ if environ is None else environ
    request = environ_request(names, optional, prefix, tags, override, into, timeout)
    if request is None:
        return []
    async with AsyncClients(vault, credential, request.timeout) as clients:
        return put(await clients.load(request), into, override)


async def resolve_environ(
    environ: MutableMapping[str, str] | None = None,
    *,
    vault: str | SecretClient | None = None,
    credential: Any = None,
    timeout: float = TIMEOUT,
) -> list[str]:
    """As ``safekv.resolve_environ``."""
    into = os.environ if environ is None else environ
    async with AsyncClients(vault, credential, positive("timeout", timeout)) as clients:
        found = Resolution(into, clients.targets.vaults)
        found.check()
        return put(found.changed(await clients.read(found.wanted)), into, override=True)
