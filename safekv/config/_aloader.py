"""``safekv.aio.load``: the driver for asyncio. ``_loader`` is its twin, and has the documentation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from itertools import count
from time import monotonic, time
from typing import TYPE_CHECKING, Any, TypeVar

from safekv._seconds import positive
from safekv.config._asking import Selection
from safekv.config._names import secret_prefix
from safekv.config._plan import Part, Plan, Wanted, load_error
from safekv.config._progress import Progress, Told
from safekv.config._request import CONCURRENCY, TIMEOUT, Request
from safekv.config._rounds import pause
from safekv.config._snapshot import Snapshot
from safekv.config._sources import Source, Sources
from safekv.config._targets import Targets
from safekv.config._typed import Model
from safekv.config._values import Config
from safekv.errors import ClientClosed, DeadlineExceeded, LoadError

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
    sources: Iterable[Source] | None = None,
    snapshot: Snapshot | None = None,
    progress: bool | Told | None = None,
) -> Config:
    """As ``safekv.load``; ``vault`` is a URL or a client of ``safekv.secrets.aio``."""
    request = Request(names, optional, prefix, tags, nest, as_env, timeout)
    async with AsyncClients(
        vault, credential, request.timeout, Sources(sources, snapshot), progress=progress
    ) as clients:
        return await clients.load(request)


async def load_as(
    model: type[T],
    *,
    prefix: str = "",
    vault: str | SecretClient | None = None,
    credential: Any = None,
    timeout: float = TIMEOUT,
    sources: Iterable[Source] | None = None,
    snapshot: Snapshot | None = None,
    progress: bool | Told | None = None,
) -> T:
    """As ``safekv.load_as``; ``vault`` is a URL or a client of ``safekv.secrets.aio``."""
    asked = Model(model, secret_prefix(prefix))
    async with AsyncClients(
        vault, credential, positive("timeout", timeout), Sources(sources, snapshot), progress=progress
    ) as clients:
        return asked.made(await clients.read(asked.wanted(clients.targets.vaults)))


class AsyncClients:
    """The clients of one call, each with a lease that is given back at its end."""

    def __init__(
        self,
        vault: Any,
        credential: Any,
        timeout: float,
        sources: Sources | None = None,
        max_age: float | None = None,
        progress: bool | Told | None = None,
        patient: bool = True,
    ) -> None:
        from safekv.secrets.aio import SecretClient

        self.targets = Targets(vault, credential, SecretClient, None)
        self._stack = AsyncExitStack()
        self._timeout = timeout
        self._sources = sources or Sources()
        if self.targets.credential is not None:
            self._sources.serve(self.targets.credential)
        self._made: dict[str, SecretClient] = {}
        #: What a read may be answered with; None: whatever the client's cache has.
        self._fresh: dict[str, Any] = {} if max_age is None else {"max_age": max_age}
        self._deadline: float | None = None
        self._closed = False
        self._progress = Progress(progress)
        #: Whether what could not be read is tried again while there is time; a snapshot stands in at once.
        self._patient = patient and self._sources.snapshot is None

    async def __aenter__(self) -> AsyncClients:
        return self

    async def __aexit__(self, *details: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the leases back."""
        self._made.clear()
        self._closed = True
        await self._stack.aclose()

    def begin(self) -> None:
        """The time runs anew."""
        self._deadline = None

    def now(self) -> float:
        """Seconds, by the clock of the clients."""
        client = next(iter(self._made.values()), self.targets.client)
        if client is None and self.targets.url is not None:
            client = self.client(self.targets.url)
        return float(client._lease.clock.monotonic()) if client is not None else monotonic()

    def client(self, url: str) -> SecretClient:
        """The client of a vault."""
        client = self._client(url)
        self._sources.serve(client._origin[1])
        return client

    def _client(self, url: str) -> SecretClient:
        if self.targets.client is not None and url == self.targets.url:
            return self.targets.client  # type: ignore[no-any-return]  # of this colour
        if url in self._made:
            return self._made[url]
        if self._closed:  # by stop(), in the middle of a refresh
            raise ClientClosed("This was stopped.")
        from safekv.secrets.aio import SecretClient

        made: SecretClient = SecretClient(url, self.targets.credential, **self.targets.options)
        self._stack.push_async_callback(made.close)
        self._made[url] = made
        return made

    def left(self, client: SecretClient) -> float:
        """Seconds that are left."""
        now: float = client._lease.clock.monotonic()
        if self._deadline is None:
            self._deadline = now + self._timeout
        return max(0.001, self._deadline - now)

    async def load(self, request: Request) -> Config:
        """What is asked for, read."""
        return request.result(await self.read(await self.wanted(request)))

    async def wanted(self, request: Request) -> list[Wanted]:
        """The secrets that are asked for: by name, or those that a list has."""
        if request.selection is None:
            return request.wanted(self.targets.vaults)
        return request.selection.wanted(await self.listed(request.selection))

    async def read(self, wanted: Iterable[Any]) -> Plan:
        """Read all that is wanted; of several vaults at once."""
        plan = Plan(wanted, self.targets.vaults, self._sources)
        works = [(part, self.client(part.url)) for part in plan.parts]
        reads = [
            _read(part, client, self.left(client), self._fresh, self._progress.one, self._patient)
            for part, client in works
        ]
        tasks = [asyncio.ensure_future(read) for read in reads]
        with self._progress.over(plan.size):
            try:
                await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()
        if self._sources.snapshot is not None:
            now = works[0][1]._lease.clock.time() if works else time()
            await asyncio.to_thread(self._sources.snapshot.apply, plan, now)
        return plan

    async def listed(self, selection: Selection) -> list[str]:
        """The names in the vault's list that are selected.

        :raises LoadError: if it cannot be listed.
        """
        if not self._sources.vault:
            failure = self._sources.missing(selection.prefix)
            raise load_error("", {selection.said(): (failure, "a vault's list")})
        client = self.client(self.targets.needed())
        now, found = client._lease.clock.time(), []
        try:
            async for page in client.list_properties_of_secrets(timeout=self.left(client)).by_page():
                found += [str(each.name) async for each in page if selection.takes(each, now)]
                if self.left(client) <= 0.001:
                    raise DeadlineExceeded("The list of secrets was not complete in time.", transient=True)
        except Exception as error:
            host = self.targets.host()
            raise load_error(host, {selection.said(): (error, f"the list of {host}")}) from None
        return found


