"""What holds for a lane whatever its callers and its clock do."""

from __future__ import annotations

import math
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from safekv.resilience._lane import Lane, LaneSettings, Priority, Refused, Ticket


class Clock:
    """Goes where it is told to, backwards too."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


class AnyLane(RuleBasedStateMachine):
    """Callers come, wait, send, fail, vanish; the clock jumps about."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.lane = Lane(LaneSettings(max_queue=20), self.clock, Random(7))
        self.waiting: list[Ticket] = []
        self.granted: list[Ticket] = []
        self.flying: list[Ticket] = []
        self.jumped = False

    def _pick(self, tickets: list[Ticket], which: int) -> Ticket:
        return tickets.pop(which % len(tickets))

    @rule(
        cost=st.sampled_from([1, 1, 1, 4, 8]),
        bulk=st.booleans(),
        retry=st.booleans(),
        patience=st.sampled_from([0.5, 5.0, 30.0, math.inf]),
    )
    def enters(self, cost: int, bulk: bool, retry: bool, patience: float) -> None:
        ticket = self.lane.enter(
            cost=cost,
            priority=Priority.BULK if bulk else Priority.INTERACTIVE,
            deadline=self.clock.now + patience,
            retry=retry,
        )
        if isinstance(ticket, Ticket):
            self.waiting.append(ticket)
        else:
            assert ticket.retry_in > patience or ticket.reason == "queue full"

    @precondition(lambda self: self.waiting)
    @rule(which=st.integers(0, 100))
    def polls(self, which: int) -> None:
        ticket = self._pick(self.waiting, which)
        wait = self.lane.poll(ticket)
        if isinstance(wait, Refused):
            return
        if wait == 0:
            self.granted.append(ticket)
            return
        assert wait > 0
        assert self.jumped or self.clock.now + wait <= ticket.deadline + 1e-6
        self.waiting.append(ticket)

    @precondition(lambda self: self.granted)
    @rule(which=st.integers(0, 100))
    def sends(self, which: int) -> None:
        ticket = self._pick(self.granted, which)
        if self.lane.sent(ticket):
            self.flying.append(ticket)

    @precondition(lambda self: self.flying)
    @rule(which=st.integers(0, 100), end=st.sampled_from(["ok", "ok", "429", "429", "RA", "5xx", "leave"]))
    def ends(self, which: int, end: str) -> None:
        ticket = self._pick(self.flying, which)
        if end == "ok":
            self.lane.accepted(ticket)
        elif end == "429":
            assert self.lane.throttled(ticket) == 0
        elif end == "RA":
            assert 3.0 <= self.lane.throttled(ticket, 3.0) <= 3.3
        elif end == "5xx":
            self.lane.failed(ticket)
        else:
            self.lane.leave(ticket)
        self.lane.leave(ticket)  # as a driver's finally does
        assert self.lane._gate._probe is not ticket

    @rule(which=st.integers(0, 100))
    def gives_up(self, which: int) -> None:
        for tickets in (self.waiting, self.granted):
            if tickets:
                ticket = self._pick(tickets, which)
                self.lane.leave(ticket)
                assert self.lane._gate._probe is not ticket

    @rule(seconds=st.floats(0, 5))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(seconds=st.sampled_from([-1e6, -30.0, -0.1, 3_600.0, 1e7]))
    def the_clock_jumps(self, seconds: float) -> None:
        self.clock.now += seconds
        self.jumped = True

    @invariant()
    def the_books_are_right(self) -> None:
        status = self.lane.status()
        assert self.lane._pace.tokens >= 0
        assert status.pause_left >= 0
        assert math.isfinite(status.pause_left)
        assert status.interactive + status.bulk <= 20
        assert status.rate is None or 0 < status.rate < 1e6
        for fifo in (*self.lane._line._interactive, *self.lane._line._bulk):
            assert fifo.cost >= fifo.count >= 0

    @invariant()
    def never_two_probes(self) -> None:
        probe = self.lane._gate._probe
        out = [ticket for ticket in (*self.waiting, *self.granted, *self.flying) if ticket is probe]
        assert len(out) <= 1
        assert probe is None or out

    def teardown(self) -> None:
        """Everybody who still waits is granted or refused, if others come back with their answers."""
        for ticket in (*self.granted, *self.flying):
            self.lane.leave(ticket)
        for _ in range(5_000):
            if not self.waiting:
                break
            waits = []
            for ticket in list(self.waiting):
                wait = self.lane.poll(ticket)
                if wait == 0:
                    self.lane.sent(ticket)
                    self.lane.accepted(ticket)
                if wait == 0 or isinstance(wait, Refused):
                    self.waiting.remove(ticket)
                else:
                    waits.append(wait)
            self.clock.now += min(waits, default=0.0)
        assert not self.waiting
        assert len(self.lane._line) == 0


TestAnyLane = AnyLane.TestCase
TestAnyLane.settings = settings(max_examples=80, stateful_step_count=60)
