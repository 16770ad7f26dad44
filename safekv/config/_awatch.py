"""``safekv.aio.watch``: the driver for asyncio. ``_watch`` is its twin, and has the documentation."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from safekv.config._aloader import AsyncClients
from safekv.config._request import TIMEOUT, Request
from safekv.config._sources import Source, Sources
from safekv.config._watching import INTERVAL, JITTER, Watched

if TYPE_CHECKING:
    from safekv.secrets.aio import SecretClient


class AsyncWatch(Watched):
    """A live mapping; ``await stop()``, or leaving ``async with``, ends its refreshes and leaves the last values."""

    _clients: AsyncClients | None = None
    _task: asyncio.Task[Any] | None = None

    async def start(self, clients: AsyncClients) -> None:
        """Read it all, then follow it from a task of the loop."""
        from safekv.connection import _tasks

        self._clients = clients
        try:
            await self._round(clients)
        except BaseException:
            await self.stop()
            raise
        self._task = _tasks.repeat(self)

    async def stop(self) -> None:
        """End it."""
        if self._task is not None:
            self._task.cancel()
        clients, self._clients = self._clients, None
        if clients is not None:
            await clients.close()

    async def __aenter__(self) -> AsyncWatch:
        return self

    async def __aexit__(self, *details: object) -> None:
        await self.stop()

    def remaining(self) -> float:
        """Seconds until the next refresh."""
        clients = self._clients
        return self.remaining_at(clients.now()) if clients is not None else INTERVAL

    async def __call__(self) -> None:
        """One refresh."""
        clients = self._clients
        if clients is None:
            return
        try:
            await self._round(clients)
        except Exception as error:
            self.failed(error)

    async def _round(self, clients: AsyncClients) -> None:
        clients.begin()
        selection = self._request.selection
        if selection is not None:
            self.began(clients.now())
            self.took(await clients.read(selection.wanted(await clients.listed(selection))), complete=True)
            return
        wanted = self._request.wanted(clients.targets.vaults)
        self.known(wanted)
        self.took(await clients.read(self.due(wanted, clients.now())), complete=False)


async def watch(
    names: Iterable[str] | Mapping[str, str] | None = None,
    *,
    optional: Iterable[str] | Mapping[str, Any] = (),
    prefix: str | None = None,
    tags: Mapping[str, str] | None = None,
    nest: str | None = None,
    as_env: bool = False,
    vault: str | SecretClient | None = None,
    credential: Any = None,
    timeout: float = TIMEOUT,
    interval: float = INTERVAL,
    intervals: Mapping[str, float] | None = None,
    jitter: float = JITTER,
    sources: Iterable[Source] | None = None,
) -> AsyncWatch:
    """As ``safekv.watch``; ``async with await safekv.aio.watch(...) as config:`` ends it."""
    request = Request(names, optional, prefix, tags, nest, as_env, timeout)
    watched = AsyncWatch(request, interval, intervals, jitter)
    clients = AsyncClients(
        vault, credential, request.timeout, Sources(sources), max_age=0.0, progress=False, patient=False
    )
    await watched.start(clients)
    return watched
