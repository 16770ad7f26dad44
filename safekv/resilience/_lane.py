"""One class of operations on one vault: who may send now, and who waits how long.

A fleet of lanes that know nothing of each other shares a limit without wasting it. The
idea: when a 429 arrives the service's window is full, so what *this* process got accepted
within the last window is its share, and that is the rate to go on with. From there the
rate climbs back and, later, beyond; a 429 also closes a gate for a moment, and one probe
finds out whether it is over.

A lane never sleeps or sends. A driver (``Flow``) goes through these steps, and calls
``leave`` in a ``finally`` (it does nothing for a ticket that has had its answer)::

    ticket = lane.enter(deadline=...)          # or Refused
    while (wait := lane.poll(ticket)) > 0:     # or Refused
        sleep(wait)
    lane.sent(ticket)                          # False: begin again
    ...                                        # one attempt
    lane.accepted(ticket)                      # or throttled(), or failed()
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from safekv._clock import Clock, Random
from safekv.resilience._gate import Gate
from safekv.resilience._line import Line, Priority
from safekv.resilience._pace import LaneSettings, Pace
from safekv.resilience._window import Accepts

__all__ = ["Lane", "LaneSettings", "LaneStatus", "Priority", "Refused", "Ticket"]

#: How often the first in line looks whether the probe is back.
_PROBE_POLL = 0.02
#: A wait up to this is slept in one piece, a longer one by halves: the rate may change meanwhile.
_EXACT = 0.1
_ROUNDING = 1e-6


class _State(Enum):
    WAITING = "waiting"
    GRANTED = "granted"
    SENT = "sent"
    OVER = "over"


class Ticket:
    """One attempt of one call. Drivers hand it back and forth and read nothing of it."""

    __slots__ = ("at", "cost", "deadline", "place", "priority", "retry", "state")

    def __init__(self, cost: int, priority: Priority, deadline: float, retry: bool, state: _State) -> None:
        self.cost = cost
        self.priority = priority
        self.deadline = deadline
        self.retry = retry
        self.state = state
        self.place = 0
        self.at = 0.0  # when its turn came; then, when it was sent


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was sent: it could not have been in time."""

    retry_in: float  # seconds until it probably could be
    reason: str = "deadline"  # or "queue full"


@dataclass(frozen=True, slots=True)
class LaneStatus:
    """What a lane looks like at one moment."""

    on: bool  # whether it limits anything; False until the first 429
    rate: float | None  # cost units per second; None while it is not on
    pause_left: float  # seconds
    probing: bool
    interactive: int  # tickets that wait
    bulk: int
    granted: int  # while it was on
    accepted: int  # this and the following: since the lane exists
    throttled: int
    failed: int
    refused: int


Notice = Callable[[float, float], object]


