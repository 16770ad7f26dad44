"""One call's decisions, for any sequence of misfortunes."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from safekv._clock import VirtualClock
from safekv.resilience._breaker import Breaker, BreakerSettings
from safekv.resilience._budget import Budget, BudgetSettings
from safekv.resilience._flow import Denied, Flow, Outcome, RetryLimits
from safekv.resilience._lane import Lane, LaneSettings, Priority

FAULTS = (408, 500, 502, 503, 504)


class Fixed:
    def __init__(self, value: float) -> None:
        self.value = value

    def random(self) -> float:
        return self.value


class Vault:
    """What the calls of one process share."""

    def __init__(self, chance: float = 0.0, **knobs: Any) -> None:
        self.clock = VirtualClock(0)
        self.random: Any = Fixed(chance)
        self.lane = Lane(LaneSettings(**knobs), self.clock, Random(1))
        self.breaker = Breaker(BreakerSettings(), self.clock, self.random)
        self.budget = Budget(BudgetSettings(), self.clock)

    def flow(self, timeout: float = 30, **changes: Any) -> Flow:
        given = {"repeatable": True, "limits": RetryLimits(), **changes}
        deadline = self.clock.monotonic() + timeout
        return Flow(
            self.lane, self.breaker, self.budget, deadline=deadline, clock=self.clock, random=self.random, **given
        )

    def attempt(self, flow: Flow, end: Any) -> float | None:
        """One attempt that ends so: a status, (status, Retry-After) or an Outcome."""
        while wait := flow.poll():
            assert not isinstance(wait, Denied)
            self.clock.advance(wait)
        flow.sent()
        again = (
            flow.failed(end)
            if isinstance(end, Outcome)
            else flow.answered(*(end if isinstance(end, tuple) else (end,)))
        )
        flow.leave()
        return again

    def run(self, flow: Flow, *ends: Any) -> list[float | None]:
        """What a flow answers to a number of endings, sleeping as it says."""
        answers: list[float | None] = []
        for end in ends:
            answers.append(self.attempt(flow, end))
            if answers[-1] is None:
                break
            self.clock.advance(answers[-1])
        return answers


def test_success_is_the_end() -> None:
    vault = Vault()
    flow = vault.flow()
    assert vault.attempt(flow, 200) is None
    assert (flow.attempts, flow.repeats) == (1, 0)


def test_a_429_is_paced_by_the_lane() -> None:
    vault = Vault()
    flow = vault.flow()
    assert vault.attempt(flow, 429) == 0
    wait = flow.poll()
    assert isinstance(wait, float)
    assert wait > 0
    assert vault.lane.status().throttled == 1


def test_a_call_never_undercuts_its_own_retry_after() -> None:
    vault = Vault()
    assert vault.attempt(vault.flow(), (429, 7.0)) >= 7.0  # type: ignore[operator]


@pytest.mark.parametrize("timeout", [5, 30])
def test_a_retry_after_beyond_the_deadline_is_the_end(timeout: float) -> None:
    vault = Vault()
    flow = vault.flow(timeout)
    assert vault.attempt(flow, (429, timeout + 1.0)) is None
    assert vault.clock.monotonic() == 0


def test_a_turn_after_the_deadline_is_denied_at_once() -> None:
    vault = Vault(max_rate=0.1)
    assert vault.flow(60).poll() == pytest.approx(5, abs=6)
    denied = vault.flow(5).poll()
    assert isinstance(denied, Denied)
    assert denied.reason == "deadline"
    assert denied.retry_in > 5


@pytest.mark.parametrize("status", FAULTS)
@pytest.mark.parametrize(("chance", "expected"), [(0.0, [0.1, 0.2, 0.4]), (0.999999, [0.2, 0.4, 0.8])])
def test_faults_are_repeated_three_times(status: int, chance: float, expected: list[float]) -> None:
    vault = Vault(chance)
    answers = vault.run(vault.flow(), *[status] * 5)
    assert answers[:-1] == pytest.approx(expected, rel=1e-5)
    assert answers[-1] is None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 501, 505])
def test_other_answers_are_the_callers(status: int) -> None:
    vault = Vault()
    assert vault.attempt(vault.flow(), status) is None
    assert vault.attempt(vault.flow(), (status, 1.0)) is None


def test_a_503_may_say_when_to_come_back() -> None:
    vault = Vault()
    assert vault.attempt(vault.flow(), (503, 2.5)) == 2.5


def test_statuses_of_the_callers_own() -> None:
    vault = Vault()
    limits = RetryLimits(extra_statuses=frozenset({409}))
    assert vault.attempt(vault.flow(limits=limits), 409) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("outcome", "repeatable", "attempts"),
    [
        (Outcome.NOT_SENT, True, 4),
        (Outcome.NOT_SENT, False, 4),
        (Outcome.UNKNOWN, True, 4),
        (Outcome.UNKNOWN, False, 1),
        (Outcome.TIMED_OUT, False, 1),
        (Outcome.PERMANENT, True, 1),
        (Outcome.OURS, False, 4),
    ],
)
def test_what_brought_no_answer(outcome: Outcome, repeatable: bool, attempts: int) -> None:
    vault = Vault()
    flow = vault.flow(repeatable=repeatable)
    vault.run(flow, *[outcome] * 9)
    assert flow.attempts == attempts


def test_a_status_is_not_repeated_for_what_may_not_be() -> None:
    vault = Vault()
    assert vault.attempt(vault.flow(repeatable=False), 503) is None
    assert vault.attempt(vault.flow(repeatable=False), 429) == 0


def test_one_attempt_means_one() -> None:
    for end in (429, 503, Outcome.NOT_SENT, Outcome.OURS):
        vault = Vault()
        assert vault.attempt(vault.flow(limits=RetryLimits(total=0)), end) is None
    vault = Vault()
    flow = vault.flow(limits=RetryLimits(total=0))
    vault.attempt(flow, 409)
    assert flow.settling("409_being_deleted", 5, 0.5) is None


def test_settling_waits_longer_each_time() -> None:
    vault = Vault(0.999999)
    flow = vault.flow(60, limits=RetryLimits(cap=4))
    waits = []
    for _ in range(6):
        assert vault.attempt(flow, 409) is None
        waits.append(flow.settling("409_being_deleted", 5, 0.5))
    assert waits[:-1] == pytest.approx([0.5, 1, 2, 4, 4], rel=1e-4)
    assert waits[-1] is None


def test_a_vault_that_fails_in_a_row_is_left_alone() -> None:
    vault = Vault()
    for _ in range(5):
        vault.attempt(vault.flow(limits=RetryLimits(total=0)), 503)
    flow = vault.flow()
    wait = flow.poll()
    assert isinstance(wait, float)
    assert 0 < wait <= 0.5  # a short one is waited out ...
    vault.clock.advance(wait)
    assert flow.poll() == 0.0  # ... and then this is the probe
    other = vault.flow()
    polls = [other.poll()]
    while not isinstance(polls[-1], Denied):
        vault.clock.advance(polls[-1])
        polls.append(other.poll())
    assert sum(poll for poll in polls if isinstance(poll, float)) <= 1.0  # the others wait a second in all
    assert polls[-1].reason == "broken"
    flow.sent()
    assert flow.answered(200) is None
    assert vault.flow().poll() == 0.0


def test_a_turn_that_a_429_has_overtaken_is_void() -> None:
    """Between the turn and the request lies the wait for a connection."""
    vault = Vault()
    waiting = [vault.flow() for _ in range(30)]
    assert [flow.poll() for flow in waiting] == [0.0] * 30
    vault.clock.advance(0.1)
    assert vault.attempt(vault.flow(), 429) == 0
    rate = vault.lane.status().rate
    vault.clock.advance(0.01)
    assert not any(flow.sent() for flow in waiting)
    assert all(flow.poll() > 0 for flow in waiting)  # type: ignore[operator]
    assert vault.lane.status().interactive == 30
    assert vault.lane.status().rate == rate  # and not one cut for each of them


def test_an_isolated_vault_is_not_waited_for() -> None:
    vault = Vault()
    vault.breaker.isolate()
    denied = vault.flow().poll()
    assert denied == Denied(math.inf, "isolated")


def test_an_empty_budget_allows_no_repetition() -> None:
    vault = Vault()
    for _ in range(40):
        vault.budget.may_repeat(timeout=True)
    assert vault.attempt(vault.flow(), 503) is None
    assert vault.attempt(vault.flow(), 429) == 0


def test_bulk_and_costs_reach_the_lane() -> None:
    vault = Vault(max_rate=1)
    first = vault.flow(600, cost=8, priority=Priority.BULK)
    assert first.poll() > 0  # type: ignore[operator]
    status = vault.lane.status()
    assert (status.interactive, status.bulk) == (0, 1)
    first.leave()
    assert vault.lane.status().bulk == 0


class Misfortunes(RuleBasedStateMachine):
    """Several calls of one process, whatever happens to them."""

    @initialize(seed=st.integers(0, 5), rate=st.sampled_from([None, 2.0]))
    def begin(self, seed: int, rate: float | None) -> None:
        self.vault = Vault(0.5, max_rate=rate, max_queue=8)
        self.flows: list[tuple[Flow, float]] = []
        self.ready: list[tuple[Flow, float]] = []

    @rule(timeout=st.floats(0.1, 40), repeatable=st.booleans(), total=st.integers(0, 6))
    def calls(self, timeout: float, repeatable: bool, total: int) -> None:
        flow = self.vault.flow(timeout, repeatable=repeatable, limits=RetryLimits(total=total))
        self.flows.append((flow, self.vault.clock.monotonic() + timeout))

    @precondition(lambda self: self.flows)
    @rule(which=st.integers(0, 50))
    def polls(self, which: int) -> None:
        flow, deadline = self.flows.pop(which % len(self.flows))
        wait = flow.poll()
        if isinstance(wait, Denied):
            assert wait.retry_in >= 0
            flow.leave()
        elif wait == 0:
            self.ready.append((flow, deadline))
        else:
            assert self.vault.clock.monotonic() + wait <= deadline + 1e-6
            self.flows.append((flow, deadline))

    @precondition(lambda self: self.ready)
    @rule(
        which=st.integers(0, 50),
        end=st.sampled_from([200, 404, 429, 503, *Outcome, "cancelled"]),
        retry_after=st.none() | st.floats(0, 50),
    )
    def ends(self, which: int, end: Any, retry_after: float | None) -> None:
        flow, deadline = self.ready.pop(which % len(self.ready))
        again = None
        if end != "cancelled":
            if not flow.sent():  # a 429 came meanwhile
                self.flows.append((flow, deadline))
                return
            again = flow.failed(end) if isinstance(end, Outcome) else flow.answered(end, retry_after)
        flow.leave()
        if again is None:
            return
        assert again >= 0
        assert self.vault.clock.monotonic() + again < deadline
        if end == 429 and retry_after:
            assert again >= retry_after
        self.flows.append((flow, deadline))

    @rule(seconds=st.floats(0, 20))
    def time_passes(self, seconds: float) -> None:
        self.vault.clock.advance(seconds)

    @invariant()
    def nothing_is_lost(self) -> None:
        status = self.vault.lane.status()
        assert status.interactive + status.bulk <= 8
        held = [flow._ticket for flow, _ in (*self.flows, *self.ready)]
        probe = self.vault.lane._gate._probe
        assert probe is None or any(probe is ticket for ticket in held)
        probe = self.vault.breaker._gate._probe
        assert probe is None or any(probe is flow._pass for flow, _ in (*self.flows, *self.ready))

    def teardown(self) -> None:
        for flow, _ in (*self.flows, *self.ready):
            flow.leave()
        assert self.vault.lane.status().interactive == 0
        assert not self.vault.lane.status().probing


TestMisfortunes = Misfortunes.TestCase
TestMisfortunes.settings = settings(max_examples=100, stateful_step_count=50)
