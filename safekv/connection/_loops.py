"""Things that belong to one event loop, and are closed when it ends."""

from __future__ import annotations

import asyncio
import weakref
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
    """One ``T`` for each running event loop, closed when the loop ends.

    An event loop tells nobody that it ends, but ``asyncio.run`` closes the asynchronous
    generators that were started in it. So each ``T`` is guarded by one, whose ``finally``
    closes it: no session is left open when a program forgets ``close()``. When this object
    itself is collected, the loops that still run are asked to close theirs.

    :param make: makes a ``T``; must not refer to this object, nor may ``close``.
    """

    def __init__(self, make: Callable[[], T], close: Callable[[T], Awaitable[None]]) -> None:
        self._make = make
        self._close = close
        self._abandoned: list[object] = []
        self._start()

    def _start(self) -> None:
        self._entries: _Entries[T] = {}
        # The finalizer holds the entries, and they must not lead back here: see _guard.
        self._finalizer = weakref.finalize(self, _close_elsewhere, self._entries)
        self._finalizer.atexit = False

    async def get(self) -> T:
        """The running loop's own; made on first use."""
        loop = asyncio.get_running_loop()
        entry = self._entries.get(loop)
        if entry is not None:
            return entry[0]
        self._forget_closed_loops()
        value = self._make()
        guard = _guard(self._entries, loop, value, self._close)
        self._entries[loop] = (value, guard)
        await guard.__anext__()
        return value

    async def aclose(self) -> None:
        """Close the running loop's now, and ask the other loops to close theirs."""
        self._forget_closed_loops()
        here = self._entries.get(asyncio.get_running_loop())
        if here is not None:
            await here[1].aclose()
        _close_elsewhere(self._entries)

    def after_fork(self) -> None:
        """Leave the parent's behind, unclosed and uncollected: its sockets are not ours."""
        self._finalizer.detach()
        self._abandoned.append(self._entries)
        self._start()

    def _forget_closed_loops(self) -> None:
        for loop in [loop for loop in list(self._entries) if loop.is_closed()]:
            self._entries.pop(loop, None)


_Guard = AsyncGenerator[None, None]
_Entries = dict[asyncio.AbstractEventLoop, tuple[T, _Guard]]


async def _guard(
    entries: _Entries[T], loop: asyncio.AbstractEventLoop, value: T, close: Callable[[T], Awaitable[None]]
) -> _Guard:
    try:
        yield
    finally:
        entries.pop(loop, None)
        await close(value)


def _close_elsewhere(entries: _Entries[T]) -> None:
    """Ask each loop that still runs to close its own."""
    for loop, (_, guard) in list(entries.items()):
        if not loop.is_closed():
            loop.call_soon_threadsafe(_start_closing, loop, guard)


def _start_closing(loop: asyncio.AbstractEventLoop, guard: _Guard) -> None:
    task = loop.create_task(guard.aclose())
    _CLOSING.add(task)  # asyncio keeps only weak references to tasks
    task.add_done_callback(_CLOSING.discard)


_CLOSING: set[asyncio.Task[None]] = set()
