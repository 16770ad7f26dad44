"""How much was encrypted and decrypted, for those who are subscribed: they look at it, and no record waits for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized

from safekv import _events
from safekv._fork import on_fork


class Tally:
    """Counts of one direction."""

    def __init__(self, action: str) -> None:
        self._action = action
        self.after_fork()
        on_fork(self)
        _events.has_state(self)

    def after_fork(self) -> None:
        """A child counts its own."""
        self._items = self._bytes = 0

    def add(self, size: int) -> None:
        """One record, file or stream of ``size`` bytes."""
        # Like a cache's hits: no call between reading and writing, so no other thread comes in between.
        self._items += 1
        self._bytes += size

    def add_all(self, contents: Iterable[Sized]) -> None:
        """Many records."""
        sizes = [len(each) for each in contents]
        count, size = len(sizes), sum(sizes)
        self._items += count
        self._bytes += size

    def states(self) -> Iterator[_events.EnvelopeState]:
        """For ``safekv.events.states``."""
        yield _events.EnvelopeState(self._action, self._items, self._bytes)


ENCRYPTED = Tally("encrypt")
DECRYPTED = Tally("decrypt")
