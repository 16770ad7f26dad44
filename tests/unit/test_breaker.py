"""The breaker's promises, with a clock and dice that the test holds."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from safekv.resilience._breaker import Breaker, BreakerSettings, Broken, Pass


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


class Most:
    """The longest pauses."""

    def random(self) -> float:
        return 1.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(BreakerSettings(), clock, Most())


def passed(breaker: Breaker) -> Pass:
    it = breaker.enter()
    assert isinstance(it, Pass)
    return it


def broken(breaker: Breaker) -> Broken:
    it = breaker.enter()
    assert isinstance(it, Broken)
    return it


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.failed(passed(breaker))


def test_five_failures_in_a_row_close_it(breaker: Breaker) -> None:
    fail(breaker, 4)
    assert breaker.status().state == "closed"
    fail(breaker, 1)
    assert breaker.status().state == "open"
    assert broken(breaker).retry_in == pytest.approx(0.5)


def test_a_sign_of_life_between_them_counts(breaker: Breaker) -> None:
    for _ in range(10):
        fail(breaker, 4)
        breaker.alive(passed(breaker))
    assert breaker.status().openings == 0


def test_it_waits_longer_each_time_but_never_longer_than_the_cap(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 5)
    waits = []
    for _ in range(6):
        waits.append(broken(breaker).retry_in)
        clock.now += waits[-1]
        fail(breaker, 1)
    assert waits == pytest.approx([0.5, 1, 2, 4, 5, 5])


def test_one_probe_at_a_time_and_it_ends_the_matter(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 5)
    clock.now += 0.6
    probe = passed(breaker)
    assert breaker.status().state == "half open"
    assert broken(breaker).retry_in > 0
    breaker.alive(probe)
    assert breaker.status().state == "closed"
    fail(breaker, 4)
    assert breaker.status().state == "closed"


def test_a_probe_whose_caller_gives_up_is_handed_back(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 5)
    clock.now += 0.6
    breaker.leave(passed(breaker))
    breaker.leave(passed(breaker))
    passed(breaker)


def test_leaving_waits_for_no_lock_that_its_thread_has(breaker: Breaker, clock: Clock) -> None:
    """The garbage collector closes a coroutine in whichever thread it runs, which may be inside of the breaker."""
    fail(breaker, 5)
    clock.now += 0.6
    probe = passed(breaker)
    with breaker._lock:
        breaker.leave(probe)
    passed(breaker)


def test_echoes_of_the_same_outage_do_not_lengthen_it(breaker: Breaker) -> None:
    flying = [passed(breaker) for _ in range(50)]
    for it in flying:
        breaker.failed(it)
    assert breaker.status().openings == 1
    assert broken(breaker).retry_in <= 0.5


def test_an_answer_from_before_does_not_open_it(breaker: Breaker) -> None:
    old = passed(breaker)
    fail(breaker, 5)
    breaker.alive(old)
    assert breaker.status().state == "open"


def test_isolate_and_restore(breaker: Breaker, clock: Clock) -> None:
    flying = passed(breaker)
    breaker.isolate()
    breaker.alive(flying)
    clock.now += 1e6
    assert broken(breaker) == Broken(math.inf, isolated=True)
    assert breaker.status().state == "isolated"
    breaker.restore()
    passed(breaker)
    assert breaker.status().state == "closed"


class AnyBreaker(RuleBasedStateMachine):
    """Callers come, fail, vanish; somebody isolates; the clock jumps about."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breaker = Breaker(BreakerSettings(), self.clock, Random(3))
        self.flying: list[Pass] = []

    @rule()
    def enters(self) -> None:
        it = self.breaker.enter()
        if isinstance(it, Pass):
            self.flying.append(it)
        else:
            assert it.isolated or 0 < it.retry_in <= 5

    @precondition(lambda self: self.flying)
    @rule(which=st.integers(0, 100), end=st.sampled_from(["failed", "failed", "failed", "alive", "leave"]))
    def ends(self, which: int, end: str) -> None:
        it = self.flying.pop(which % len(self.flying))
        getattr(self.breaker, end)(it)
        self.breaker.leave(it)
        assert self.breaker._gate._probe is not it

    @rule(isolate=st.booleans())
    def somebody_decides(self, isolate: bool) -> None:
        (self.breaker.isolate if isolate else self.breaker.restore)()

    @rule(seconds=st.sampled_from([0.01, 0.3, 3.0, 6.0, -5.0, -1e6, 1e7]))
    def time_moves(self, seconds: float) -> None:
        self.clock.now += seconds

    @invariant()
    def at_most_one_probe(self) -> None:
        status = self.breaker.status()
        assert status.retry_in >= 0
        assert status.state == "isolated" or status.retry_in <= 5
        probe = self.breaker._gate._probe
        assert probe is None or sum(it is probe for it in self.flying) == 1

    def teardown(self) -> None:
        """However it went, a vault that is alive is soon reached."""
        self.breaker.restore()
        for it in self.flying:
            self.breaker.failed(it)
            self.breaker.leave(it)
        self.clock.now += 6
        self.breaker.alive(passed(self.breaker))
        assert self.breaker.status().state == "closed"


TestAnyBreaker = AnyBreaker.TestCase
TestAnyBreaker.settings = settings(max_examples=150, stateful_step_count=50)
