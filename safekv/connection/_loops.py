"""Things that belong to one event loop, and are closed when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class LoopLocal(Generic[T]):
    """One ``T`` for each event loop, forgotten once the loop is closed.

    Not a ``WeakKeyDictionary``: most of what asyncio makes refers to its loop, so a value
    would keep its own key alive.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._values: dict[asyncio.AbstractEventLoop, T] = {}

    def get(self) -> T:
        """The running loop's own; made on first use."""
        loop = asyncio.get_running_loop()
        value = self._values.get(loop)
        if value is None:
            for closed in [other for other in list(self._values) if other.is_closed()]:
                self._values.pop(closed, None)
            value = self._values[loop] = self._make()
        return value


class PerLoop(Generic[T]):
    """One ``T`` for each running event loop.

    An event loop tells nobody that it ends, but ``asyncio.run`` closes the asynchronous
    generators that were started in it. So each ``T`` is guarded by one, whose ``finally``
    closes it: no session is left open when a program forgets ``close()``.
    """

    def __init__(self, make: Callable[[], T], close: Callable[[T], Awaitable[None]]) -> None:
        self._make = make
        self._close = close
        self._entries: dict[asyncio.AbstractEventLoop, tuple[T, AsyncGenerator[None, None]]] = {}
        self._abandoned: list[object] = []

    async def get(self) -> T:
        """The running loop's own; made on first use."""
        loop = asyncio.get_running_loop()
        entry = self._entries.get(loop)
        if entry is not None:
            return entry[0]
        self._forget_closed_loops()
        value = self._make()
        guard = self._until_the_loop_ends(loop, value)
        self._entries[loop] = (value, guard)
        await guard.__anext__()
        return value

    async def aclose(self) -> None:
        """Close the running loop's now, and ask the other loops to close theirs."""
        here = asyncio.get_running_loop()
        self._forget_closed_loops()
        for loop, (_, guard) in list(self._entries.items()):
            if loop is here:
                await guard.aclose()
            else:
                asyncio.run_coroutine_threadsafe(guard.aclose(), loop)

    def after_fork(self) -> None:
        """Leave the parent's behind, unclosed and uncollected: its sockets are not ours."""
        self._abandoned.append(self._entries)
        self._entries = {}

    async def _until_the_loop_ends(self, loop: asyncio.AbstractEventLoop, value: T) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            self._entries.pop(loop, None)
            await self._close(value)

    def _forget_closed_loops(self) -> None:
        for loop in [loop for loop in list(self._entries) if loop.is_closed()]:
            self._entries.pop(loop, None)
