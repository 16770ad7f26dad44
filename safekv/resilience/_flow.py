"""One call's decisions: whose turn it is, try again or not, after how long, or give up.

A :class:`Flow` neither sleeps nor sends, so that the sync and the async policy (and the
simulator) share it. For each attempt its driver goes through these steps::

    try:
        while wait := flow.poll():             # or Denied
            sleep(wait)
        flow.sent()                            # False: poll again
        ...                                    # one attempt
        wait = flow.answered(status)           # or failed(); None: hand this to the caller
    finally:
        flow.leave()
    sleep(wait)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from safekv._clock import Clock, Random
from safekv.resilience._breaker import Breaker, Broken, Pass
from safekv.resilience._budget import Budget
from safekv.resilience._lane import Lane, Priority, Refused, Ticket

THROTTLED = 429
_SERVER_FAULTS = frozenset({408, 500, 502, 503, 504})

#: Seconds that one call waits in all for a vault that is being left alone; it fails at once where that is not enough.
_PATIENCE = 1.0


class Outcome(Enum):
    """What is known of an attempt that brought no answer."""

    NOT_SENT = "not sent"  # nothing reached the vault
    UNKNOWN = "unknown"  # it may have been carried out
    TIMED_OUT = "timed out"  # the same, and it took its full time
    PERMANENT = "permanent"  # repeating cannot help (a certificate that does not verify)
    OURS = "ours"  # nothing was sent, and the vault has nothing to do with it


@dataclass(frozen=True, slots=True)
class RetryLimits:
    """How often one call may be repeated, and how its waits grow.

    ``None`` leaves the number to the deadline; ``total`` is a guard, for a call without one. The
    lane paces what was throttled; other waits are drawn from the upper half of
    ``min(cap, fault_base * 2**n)`` seconds, so that clients do not march in step.
    """

    total: int = 1_000
    not_sent: int = 3
    unknown: int = 3
    status: int = 3
    throttled: int | None = None
    fault_base: float = 0.2
    cap: float = 16.0
    extra_statuses: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Denied:
    """Nothing was sent, and nothing will be before the deadline."""

    retry_in: float  # seconds until it probably could be; inf while the vault is isolated
    reason: str  # "deadline", "queue full", "broken" or "isolated"


class Flow:
    """The state of one call.

    :param repeatable: whether an attempt whose outcome is unknown may be repeated.
    :param deadline: when the call has to be over, on ``clock.monotonic()``.
    :ivar attempts: requests that were sent.
    :ivar repeats: how often it was decided to repeat.
    """

    __slots__ = (
        "_breaker",
        "_budget",
        "_clock",
        "_cost",
        "_counts",
        "_deadline",
        "_lane",
        "_limits",
        "_pass",
        "_patience",
        "_priority",
        "_random",
        "_repeatable",
        "_ticket",
        "_void",
        "attempts",
        "repeats",
    )

    def __init__(
        self,
        lane: Lane,
        breaker: Breaker,
        budget: Budget,
        *,
        repeatable: bool,
        deadline: float,
        limits: RetryLimits,
        clock: Clock,
        random: Random,
        cost: int = 1,
        priority: Priority = Priority.INTERACTIVE,
    ) -> None:
        self._lane = lane
        self._breaker = breaker
        self._budget = budget
        self._repeatable = repeatable
        self._deadline = deadline
        self._limits = limits
        self._clock = clock
        self._random = random
        self._cost = cost
        self._priority = priority
        self._counts: dict[str, int] | None = None
        self._ticket: Ticket | None = None
        self._pass: Pass | None = None
        self._patience = _PATIENCE
        self._void = False  # a turn was taken back: the next one comes before new calls
        self.attempts = 0
        self.repeats = 0

    def remaining(self) -> float:
        """Seconds until the deadline; negative once it has passed."""
        return self._deadline - self._clock.monotonic()

    def limited(self) -> bool:
        """Whether the lane limits anything now."""
        return self._lane.status().on

    def lane_wait(self) -> float:
        """Seconds for which the lane is closed to everybody."""
        return self._lane.status().pause_left

    # -- getting a turn

    def poll(self) -> float | Denied:
        """0.0: go, send. A number: seconds to sleep before asking again. Denied: give up."""
        ticket = self._ticket
        if ticket is None:
            entered = self._lane.enter(
                cost=self._cost, priority=self._priority, deadline=self._deadline, retry=self._void or self.repeats > 0
            )
            if isinstance(entered, Refused):
                return Denied(entered.retry_in, entered.reason)
            ticket = self._ticket = entered
        wait = self._lane.poll(ticket)
        if isinstance(wait, Refused):
            return Denied(wait.retry_in, wait.reason)
        if wait > 0:
            return wait
        leave = self._breaker.enter()
        if isinstance(leave, Broken):
            return self._broken(leave)
        self._pass = leave
        return 0.0

    def _broken(self, broken: Broken) -> float | Denied:
        self.leave()  # the turn goes back: others may be served before we come again
        wait = broken.retry_in
        if wait <= self._patience and wait < self.remaining():
            self._patience -= wait
            return wait
        return Denied(wait, "isolated" if broken.isolated else "broken")

    def sent(self) -> bool:
        """The attempt begins now. False: the turn is void by now, and has to be asked for again."""
        if self._ticket is not None and not self._lane.sent(self._ticket):
            self._void = True
            self.leave()
            return False
        self._void = False
        self.attempts += 1
        return True

    def leave(self) -> None:
        """Hand back what the attempt holds. Does nothing for one that has had its answer."""
        ticket, leave = self._ticket, self._pass
        if ticket is not None:
            self._ticket = None
            self._lane.leave(ticket)
        if leave is not None:
            self._pass = None
            self._breaker.leave(leave)

    # -- what became of it

    def answered(self, status: int, retry_after: float | None = None) -> float | None:
        """Seconds to wait before the next attempt, or None: the answer is the caller's.

        :param retry_after: seconds that the service asks for, if it does.
        """
        ticket, leave = self._taken()
        if status == THROTTLED:
            self._breaker.alive(leave)
            own = self._lane.throttled(ticket, retry_after)
            return self._again("throttled", self._limits.throttled, own)
        if status >= 500:
            self._lane.failed(ticket)
            self._breaker.failed(leave)
            return self._after_fault(status, retry_after)
        self._lane.accepted(ticket)
        self._breaker.alive(leave)
        self._budget.succeeded()
        return self._after_fault(status, retry_after) if status >= 400 else None

    def settling(self, cause: str, times: int, after: float) -> float | None:
        """As :meth:`answered`, for an answer that is known to change within seconds.

        :param after: seconds to wait the first time; then twice as long each time.
        """
        longest = after * 2.0 ** min(self._count(cause), 30)
        wait = min(self._limits.cap, longest) * (0.75 + self._random.random() / 4)
        return self._again(cause, times, wait)

    def failed(self, outcome: Outcome) -> float | None:
        """The attempt brought no answer. Seconds to wait before the next, or None: the error is the caller's."""
        ticket, leave = self._taken()
        self._lane.failed(ticket)
        if outcome in (Outcome.PERMANENT, Outcome.OURS):
            self._breaker.leave(leave)
            return self._again("ours", 3, 0.0) if outcome is Outcome.OURS else None
        self._breaker.failed(leave)
        if outcome is Outcome.NOT_SENT:
            return self._repeated("not sent", self._limits.not_sent, None)
        if not self._repeatable:
            return None
        return self._repeated("unknown", self._limits.unknown, None, timeout=outcome is Outcome.TIMED_OUT)

    def _after_fault(self, status: int, retry_after: float | None) -> float | None:
        if not self._repeatable or not (status in _SERVER_FAULTS or status in self._limits.extra_statuses):
            return None
        return self._repeated("status", self._limits.status, retry_after)

    def _repeated(self, cause: str, limit: int, retry_after: float | None, *, timeout: bool = False) -> float | None:
        count = self._count(cause)
        if count >= limit or not self._budget.may_repeat(timeout=timeout):
            return None
        longest = min(self._limits.cap, self._limits.fault_base * 2.0 ** min(count, 30))
        wait = longest * (0.5 + self._random.random() / 2) if retry_after is None else retry_after
        return self._again(cause, limit, wait)

    def _again(self, cause: str, limit: int | None, wait: float) -> float | None:
        count = self._count(cause) + 1
        if self.repeats >= self._limits.total or (limit is not None and count > limit):
            return None
        wait = max(0.0, wait)
        # A wait that ends after the deadline would only hide the answer that we have.
        if wait >= self.remaining():
            return None
        assert self._counts is not None
        self._counts[cause] = count
        self.repeats += 1
        return wait

    def _count(self, cause: str) -> int:
        if self._counts is None:
            self._counts = {}
        return self._counts.get(cause, 0)

    def _taken(self) -> tuple[Ticket, Pass]:
        ticket, leave = self._ticket, self._pass
        assert ticket is not None
        assert leave is not None
        self._ticket = self._pass = None
        return ticket, leave
