"""How much one process got accepted in the last few seconds: its share of a limit."""

from __future__ import annotations

from collections import deque

_BUCKETS = 100  # per window
_FOLD_AT = 512


class Accepts:
    """Costs of accepted requests over a sliding window, in buckets of a hundredth of it.

    ``add`` needs no lock (``deque.append`` is atomic); everything else is called under the
    lane's.
    """

    __slots__ = ("_buckets", "_fresh", "_total", "_window")

    def __init__(self, window: float) -> None:
        self._window = window
        self._fresh: deque[tuple[float, int]] = deque()
        self._buckets: deque[list[float]] = deque()  # [time of the first accept in it, cost]
        self._total = 0.0

    def add(self, now: float, cost: int) -> bool:
        """Note an accepted request. True if it is time to :meth:`fold`."""
        self._fresh.append((now, cost))
        return len(self._fresh) >= _FOLD_AT

    def total(self, now: float) -> float:
        """Cost accepted within the window that ends now."""
        self.fold(now)
        return self._total

    def oldest(self, now: float) -> float | None:
        """When the oldest accepted request that is still in the window was accepted."""
        self.fold(now)
        return self._buckets[0][0] if self._buckets else None

    def fold(self, now: float) -> None:
        """Sort what was added into buckets, and drop what has left the window."""
        width = self._window / _BUCKETS
        for _ in range(len(self._fresh)):
            at, cost = self._fresh.popleft()
            if self._buckets and at < self._buckets[-1][0] + width:
                self._buckets[-1][1] += cost
            else:
                self._buckets.append([at, cost])
            self._total += cost
        while self._buckets and self._buckets[0][0] <= now - self._window:
            self._total -= self._buckets.popleft()[1]
