"""Time and chance as parameters, so that every decision can be tested without waiting.

``SystemClock`` is the real one. ``VirtualClock`` stands still until it is advanced; with
``running=True`` it also moves with real time, which is what a server that can be
fast-forwarded needs.
"""

from __future__ import annotations

import random
import threading
import time
from typing import Protocol


class Clock(Protocol):
    """What the rest of safekv may know about time. Both readings are in seconds."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary start; never goes back. For durations and deadlines."""
        ...

    def time(self) -> float:
        """Seconds since 1970-01-01 UTC. For anything that is shown or compared with dates."""
        ...


class Random(Protocol):
    """What the rest of safekv may know about chance (``random.Random`` has this method)."""

    def random(self) -> float:
        """A float in [0, 1)."""
        ...


class SystemClock:
    """The machine's clocks."""

    def monotonic(self) -> float:
        return time.monotonic()

    def time(self) -> float:
        return time.time()


class VirtualClock:
    """A clock that is moved by hand.

    :param start: seconds since 1970 that it shows first; by default the present.
    :param running: also move with real time (a server's clock), instead of standing still.
    """

    def __init__(self, start: float | None = None, *, running: bool = False) -> None:
        self._started = time.time() if start is None else start
        self._running_since = time.monotonic() if running else None
        self._advanced = 0.0
        self._lock = threading.Lock()

    def advance(self, seconds: float) -> float:
        """Move forward by ``seconds`` (at least 0) and return the new :meth:`time`."""
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"a clock can only be advanced by a finite number of seconds >= 0, not {seconds!r}")
        with self._lock:
            self._advanced += seconds
        return self.time()

    def monotonic(self) -> float:
        real = 0.0 if self._running_since is None else time.monotonic() - self._running_since
        return self._advanced + real

    def time(self) -> float:
        return self._started + self.monotonic()


SYSTEM_CLOCK = SystemClock()
SYSTEM_RANDOM: Random = random.SystemRandom()