async def _read(
    part: Part,
    client: SecretClient,
    seconds: float,
    fresh: Mapping[str, Any],
    answered: Callable[[], None],
    patient: bool,
) -> None:
    """``get_many`` over the part's slots, in rounds while there is hope and time.

    What is found is kept, whatever else fails: it may be malformed.
    """
    from safekv.secrets._many import Load
    from safekv.secrets.aio._many import get_many

    now, seen = client._lease.clock.monotonic, set()
    deadline = now() + seconds

    async def read(slot: str, *, timeout: float) -> Any:
        name, version = part.slots[slot]
        try:
            secret = part.found[slot] = await client.get_secret(name, version, timeout=timeout, **fresh)
            return secret
        finally:
            if slot not in seen:
                seen.add(slot)
                answered()

    needed, optional, cause = sorted(part.needed), part.optional(), None
    for rounds in count():
        load = Load(part.host, needed, optional, max(0.001, deadline - now()), CONCURRENCY, now, cause)
        try:
            await get_many(load, read)
        except LoadError as error:
            part.failures, cause = error.failures, load.cause
        else:
            part.failures = {}
            return
        wait = pause(part.host, part.failures.values(), rounds, deadline - now()) if patient else None
        if wait is None:
            return
        await client._lease.sleep(wait)
        needed, optional = ([slot for slot in slots if slot in part.failures] for slots in (needed, optional))
