"""What happened of late: the difference between what was counted now and a minute ago. No I/O."""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

from safekv.observability._figures import Counts, minus, plus

#: Seconds that a rate, a quantile or a count is of.
LENGTH = 60.0


class Look(NamedTuple):
    """One process, or one emulator, at one moment.

    :ivar began: since when it counts; another value means that it has begun again. Seconds since 1970.
    :ivar time: of this look.
    """

    began: float
    time: float
    counts: Counts
    now: Counts


class Late(NamedTuple):
    """What was counted in so many seconds, and what stands now."""

    seconds: float
    counts: Counts
    now: Counts


class Window:
    """The looks of the last minute at one source."""

    def __init__(self, length: float = LENGTH) -> None:
        self._length = length
        self._looks: deque[Look] = deque()

    def add(self, look: Look) -> None:
        if self._looks and (self._looks[-1].began != look.began or self._looks[-1].time > look.time):
            self._looks.clear()  # it has begun again, or its clock was set back
        self._looks.append(look)
        while len(self._looks) > 2 and look.time - self._looks[1].time >= self._length:
            self._looks.popleft()

    def late(self) -> Late:
        """Since the oldest look that is kept; since it began, where that is younger, or there is only one."""
        first, last = self._looks[0], self._looks[-1]
        if last is first or 0 <= last.time - last.began <= self._length:
            return Late(max(0.0, last.time - last.began), last.counts, last.now)
        return Late(last.time - first.time, minus(last.counts, first.counts), last.now)


def together(several: list[Late]) -> Late:
    """Several processes as one: counts and lanes add up."""
    return Late(
        max((each.seconds for each in several), default=0.0),
        plus(each.counts for each in several),
        plus(_additive(each.now) for each in several),
    )


def _additive(now: Counts) -> Counts:
    """Lanes whose rate is None have none to add."""
    kept: dict[str, Any] = dict(now)
    kept["lanes"] = {
        vault: {
            lane: {name: value for name, value in about.items() if value is not None} for lane, about in lanes.items()
        }
        for vault, lanes in now.get("lanes", {}).items()
    }
    return kept
