"""All caches of this process: who is to hear of a write, and what they have done so far, with those that are no more.

Counts must not go down for those who watch them, and a cache may go at any moment, in the middle of anything: the
garbage collector takes its weak references first and calls ``__del__`` later, and without it, it is the other way
round. So each has a ``Count`` that outlives it, and that says what was seen of it last until its last word is there.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, NamedTuple
from weakref import ref

from safekv import _events
from safekv._fork import Lock, on_fork

if TYPE_CHECKING:
    from safekv.cache._events import CacheInfo
    from safekv.secrets._cache import SecretCache

#: Vaults whose former caches are told apart; what others had is added up.
_MOST_VAULTS = 1_000
_OTHER = "_OTHER"


class Done(NamedTuple):
    """What is counted, in the order of ``CacheState``."""

    hits: int = 0
    misses: int = 0
    stale: int = 0
    negative: int = 0

    @classmethod
    def of(cls, info: CacheInfo) -> Done:
        return cls(info.hits, info.misses, info.stale_serves, info.negative_hits)

    def plus(self, other: Done) -> Done:
        return Done(*map(operator.add, self, other))


class Count:
    """What one cache has done."""

    __slots__ = ("cache", "host", "last", "over")

    def __init__(self, cache: SecretCache) -> None:
        self.cache = ref(cache)
        self.host = cache.host
        #: When somebody looked.
        self.last = Done()
        #: All of it. Whoever sets it is in the garbage collector's hands, and may wait for no lock.
        self.over: Done | None = None


class Every:
    """All caches, for as long as they are alive."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: list[Count] = []
        self.after_fork()
        on_fork(self)
        _events.has_state(self)

    def after_fork(self) -> None:
        """A child counts its own."""
        self._gone: dict[str, Done] = {}
        self._counts = [count for count in list(self._counts) if count.cache() is not None and count.over is None]
        for count in self._counts:
            count.last = Done()

    def add(self, cache: SecretCache) -> Count:
        """A cache is made. ``over`` of its count is to be set with its end."""
        count = Count(cache)
        with self._lock.it:
            self._fold()
            self._counts.append(count)
        return count

    def start_again(self, cache: SecretCache, count: Count) -> None:
        """What it has done is of one that is gone, and it begins with nothing. Nobody looks in between."""
        with self._lock.it:
            before = cache.info()
            cache.after_fork()
            self._add(count.host, Done.of(before))
            count.last = Done()

    def of(self, url: str) -> list[SecretCache]:
        """Those of one vault."""
        with self._lock.it:
            caches = [count.cache() for count in self._counts]
        return [cache for cache in caches if cache is not None and cache.url == url]

    def states(self) -> list[_events.CacheState]:
        """For ``safekv.events.states``. What has the number 0 is of those that are gone."""
        states = []
        with self._lock.it:
            self._fold()
            gone = dict(self._gone)
            for count in self._counts:
                cache = count.cache()
                if cache is None:  # its last word is about to come
                    gone[count.host] = gone.get(count.host, Done()).plus(count.last)
                    continue
                info = cache.info()
                count.last = Done.of(info)
                states.append(_events.CacheState(count.host, cache.number, *count.last, info.entries))
        return [*states, *(_events.CacheState(host, 0, *done, 0) for host, done in gone.items())]

    def _fold(self) -> None:
        """Add up what is over."""
        left = []
        for count in self._counts:
            if count.over is None:
                left.append(count)
            else:
                self._add(count.host, count.over)
        self._counts = left

    def _add(self, host: str, done: Done) -> None:
        place = host if host in self._gone or len(self._gone) < _MOST_VAULTS else _OTHER
        self._gone[place] = self._gone.get(place, Done()).plus(done)


EVERY = Every()
