"""Open rings that were unpickled: one unwrapping for each process, however many tasks bring the ring along.

Spark, Dask and multiprocessing send a pickle with every task. Two of them share keys here only if they are the
same ring, by the same key-encryption keys (as those pickle, which is who asks), under the same settings.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from weakref import WeakValueDictionary

from safekv._fork import on_fork
from safekv.envelope._opened import Opened

MOST = 16


class Turn:
    """A lock that a weak reference can point to."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


class OpenRings:
    """The most recently used ones, by what makes them the same."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened: OrderedDict[Hashable, Opened] = OrderedDict()
        self._turns: WeakValueDictionary[Hashable, Turn] = WeakValueDictionary()
        on_fork(self)

    def turn(self, ring: Hashable) -> Turn:
        """What the threads that bring the same ring take one after the other, to unwrap it once."""
        with self._lock:
            turn = self._turns.get(ring)
            if turn is None:
                turn = self._turns[ring] = Turn()
            return turn

    def get(self, ring: Hashable, now: float) -> Opened | None:
        """Its keys, if they may still be used."""
        with self._lock:
            opened = self._opened.get(ring)
            if opened is None or now >= opened.expires:
                return None
            self._opened.move_to_end(ring)
            return opened

    def put(self, ring: Hashable, opened: Opened) -> None:
        """Remember them; the least recently used ones go."""
        with self._lock:
            self._opened[ring] = opened
            self._opened.move_to_end(ring)
            while len(self._opened) > MOST:
                self._opened.popitem(last=False)

    def drop(self, ring: Hashable) -> None:
        """Forget them."""
        with self._lock:
            self._opened.pop(ring, None)

    def after_fork(self) -> None:
        """The child keeps the keys; each gets a salt of its own there."""
        self._lock = threading.Lock()
        self._turns = WeakValueDictionary()
        for opened in self._opened.values():
            opened.after_fork()


OPEN_RINGS = OpenRings()
