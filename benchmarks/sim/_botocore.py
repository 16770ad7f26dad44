"""botocore's adaptive mode, modelled from its published constants.

Standard retries (3 attempts, full jitter from 1 s for throttles, a quota of 500 tokens)
under a client-side rate limiter: CUBIC with C = 0.4 and beta = 0.7 on a rate that is
measured in half-second buckets, smoothed by 0.8; off until the first 429; at most twice
what was measured; at least half a request per second.
"""

from __future__ import annotations

from collections.abc import Generator

from benchmarks.sim._servers import Server
from benchmarks.sim._world import World
from safekv.resilience._lane import Priority

_SCALE, _BETA = 0.4, 0.7
_BUCKET, _SMOOTHING = 0.5, 0.8
_MIN_RATE = 0.5
_QUOTA, _THROTTLE_COST, _OTHER_COST = 500, 5, 14
_ATTEMPTS, _LONGEST = 3, 20.0


class BotocoreAdaptive:
    """One client."""

    def __init__(self, world: World, server: Server) -> None:
        self._world = world
        self._server = server
        self._quota = _QUOTA
        self._enabled = False
        self._measured = 0.0
        self._count = 0
        self._bucket_start = 0.0
        self._w_max = 0.0
        self._k = 0.0
        self._failed_at = 0.0
        self._rate = _MIN_RATE
        self._tokens = 0.0
        self._filled = 0.0

    def call(self, priority: Priority) -> Generator[float, None, bool]:
        tries, paid = 0, 0
        while True:
            yield from self._acquire()
            answer = yield from self._server.request()
            self._learn(answer.status == 429)
            if answer.status == 200:
                self._quota = min(_QUOTA, self._quota + (paid or 1))
                return True
            tries += 1
            paid = _THROTTLE_COST if answer.status == 429 else _OTHER_COST
            if tries >= _ATTEMPTS or self._quota < paid:
                return False
            self._quota -= paid
            base = 1.0 if answer.status == 429 else 0.05
            pause = self._world.random.random() * min(base * 2 ** (tries - 1), _LONGEST)
            told = answer.retry_after
            yield pause if told is None else max(pause, min(told, pause + 5))

    def _acquire(self) -> Generator[float, None, None]:
        while self._enabled:
            now = self._world.now
            self._tokens = min(max(1.0, self._rate), self._tokens + (now - self._filled) * self._rate)
            self._filled = now
            if self._tokens >= 1:
                self._tokens -= 1
                return
            yield (1 - self._tokens) / self._rate + 1e-6

    def _learn(self, throttled: bool) -> None:
        now = self._world.now
        self._measure(now)
        if throttled:
            self._w_max = min(self._measured, self._rate) if self._enabled else self._measured
            self._k = (self._w_max * (1 - _BETA) / _SCALE) ** (1 / 3)
            self._failed_at = now
            rate = self._w_max * _BETA
            if not self._enabled:
                self._enabled, self._filled = True, now
        else:
            rate = _SCALE * (now - self._failed_at - self._k) ** 3 + self._w_max
        self._rate = max(_MIN_RATE, min(rate, 2.0 * self._measured))

    def _measure(self, now: float) -> None:
        self._count += 1
        if now - self._bucket_start >= _BUCKET:
            rate = self._count / (now - self._bucket_start)
            self._measured = rate * _SMOOTHING + self._measured * (1 - _SMOOTHING)
            self._count, self._bucket_start = 0, now
