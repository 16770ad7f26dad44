"""One call's decisions: try again, after how long, or give up.

A :class:`Flow` is told what happened to each attempt and answers with seconds to wait, or
None for "hand this to the caller". It neither sleeps nor sends, so the sync and the async
policy share it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from safekv._clock import Clock, Random

THROTTLED = 429
_SERVER_FAULTS = frozenset({408, 500, 502, 503, 504})


class Outcome(Enum):
    """What is known of an attempt that brought no answer."""

    NOT_SENT = "not sent"  # nothing reached the vault
    UNKNOWN = "unknown"  # it may have been carried out
    PERMANENT = "permanent"  # repeating cannot help (a certificate that does not verify)


@dataclass(frozen=True, slots=True)
class RetryLimits:
    """How often one call may be repeated, and how its waits grow.

    ``None`` leaves the number to the deadline. Waits without a Retry-After are drawn from
    the upper half of ``min(cap, base * 2**n)`` seconds, so that clients do not march in step.
    """

    total: int = 40
    not_sent: int = 3
    unknown: int = 3
    status: int = 3
    throttled: int | None = None
    throttle_base: float = 1.0
    fault_base: float = 0.2
    cap: float = 16.0
    extra_statuses: frozenset[int] = frozenset()


class Flow:
    """The state of one call.

    :param repeatable: whether an attempt whose outcome is unknown may be repeated.
    :param deadline: when the call has to be over, on ``clock.monotonic()``.
    """

    __slots__ = ("_clock", "_counts", "_deadline", "_limits", "_random", "_repeatable", "attempts")

    def __init__(self, *, repeatable: bool, deadline: float, limits: RetryLimits, clock: Clock, random: Random) -> None:
        self._repeatable = repeatable
        self._deadline = deadline
        self._limits = limits
        self._clock = clock
        self._random = random
        self._counts: dict[str, int] = {}
        self.attempts = 0

    def remaining(self) -> float:
        """Seconds until the deadline; negative once it has passed."""
        return self._deadline - self._clock.monotonic()

    def after_status(self, status: int, retry_after: float | None) -> float | None:
        """Seconds to wait before the next attempt, or None: the answer is the caller's."""
        if status == THROTTLED:
            return self._wait("throttled", self._limits.throttled, self._limits.throttle_base, retry_after)
        if status in _SERVER_FAULTS or status in self._limits.extra_statuses:
            if not self._repeatable:
                return None
            return self._wait("status", self._limits.status, self._limits.fault_base, retry_after)
        return None

    def after_error(self, outcome: Outcome) -> float | None:
        """Seconds to wait before the next attempt, or None: the error is the caller's."""
        if outcome is Outcome.NOT_SENT:
            return self._wait("not sent", self._limits.not_sent, self._limits.fault_base, None)
        if outcome is Outcome.UNKNOWN and self._repeatable:
            return self._wait("unknown", self._limits.unknown, self._limits.fault_base, None)
        return None

    def _wait(self, cause: str, limit: int | None, base: float, retry_after: float | None) -> float | None:
        count = self._counts[cause] = self._counts.get(cause, 0) + 1
        self.attempts += 1
        if self.attempts > self._limits.total or (limit is not None and count > limit):
            return None
        wait = max(0.0, self._backoff(base, count) if retry_after is None else retry_after)
        # A wait that ends after the deadline would only hide the answer that we have.
        return wait if wait < self.remaining() else None

    def _backoff(self, base: float, count: int) -> float:
        longest = min(self._limits.cap, base * 2.0 ** min(count - 1, 30))
        return longest * (0.5 + self._random.random() / 2)
