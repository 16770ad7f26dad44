"""``safekv.aio.load``: the driver for asyncio. ``_loader`` is its twin, and has the documentation."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, TypeVar

from safekv.config._names import secret_prefix
from safekv.config._plan import Part, Plan, Selection, load_error
from safekv.config._request import CONCURRENCY, TIMEOUT, Request, positive
from safekv.config._targets import Targets
from safekv.config._typed import Model
from safekv.config._values import Config
from safekv.errors import DeadlineExceeded, LoadError

if TYPE_CHECKING:
    from safekv.secrets.aio import SecretClient

T = TypeVar("T")


async def load(
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
) -> Config:
    """As ``safekv.load``; ``vault`` is a URL or a client of ``safekv.secrets.aio``."""
    request = Request(names, optional, prefix, tags, nest, as_env, timeout)
    async with AsyncClients(vault, credential, request.timeout) as clients:
        return await clients.load(request)


async def load_as(
    model: type[T],
    *,
    prefix: str = "",
    vault: str | SecretClient | None = None,
    credential: Any = None,
    timeout: float = TIMEOUT,
) -> T:
    """As ``safekv.load_as``; ``vault`` is a URL or a client of ``safekv.secrets.aio``."""
    asked = Model(model, secret_prefix(prefix))
    async with AsyncClients(vault, credential, positive("timeout", timeout)) as clients:
        return asked.made(await clients.read(asked.wanted(clients.targets.vaults)))


class AsyncClients:
    """The clients of one call, each with a lease that is given back at its end."""

    def __init__(self, vault: Any, credential: Any, timeout: float) -> None:
        from safekv.secrets.aio import SecretClient

        self.targets = Targets(vault, credential, SecretClient, None)
        self._stack = AsyncExitStack()
        self._timeout = timeout
        self._deadline: float | None = None

    async def __aenter__(self) -> AsyncClients:
        return self

    async def __aexit__(self, *details: object) -> None:
        await self._stack.aclose()

    async def client(self, url: str) -> SecretClient:
        """The client of a vault."""
        if self.targets.client is not None and url == self.targets.url:
            return self.targets.client  # type: ignore[no-any-return]
        from safekv.secrets.aio import SecretClient

        made: SecretClient = SecretClient(url, self.targets.credential, **self.targets.options)
        self._stack.push_async_callback(made.close)
        return made

    def left(self, client: SecretClient) -> float:
        """Seconds that are left."""
        now: float = client._lease.clock.monotonic()
        if self._deadline is None:
            self._deadline = now + self._timeout
        return max(0.001, self._deadline - now)

    async def load(self, request: Request) -> Config:
        """What is asked for, read."""
        if request.selection is None:
            return request.result(await self.read(request.wanted(self.targets.vaults)))
        return request.result(await self.read(request.selection.wanted(await self.listed(request.selection))))

    async def read(self, wanted: Iterable[Any]) -> Plan:
        """Read all that is wanted; of several vaults at once."""
        plan = Plan(wanted, self.targets.url)
        works = [(part, await self.client(part.url)) for part in plan.parts]
        tasks = [asyncio.ensure_future(_read(part, client, self.left(client))) for part, client in works]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
        return plan

    async def listed(self, selection: Selection) -> list[str]:
        """The names in the vault's list that are selected.

        :raises LoadError: if it cannot be listed.
        """
        client = await self.client(self.targets.needed())
        now, found = client._lease.clock.time(), []
        try:
            async for page in client.list_properties_of_secrets(timeout=self.left(client)).by_page():
                found += [str(each.name) async for each in page if selection.takes(each, now)]
                if self.left(client) <= 0.001:
                    raise DeadlineExceeded("The list of secrets was not complete in time.", transient=True)
        except Exception as error:
            raise load_error(self.targets.host(), {selection.said(): (error, "the vault's list")}) from None
        return found


async def _read(part: Part, client: SecretClient, seconds: float) -> None:
    """One ``get_many`` over the part's slots. What is found is kept, whatever else fails: it may be malformed."""
    from safekv.secrets._many import Load
    from safekv.secrets.aio._many import get_many

    async def read(slot: str, *, timeout: float) -> Any:
        name, version = part.slots[slot]
        secret = part.found[slot] = await client.get_secret(name, version, timeout=timeout)
        return secret

    load = Load(part.host, sorted(part.needed), part.optional(), seconds, CONCURRENCY, client._lease.clock.monotonic)
    try:
        await get_many(load, read)
    except LoadError as error:
        part.failures = error.failures
