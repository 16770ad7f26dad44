"""How many repetitions a connection can afford, for all that is not a 429.

Repeating is cheap while it is rare. When much of what is sent fails, repeating it makes
things worse for everybody, so it is paid from a bucket that successes fill.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from safekv._clock import Clock


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """The bucket in tokens, times in seconds."""

    capacity: float = 100.0
    fault_cost: float = 5.0
    timeout_cost: float = 10.0
    success: float = 1.0
    #: So many repetitions per period are granted whatever the bucket says.
    floor: int = 10
    period: float = 10.0


class Budget:
    """One per connection, shared by all its calls."""

    def __init__(self, settings: BudgetSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens = settings.capacity
        self._free: deque[float] = deque(maxlen=settings.floor)  # when the floor was drawn upon

    @property
    def tokens(self) -> float:
        """What is in the bucket."""
        return self._tokens

    def succeeded(self) -> None:
        """A request was carried out."""
        if self._tokens >= self._settings.capacity:
            return
        with self._lock:
            self._tokens = min(self._settings.capacity, self._tokens + self._settings.success)

    def may_repeat(self, *, timeout: bool = False) -> bool:
        """Whether one more attempt may be made after a failure; if so, it is paid for.

        :param timeout: the failed attempt took its full time, which costs the service more.
        """
        s = self._settings
        with self._lock:
            # As in gRPC: the failure is charged in any case, and below half nothing is repeated.
            self._tokens = max(0.0, self._tokens - (s.timeout_cost if timeout else s.fault_cost))
            return self._tokens >= s.capacity / 2 or self._from_the_floor()

    def _from_the_floor(self) -> bool:
        now = self._clock.monotonic()
        while self._free and not 0 <= now - self._free[0] < self._settings.period:
            self._free.popleft()
        if len(self._free) >= self._settings.floor:
            return False
        self._free.append(now)
        return True
