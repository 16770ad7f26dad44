"""One request for a key at a time, however many tasks ask for it. ``../_flights.py`` is its twin."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from safekv.keys.crypto._keystore import KeyStore, Known, Name, Turn


async def fetch_once(
    store: KeyStore[asyncio.Task[Known]], name: Name, fetch: Callable[[], Awaitable[Known]], turn: Turn
) -> Known:
    """``fetch()``, or the result of whoever is doing so in another task of this loop.

    A caller that is cancelled does not take the others' key along.
    """
    loop = asyncio.get_running_loop()
    for stale in [key for key in list(store.flights) if key[0].is_closed()]:
        store.flights.pop(stale, None)
    flight = store.flights.get((loop, name))
    if flight is None:

        async def fly() -> Known:
            return store.keep(name, await fetch())

        def landed(task: asyncio.Task[Known]) -> None:
            store.flights.pop((loop, name), None)
            if not task.cancelled():
                task.exception()  # seen, also when every caller has been cancelled

        flight = store.flights[loop, name] = loop.create_task(fly())
        flight.add_done_callback(landed)
    try:
        return await asyncio.wait_for(asyncio.shield(flight), turn.timeout)
    except asyncio.TimeoutError:
        if flight.done():
            raise
        raise turn.too_late() from None
