"""Questions to a credential that are under way, so that nobody asks the same meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from safekv._clock import SYSTEM_CLOCK

#: Seconds after which a question is given up: whoever asked it is not coming back. A user who signs in takes minutes.
OVERDUE = 300.0

K = TypeVar("K", bound=Hashable)
F = TypeVar("F")


class Flights(Generic[K, F]):
    """By what they are for. Whoever has threads takes a lock around these."""

    def __init__(self) -> None:
        self._under_way: dict[K, tuple[F, float]] = {}

    def __len__(self) -> int:
        return len(self._under_way)

    def of(self, key: K) -> F | None:
        """The flight under way, unless it is to be given up."""
        flight, began = self._under_way.get(key, (None, 0.0))
        return flight if SYSTEM_CLOCK.monotonic() - began <= OVERDUE else None

    def begin(self, key: K, flight: F) -> F | None:
        """This one is under way now. Returns the one that is given up for it."""
        former, _ = self._under_way.get(key, (None, 0.0))
        self._under_way[key] = (flight, SYSTEM_CLOCK.monotonic())
        return former

    def end(self, key: K, flight: F) -> None:
        """It has landed, which is no news of one that was given up."""
        if self._under_way.get(key, (None, 0.0))[0] is flight:
            self._under_way.pop(key, None)

    def drop(self, gone: Callable[[K], bool]) -> None:
        """Forget those that never land."""
        for key in list(self._under_way):
            if gone(key):
                self._under_way.pop(key, None)
