"""The retry budget: cheap while failures are rare, firm when they are not."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from safekv.resilience._budget import Budget, BudgetSettings


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def budget(clock: Clock) -> Budget:
    return Budget(BudgetSettings(), clock)


def test_rare_failures_are_always_repeated(budget: Budget) -> None:
    for _ in range(200):
        assert budget.may_repeat()
        for _ in range(5):
            budget.succeeded()
    assert budget.tokens == 100


def test_below_half_only_the_floor_is_left(budget: Budget) -> None:
    assert [budget.may_repeat() for _ in range(10)] == [True] * 10
    assert budget.tokens == 50
    assert [budget.may_repeat() for _ in range(20)] == [True] * 10 + [False] * 10


def test_timeouts_cost_twice(budget: Budget) -> None:
    for _ in range(5):
        assert budget.may_repeat(timeout=True)
    assert budget.tokens == 50


def test_the_floor_is_per_period(budget: Budget, clock: Clock) -> None:
    while budget.may_repeat():
        pass
    clock.now += 10.0
    assert [budget.may_repeat() for _ in range(12)] == [True] * 10 + [False] * 2


def test_successes_fill_it_again(budget: Budget) -> None:
    while budget.may_repeat():
        pass
    for _ in range(100):
        budget.succeeded()
    assert budget.tokens == 100
    assert budget.may_repeat()


class AnyBudget(RuleBasedStateMachine):
    """Failures, successes and a clock that jumps."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.budget = Budget(BudgetSettings(), self.clock)
        self.low: list[float] = []  # repetitions granted below half since the clock last jumped

    @rule(timeout=st.booleans())
    def fails(self, timeout: bool) -> None:
        granted = self.budget.may_repeat(timeout=timeout)
        if self.budget.tokens >= 50:
            assert granted
        elif granted:
            self.low.append(self.clock.now)
            assert sum(at > self.clock.now - 10 for at in self.low) <= 10

    @rule(times=st.integers(1, 40))
    def succeeds(self, times: int) -> None:
        for _ in range(times):
            self.budget.succeeded()

    @rule(seconds=st.floats(0, 4))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(seconds=st.sampled_from([-1e6, -20.0, 1e6]))
    def the_clock_jumps(self, seconds: float) -> None:
        self.clock.now += seconds
        self.low.clear()

    @invariant()
    def bounded(self) -> None:
        assert 0 <= self.budget.tokens <= 100
        assert len(self.budget._free) <= 10

    def teardown(self) -> None:
        """It is never closed for good."""
        self.clock.now += 11
        assert self.budget.may_repeat()


TestAnyBudget = AnyBudget.TestCase
TestAnyBudget.settings = settings(max_examples=100, stateful_step_count=60)
