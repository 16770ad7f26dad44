"""Counting for ``safekv top``: nested dicts whose leaves are numbers, so that they add up and subtract.

::

    requests   vault, operation, status      how many: "200", or the class of the error
    seconds    vault, operation, bucket      how long requests took: see ``bucket_of``
    waits      vault, bucket                 how long requests waited for their turn
    throttled  vault                         429s
    cache      vault, "hits" …               reads of secrets
    tokens     "fetched", "failed"
    envelope   action, "items" or "bytes"

What stands and does not count (``now``) is beside them: lanes, and what caches hold.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

from safekv import _events
from safekv._fork import on_fork
from safekv.observability._labels import Labels

#: Four buckets for each doubling, from a millisecond on: a quantile is right to 19 %.
_SMALLEST, _PER_DOUBLING, _BUCKETS = 0.001, 4, 80

Counts = dict[str, Any]


class Figures:
    """What this process has done since it began to count; a hook. Bounded: see ``_labels``."""

    def __init__(self) -> None:
        self.after_fork()
        on_fork(self)

    def after_fork(self) -> None:
        """A child counts its own."""
        self._lock = threading.RLock()  # the garbage collector may close a coroutine, which tells of it, in here
        self._labels = Labels()
        self._counts: Counts = {}
        self._began = time.time()

    def __call__(self, event: _events.Event) -> None:
        if isinstance(event, _events.RequestFinished):
            self._request(event)
        elif isinstance(event, _events.TokenFetched):
            self._add(("tokens", "failed" if event.error else "fetched"))

    def _request(self, event: _events.RequestFinished) -> None:
        vault, operation = self._labels.vault(event.vault), self._labels.operation(event.operation)
        status = str(event.status) if event.status is not None else self._labels.error(event.error or "")
        self._add(
            ("requests", vault, operation, status),
            ("seconds", vault, operation, str(bucket_of(event.seconds))),
            ("waits", vault, str(bucket_of(event.waited))),
            *([("throttled", vault)] if event.status == 429 else []),
        )

    def _add(self, *paths: tuple[str, ...]) -> None:
        with self._lock:
            for path in paths:
                add(self._counts, path)

    def snapshot(self) -> dict[str, Any]:
        """All of it, as JSON has it. Times are in seconds since 1970."""
        with self._lock:
            counts = plus([self._counts])
        now: Counts = {}
        for state in _events.states():
            if isinstance(state, _events.LaneState):
                lane = {"rate": state.rate, "waiting": state.waiting}
                now.setdefault("lanes", {}).setdefault(self._labels.vault(state.vault), {})[state.lane] = lane
            elif isinstance(state, _events.CacheState):
                vault = self._labels.vault(state.vault)
                for name in ("hits", "misses", "stale", "negative"):
                    add(counts, ("cache", vault, name), getattr(state, name))
                add(now, ("kept", vault), state.entries)
            else:
                counts.setdefault("envelope", {})[state.action] = {"items": state.items, "bytes": state.bytes}
        return {"began": self._began, "time": time.time(), "counts": counts, "now": now}


def bucket_of(seconds: float) -> int:
    """The number of the bucket that ``seconds`` falls into."""
    if seconds <= _SMALLEST:
        return 0
    return min(_BUCKETS - 1, math.ceil(math.log2(seconds / _SMALLEST) * _PER_DOUBLING))


def quantile(buckets: Mapping[str, float], part: float) -> float | None:
    """Seconds within which this part of what is counted lies, at most; None if nothing is."""
    left = part * sum(buckets.values())
    for bucket in sorted(map(int, buckets)):
        left -= buckets[str(bucket)]
        if left <= 0 < buckets[str(bucket)]:
            return float(_SMALLEST * 2.0 ** (bucket / _PER_DOUBLING))
    return None


def add(counts: Counts, path: tuple[str, ...], number: float = 1) -> None:
    """Count at this place."""
    *branches, leaf = path
    for branch in branches:
        counts = counts.setdefault(branch, {})
    counts[leaf] = counts.get(leaf, 0) + number


def plus(several: Iterable[Counts]) -> Counts:
    """Their sum."""
    total: Counts = {}
    for counts in several:
        for name, value in counts.items():
            if isinstance(value, Mapping):
                total[name] = plus([total.get(name, {}), dict(value)])
            else:
                total[name] = total.get(name, 0) + value
    return total


def minus(later: Counts, earlier: Counts) -> Counts:
    """What has been counted between the two; nothing goes below 0 (whoever counted may have begun again)."""
    left: Counts = {}
    for name, value in later.items():
        before = earlier.get(name)
        if isinstance(value, Mapping):
            left[name] = minus(dict(value), before if isinstance(before, dict) else {})
        else:
            left[name] = max(0, value - (before or 0))
    return left
