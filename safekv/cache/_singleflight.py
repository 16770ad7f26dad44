"""One read of the vault at a time for each key, whoever asks, and however many."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import count

from safekv.cache._entry import Entry, Key

#: Seconds past its timeout after which a flight is given up: its thread or loop is not coming back.
OVERDUE = 30.0


class Flight:
    """One read that is under way.

    :ivar ticket: its place in the order of all calls and flights of its cache.
    :ivar began: when it began.
    :ivar timeout: seconds that whoever leads it has.
    :ivar joinable: False once something was written: later readers wait for the next one.
    :ivar ended: set once one of the next is known.
    :ivar entry: what it brought; kept by the cache unless something was written meanwhile.
    :ivar error: what it failed with; with ``transient`` if that will pass.
    :ivar abandoned: neither: its leader was cancelled.
    """

    __slots__ = (
        "_callbacks",
        "abandoned",
        "background",
        "began",
        "ended",
        "entry",
        "error",
        "joinable",
        "key",
        "ticket",
        "timeout",
        "transient",
    )

    def __init__(self, key: Key, ticket: int, began: float, timeout: float, *, background: bool) -> None:
        self.key = key
        self.ticket = ticket
        self.began = began
        self.timeout = timeout
        self.background = background
        self.joinable = True
        self.ended = threading.Event()
        self.entry: Entry | None = None
        self.error: BaseException | None = None
        self.transient = False
        self.abandoned = False
        self._callbacks: list[Callable[[], object]] = []

    def when_ended(self, callback: Callable[[], object]) -> None:
        """Have ``callback`` called once, in the thread that ends the flight (or here, if it has ended)."""
        self._callbacks.append(callback)
        if self.ended.is_set():
            self.tell()

    def tell(self) -> None:
        """The flight has ended: tell everybody who asked."""
        self.ended.set()
        while self._callbacks:
            try:
                callback = self._callbacks.pop()
            except IndexError:  # another thread was faster
                return
            callback()


class Flights:
    """The flights of one cache. The methods need the cache's lock."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._under_way: dict[Key, Flight] = {}

    def ticket(self) -> int:
        """The next place in the order of calls and flights."""
        return next(self._numbers)

    def of(self, key: Key, now: float) -> Flight | None:
        """The flight under way for this key."""
        flight = self._under_way.get(key)
        if flight is None:
            return None
        if now <= flight.began + flight.timeout + OVERDUE:
            return flight
        flight.joinable = False
        del self._under_way[key]
        return None

    def begin(self, key: Key, now: float, timeout: float, *, background: bool = False) -> Flight:
        """Begin a flight; there must be none for this key."""
        flight = Flight(key, self.ticket(), now, timeout, background=background)
        self._under_way[key] = flight
        return flight

    def end(self, flight: Flight) -> bool:
        """The flight has ended; whether what it brought may be kept."""
        if self._under_way.get(flight.key) is not flight:
            return False  # given up long ago, or begun before a fork
        del self._under_way[flight.key]
        return flight.joinable

    def written(self, name: str | None) -> None:
        """Something changed: what is being read may be what was there before."""
        for key, flight in self._under_way.items():
            if name is None or key.name == name:
                flight.joinable = False
