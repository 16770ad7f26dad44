"""Models of how a vault counts: sliding log, fixed window, token bucket; with or without rejected requests."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Generator
from typing import NamedTuple

from benchmarks.sim._world import World

WINDOW = 10.0
LIMIT = 4_000
_MEDIAN, _SIGMA = 0.022, 0.45
_REJECTION = 0.010


class Answer(NamedTuple):
    """What came back."""

    status: int
    retry_after: float | None = None


class Server:
    """One vault.

    :param kind: "sliding", "fixed", "bucket", or "counting" (sliding, and rejected requests count too).
    :param retry_after: "none", "exact" (seconds until there is room, rounded up), "random" (1 to 10) or "10".
    """

    def __init__(self, world: World, kind: str, retry_after: str) -> None:
        self._world = world
        self._kind = kind
        self._retry_after = retry_after
        self._log: deque[float] = deque()
        self._used = 0
        self._period = -1
        self._tokens = float(LIMIT)
        self._filled = 0.0
        self.limit = LIMIT
        self.down = False
        self.accepted: list[float] = []  # when
        self.rejected: list[float] = []
        self.arrived: list[float] = []

    def request(self) -> Generator[float, None, Answer]:
        """One request over the wire."""
        chance = self._world.random
        took = chance.lognormvariate(math.log(_MEDIAN), _SIGMA)
        there = _REJECTION * chance.random()
        yield there
        now = self._world.now
        self.arrived.append(now)
        if self.down:
            yield _REJECTION - there
            return Answer(503)
        if self._admit(now):
            self.accepted.append(now)
            yield max(0.001, took - there)
            return Answer(200)
        self.rejected.append(now)
        answer = Answer(429, self._told(now))
        yield _REJECTION - there
        return answer

    def _admit(self, now: float) -> bool:
        if self._kind == "fixed":
            return self._fixed(now)
        if self._kind == "bucket":
            return self._bucket(now)
        return self._sliding(now)

    def _sliding(self, now: float) -> bool:
        log = self._log
        while log and log[0] <= now - WINDOW:
            log.popleft()
        room = len(log) < self.limit
        if room or self._kind == "counting":
            log.append(now)
        return room

    def _fixed(self, now: float) -> bool:
        period = int(now // WINDOW)
        if period != self._period:
            self._period, self._used = period, 0
        self._used += 1
        return self._used <= self.limit

    def _bucket(self, now: float) -> bool:
        self._tokens = min(self.limit, self._tokens + (now - self._filled) * self.limit / WINDOW)
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _told(self, now: float) -> float | None:
        if self._retry_after == "none":
            return None
        if self._retry_after == "exact":
            return float(math.ceil(max(0.001, self._until_room(now))))
        if self._retry_after == "random":
            return float(1 + int(self._world.random.random() * 10))
        return float(self._retry_after)

    def _until_room(self, now: float) -> float:
        if self._kind == "fixed":
            return WINDOW - now % WINDOW
        if self._kind == "bucket":
            return (1 - self._tokens) * WINDOW / self.limit
        return self._log[0] + WINDOW - now if self._log else 0.001
