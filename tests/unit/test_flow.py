"""One call's decisions, for any sequence of misfortunes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safekv._clock import VirtualClock
from safekv.resilience._flow import Flow, Outcome, RetryLimits


class Fixed:
    def __init__(self, value: float) -> None:
        self.value = value

    def random(self) -> float:
        return self.value


def flow(clock: VirtualClock | None = None, chance: float = 0.0, **changes: Any) -> Flow:
    clock = clock or VirtualClock(0)
    given = {"repeatable": True, "deadline": clock.monotonic() + 30, "limits": RetryLimits(), **changes}
    return Flow(clock=clock, random=Fixed(chance), **given)


def waits(it: Flow, clock: VirtualClock, *events: Any) -> list[float | None]:
    """What a flow answers to a number of events, sleeping as it says."""
    answers: list[float | None] = []
    for event in events:
        wait = it.after_error(event) if isinstance(event, Outcome) else it.after_status(*event)
        answers.append(wait)
        if wait is None:
            break
        clock.advance(wait)
    return answers


@pytest.mark.parametrize(("chance", "expected"), [(0.0, [0.5, 1, 2, 4, 8, 8]), (0.999999, [1, 2, 4, 8])])
def test_throttled(chance: float, expected: list[float]) -> None:
    clock = VirtualClock(0)
    answers = waits(flow(clock, chance), clock, *[(429, None)] * 9)
    assert answers[:-1] == pytest.approx(expected, rel=1e-5)
    assert answers[-1] is None


def test_the_cap() -> None:
    clock = VirtualClock(0)
    answers = waits(flow(clock, 0.999999, deadline=1e6), clock, *[(429, None)] * 45)
    assert len(answers) == RetryLimits().total + 1
    assert answers[5:-1] == pytest.approx([16] * (len(answers) - 6), rel=1e-5)


def test_the_service_has_the_last_word_on_the_wait() -> None:
    it = flow()
    assert it.after_status(429, 7.0) == 7.0
    assert it.after_status(503, 0.25) == 0.25
    assert it.after_status(429, 29.999) == 29.999
    assert it.after_status(429, 30.0) is None


def test_a_spell_of_one_kind_does_not_lengthen_the_waits_of_another() -> None:
    it = flow()
    assert [it.after_status(429, None), it.after_status(429, None)] == [0.5, 1.0]
    assert it.after_status(503, None) == 0.1
    assert it.after_error(Outcome.NOT_SENT) == 0.1
    assert it.after_error(Outcome.UNKNOWN) == 0.1
    assert it.after_status(429, None) == 2.0
    assert it.attempts == 6


@pytest.mark.parametrize(
    ("event", "attempts"),
    [((503, None), 4), ((408, None), 4), (Outcome.NOT_SENT, 4), (Outcome.UNKNOWN, 4), (Outcome.PERMANENT, 1)]
    + [((status, None), 1) for status in (400, 401, 403, 404, 409, 418, 501, 505)],
)
def test_how_often(event: Any, attempts: int) -> None:
    clock = VirtualClock(0)
    assert len(waits(flow(clock), clock, *[event] * 50)) == attempts


@pytest.mark.parametrize(("event", "attempts"), [((503, None), 1), (Outcome.UNKNOWN, 1), (Outcome.NOT_SENT, 4)])
def test_what_must_not_be_repeated(event: Any, attempts: int) -> None:
    clock = VirtualClock(0)
    assert len(waits(flow(clock, repeatable=False), clock, *[event] * 9)) == attempts
    assert len(waits(flow(clock, repeatable=False), clock, *[(429, 0.001)] * 9)) == 9


def test_limits() -> None:
    clock = VirtualClock(0)
    for limits, event, attempts in (
        (RetryLimits(total=0), (429, None), 1),
        (RetryLimits(total=2), (429, 0.1), 3),
        (RetryLimits(throttled=1), (429, 0.1), 2),
        (RetryLimits(status=0), (500, None), 1),
        (RetryLimits(not_sent=9), Outcome.NOT_SENT, 10),
        (RetryLimits(extra_statuses=frozenset({404})), (404, None), 4),
    ):
        assert len(waits(flow(clock, limits=limits), clock, *[event] * 20)) == attempts


EVENTS = st.one_of(
    st.sampled_from(list(Outcome)),
    st.tuples(
        st.sampled_from([200, 400, 404, 408, 429, 500, 502, 503, 504]),
        st.none() | st.floats(min_value=0, exclude_min=True, allow_nan=False, allow_infinity=False),
    ),
)
LIMITS = st.builds(
    RetryLimits,
    total=st.integers(-1, 12),
    not_sent=st.integers(0, 5),
    unknown=st.integers(0, 5),
    status=st.integers(0, 5),
    throttled=st.none() | st.integers(0, 5),
    throttle_base=st.floats(0, 100),
    fault_base=st.floats(-10, 100),
    cap=st.floats(0, 1000),
)


@given(
    st.lists(EVENTS, max_size=60),
    LIMITS,
    st.floats(0, 0.999999),
    st.floats(0, 1e6),
    st.booleans(),
    st.lists(st.floats(0, 10), max_size=60),
)
def test_never_past_the_deadline_never_negative_never_too_often(
    events: list[Any], limits: RetryLimits, chance: float, seconds: float, repeatable: bool, took: list[float]
) -> None:
    clock = VirtualClock(0)
    it = flow(clock, chance, limits=limits, deadline=seconds, repeatable=repeatable)
    repeated = 0
    for number, event in enumerate(events):
        clock.advance(took[number] if number < len(took) else 0)
        wait = it.after_error(event) if isinstance(event, Outcome) else it.after_status(*event)
        if wait is None:
            break
        repeated += 1
        assert wait >= 0
        assert clock.monotonic() + wait <= seconds
        clock.advance(wait)
    assert repeated <= max(0, limits.total)


def test_remaining() -> None:
    clock = VirtualClock(0)
    it = flow(clock)
    assert it.remaining() == 30
    clock.advance(31)
    assert it.remaining() == -1
    assert it.after_status(429, None) is None