class Lane:
    """See the module. Shared by all threads and event loops of a process.

    :param notice: told, without the lock, when the gate closes for so many seconds or opens (0), and
        the rate from then on.
    """

    def __init__(self, settings: LaneSettings, clock: Clock, random: Random, notice: Notice | None = None) -> None:
        self._notice = notice
        self._settings = settings
        self._clock = clock
        self._random = random
        self._lock = threading.Lock()
        self._raw = clock.monotonic()
        self._offset = 0.0
        self._accepts = Accepts(settings.window)
        self._line = Line()
        self._leaving: deque[Ticket] = deque()
        self._gate = Gate()
        self._pace = Pace(settings, self._accepts, self._raw)
        self._on = settings.ceiling is not None
        self._was_on = False
        self._epoch = float("-inf")
        self._streak = 0
        self._granted = self._accepted = self._throttled = self._failed = self._refused = 0

    # -- getting a turn

    def enter(
        self,
        *,
        cost: int = 1,
        priority: Priority = Priority.INTERACTIVE,
        deadline: float = float("inf"),
        retry: bool = False,
    ) -> Ticket | Refused:
        """Ask for a turn.

        :param deadline: on the clock's ``monotonic()``; a turn that would come later is refused at once.
        :param retry: the call was sent before and throttled; it goes to the front of its class.
        """
        if not self._on:  # nothing was ever throttled: no queue, no lock
            ticket = Ticket(cost, priority, deadline, retry, _State.GRANTED)
            ticket.at = self._clock.monotonic() + self._offset
            return ticket
        with self._lock:
            now = self._now()
            deadline += self._offset
            self._pace.need(cost)
            wait = self._wait(now, self._line.ahead_of_new(priority, cost, retry) + cost)
            if now + wait > deadline:
                return self._refuse(wait, "deadline")
            if len(self._line) >= self._settings.max_queue:
                return self._refuse(wait, "queue full")
            ticket = Ticket(cost, priority, deadline, retry, _State.WAITING)
            if wait <= 0 and not len(self._line):
                self._spend(ticket, now)  # as if it had joined and been served
            else:
                self._line.join(ticket)
            return ticket

    def poll(self, ticket: Ticket) -> float | Refused:
        """0.0: go. A number: seconds to sleep before asking again. Refused: the ticket is void."""
        if ticket.state is not _State.WAITING:
            return 0.0
        with self._lock:
            now = self._now()
            wait = self._wait(now, self._line.ahead(ticket) + ticket.cost)
            if wait <= 0:
                self._grant(ticket, now)
                return 0.0
            if now + wait > ticket.deadline:
                self._drop(ticket)
                return self._refuse(wait, "deadline")
            closed = self._gate.left(now)
            rest = wait - closed
            return closed + (rest if rest <= _EXACT else max(_EXACT, rest / 2))

    def leave(self, ticket: Ticket) -> None:
        """The caller gives up, wherever it is. Does nothing for a ticket that has had its answer.

        It waits for no lock: a coroutine may be closed by the garbage collector, in a thread that has it.
        """
        if ticket.state is _State.OVER:
            return
        self._leaving.append(ticket)
        if self._lock.acquire(blocking=False):  # else they go before anybody else comes
            try:
                self._now()
            finally:
                self._lock.release()

    # -- what became of it

    def sent(self, ticket: Ticket) -> bool:
        """The attempt begins now. False: a 429 came since the turn did, and the turn is void.

        Between the two lies the wait for a connection, and whoever waits there in numbers would
        otherwise all run into the closed gate.
        """
        if self._on and ticket.at < self._epoch:
            self.leave(ticket)
            return False
        ticket.at = self._clock.monotonic() + self._offset
        ticket.state = _State.SENT
        return True

    def accepted(self, ticket: Ticket) -> None:
        """It was answered with anything but 429 and 5xx: the service has counted it."""
        ticket.state = _State.OVER
        full = self._accepts.add(self._clock.monotonic() + self._offset, ticket.cost)
        if not (self._on or full):
            self._accepted += 1  # unlocked: threads may lose one, and it is only shown
            return
        opened = None
        with self._lock:
            self._accepted += 1
            now = self._now()
            if ticket.at >= self._epoch:
                self._streak = 0
                if self._gate.half_open:
                    self._gate.open()
                    opened = self._pace.refill(now)
            if full:
                self._accepts.fold(now)
            self._maybe_forget(now)
        if opened is not None and self._notice is not None:
            self._notice(0.0, opened)

    def throttled(self, ticket: Ticket, retry_after: float | None = None) -> float:
        """It was answered with 429.

        :param retry_after: seconds that the service asks for, if it does.
        :return: seconds before which this call must not be sent again, whatever the lane says.
        """
        closed = None
        with self._lock:
            ticket.state = _State.OVER
            self._throttled += 1
            now = self._now()
            failed_probe = self._gate.hand_back(ticket)
            # What was sent before the last 429 arrived is an echo of the same event.
            if ticket.at >= self._epoch:
                closed = self._close(now, retry_after, failed_probe), self._pace.rate(now)
        if closed is not None and self._notice is not None:
            self._notice(*closed)
        return 0.0 if retry_after is None else self._later(retry_after)

    def failed(self, ticket: Ticket) -> None:
        """It ended in a way that says nothing about the rate: 5xx, a timeout, no connection."""
        with self._lock:
            self._failed += 1
            self._gate.hand_back(ticket)
            ticket.state = _State.OVER

    def status(self) -> LaneStatus:
        with self._lock:
            now = self._now()
            return LaneStatus(
                on=self._on,
                rate=self._pace.refill(now) if self._on else None,
                pause_left=self._gate.left(now),
                probing=self._gate.probing(now),
                interactive=self._line.waiting(Priority.INTERACTIVE),
                bulk=self._line.waiting(Priority.BULK),
                granted=self._granted,
                accepted=self._accepted,
                throttled=self._throttled,
                failed=self._failed,
                refused=self._refused,
            )

    # -- all below: under the lock

    def _now(self) -> float:
        """The lane's time: the clock's, but where that goes back this goes on. Who is leaving has left by then."""
        raw = self._clock.monotonic()
        if raw < self._raw:
            self._offset += self._raw - raw
        self._raw = raw
        now = raw + self._offset
        while self._leaving:
            self._let_go(self._leaving.popleft(), now)
        return now

    def _let_go(self, ticket: Ticket, now: float) -> None:
        if ticket.state is _State.WAITING:
            self._drop(ticket)
        elif ticket.state is _State.GRANTED and self._on:
            self._pace.give(ticket.cost, now)
        self._gate.hand_back(ticket)
        ticket.state = _State.OVER

    def _wait(self, now: float, need: float) -> float:
        """Seconds until ``need`` tokens can be spent; 0 if they can now."""
        rate = self._pace.refill(now)
        closed = self._gate.left(now)
        missing = need - self._pace.tokens
        if closed > 0:
            return closed + max(0.0, missing) / rate
        if self._gate.probing(now):
            return max(_PROBE_POLL, missing / rate)
        return missing / rate if missing > _ROUNDING else 0.0

    def _grant(self, ticket: Ticket, now: float) -> None:
        self._line.serve(ticket)
        self._spend(ticket, now)

    def _spend(self, ticket: Ticket, now: float) -> None:
        self._pace.take(ticket.cost)
        self._gate.admit(ticket, now)
        self._granted += 1
        ticket.at = now
        ticket.state = _State.GRANTED

    def _drop(self, ticket: Ticket) -> None:
        self._line.leave(ticket)
        ticket.state = _State.OVER

    def _refuse(self, wait: float, reason: str) -> Refused:
        self._refused += 1
        return Refused(wait, reason)

    def _close(self, now: float, retry_after: float | None, failed_probe: bool) -> float:
        """Close the gate; for how many seconds."""
        s = self._settings
        if not failed_probe:
            share = self._accepts.total(now) / s.window
            floor = s.min_rate if self._was_on else s.first_rate
            self._pace.refill(now)
            self._pace.cut(share, floor, now, first=not self._was_on, chance=self._random.random())
            self._on = self._was_on = True
        self._streak += 1
        self._epoch = now
        pause = self._pause(now, retry_after)
        self._gate.close(now + pause)
        self._pace.hold(now + pause)
        return pause

    def _pause(self, now: float, retry_after: float | None) -> float:
        """Seconds for which nobody of this lane sends."""
        s = self._settings
        if retry_after is not None and (retry_after > s.window or s.gate == "strict"):
            return min(s.pause_most, self._later(retry_after))
        # A shorter one binds only the call that was told it: for the others the window, and
        # small steps towards it, were found to waste less than a number in whole seconds.
        oldest = self._accepts.oldest(now)
        # When our own oldest accepted request leaves the window there is room for one.
        reopen = 0.0 if oldest is None else oldest + s.window - now + self._random.random() * s.pause_base
        backoff = s.pause_base * 2.0 ** min(self._streak - 1, 30)
        spread = 0.5 + self._random.random()
        return min(spread * min(s.pause_cap, backoff), max(s.pause_base, reopen))

    def _later(self, retry_after: float) -> float:
        return retry_after * (1 + 0.1 * self._random.random())

    def _maybe_forget(self, now: float) -> None:
        """After a long time without a 429 or a queue, be as fast as if there had been none."""
        if now - self._epoch < self._settings.forget or self._settings.ceiling is not None:
            return
        if len(self._line) == 0 and not self._gate.half_open:
            self._on = self._was_on = False
