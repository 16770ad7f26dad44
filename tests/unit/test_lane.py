"""The lane's promises, with a clock and dice that the test holds."""

from __future__ import annotations

import threading
import time
from itertools import pairwise
from random import Random

import pytest

from safekv.resilience._gate import PROBE_LOST
from safekv.resilience._lane import Lane, LaneSettings, Priority, Refused, Ticket


class Clock:
    """Goes where it is told to, backwards too."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


class Dice:
    """Always the middle."""

    def random(self) -> float:
        return 0.5


def lane_of(clock: Clock, **settings: object) -> Lane:
    return Lane(LaneSettings(**settings), clock, Dice())  # type: ignore[arg-type]


def granted(lane: Lane, clock: Clock, **options: object) -> Ticket:
    """A ticket whose turn has come, having slept as told."""
    ticket = lane.enter(**options)  # type: ignore[arg-type]
    assert isinstance(ticket, Ticket)
    wait = lane.poll(ticket)
    while wait != 0:
        assert isinstance(wait, float)
        assert wait > 0
        clock.now += wait
        wait = lane.poll(ticket)
    return ticket


def send(lane: Lane, clock: Clock, **options: object) -> Ticket:
    ticket = granted(lane, clock, **options)
    lane.sent(ticket)
    return ticket


def busy(lane: Lane, clock: Clock, *, per_second: int = 40, seconds: int = 10) -> None:
    """Have so much accepted."""
    for _ in range(per_second * seconds):
        lane.accepted(send(lane, clock))
        clock.now += 1 / per_second


def throttle(lane: Lane, clock: Clock, retry_after: float | None = None) -> float:
    return lane.throttled(send(lane, clock), retry_after)


def reopened(lane: Lane, clock: Clock) -> None:
    lane.accepted(send(lane, clock))
    assert not lane.status().probing


def test_a_lane_that_was_never_throttled_limits_nothing() -> None:
    clock = Clock()
    lane = lane_of(clock)
    tickets = [lane.enter() for _ in range(10_000)]
    assert all(isinstance(ticket, Ticket) and lane.poll(ticket) == 0 for ticket in tickets)
    assert not lane.status().on


def test_the_idle_path_takes_no_lock() -> None:
    lane = lane_of(Clock())
    lane._lock = _Forbidden()  # type: ignore[assignment]
    for _ in range(200):
        ticket = lane.enter()
        assert isinstance(ticket, Ticket)
        assert lane.poll(ticket) == 0
        lane.sent(ticket)
        lane.accepted(ticket)
        lane.leave(ticket)


class _Real:
    monotonic = staticmethod(time.monotonic)
    time = staticmethod(time.time)


class _Forbidden:
    def __enter__(self) -> None:
        raise AssertionError("the lock was taken")

    def __exit__(self, *_: object) -> None: ...


def test_the_first_cut_is_to_the_share_that_was_accepted() -> None:
    clock = Clock()
    lane = lane_of(clock)
    busy(lane, clock, per_second=40)
    throttle(lane, clock)
    assert lane.status().on
    clock.now += lane.status().pause_left
    assert lane.status().rate == pytest.approx(40 * 0.95, rel=0.05)


def test_the_rate_climbs_back_and_beyond_while_it_is_used() -> None:
    clock = Clock()
    lane = lane_of(clock)
    busy(lane, clock, per_second=40)
    throttle(lane, clock)
    clock.now += lane.status().pause_left
    rates = []
    for _ in range(18 * 40):
        lane.accepted(send(lane, clock))
        rates.append(lane.status().rate or 0.0)
    assert min(rates) == pytest.approx(38, rel=0.06)
    assert rates[-1] > 44
    assert all(later >= earlier - 1.0 for earlier, later in pairwise(rates))


def test_an_unused_rate_does_not_grow_without_bounds() -> None:
    clock = Clock()
    lane = lane_of(clock)
    busy(lane, clock, per_second=40)
    throttle(lane, clock)
    reopened(lane, clock)
    clock.now += 50
    lane.accepted(send(lane, clock))
    assert (lane.status().rate or 0.0) < 60


def test_echoes_of_one_event_cut_once() -> None:
    clock = Clock()
    lane = lane_of(clock)
    busy(lane, clock)
    flying = [send(lane, clock) for _ in range(20)]
    clock.now += 0.01
    for ticket in flying:
        lane.throttled(ticket)
    assert lane.status().throttled == 20
    clock.now += lane.status().pause_left
    assert (lane.status().rate or 0.0) > 35


def test_one_probe_at_a_time_and_it_opens_the_gate() -> None:
    clock = Clock()
    lane = lane_of(clock)
    busy(lane, clock)
    throttle(lane, clock)
    probe = send(lane, clock)
    other = lane.enter()
    assert isinstance(other, Ticket)
    for _ in range(10):
        clock.now += 0.05
        assert lane.poll(other) != 0
    lane.accepted(probe)
    assert lane.poll(other) == 0


@pytest.mark.parametrize("end", ["leave", "leave before sending", "failed", "throttled"])
def test_a_probe_that_comes_to_nothing_is_handed_back(end: str) -> None:
    clock = Clock()
    lane = lane_of(clock)
    busy(lane, clock)
    throttle(lane, clock)
    probe = granted(lane, clock)
    assert lane.status().probing
    if end == "leave before sending":
        lane.leave(probe)
    else:
        lane.sent(probe)
        getattr(lane, end)(probe)
    assert not lane.status().probing
    reopened(lane, clock)


def test_leaving_waits_for_no_lock() -> None:
    """The garbage collector closes a coroutine in whichever thread it runs, which may be inside of the lane."""
    clock = Clock()
    lane = lane_of(clock)
    lane.throttled(send(lane, clock))
    probe = send(lane, clock)
    waiting = lane.enter()
    assert isinstance(waiting, Ticket)
    assert (lane.status().probing, lane.status().interactive) == (True, 1)
    with lane._lock:
        for ticket in (probe, waiting, probe):
            lane.leave(ticket)
    assert (lane.status().probing, lane.status().interactive) == (False, 0)
    assert isinstance(lane.enter(), Ticket)


def test_a_probe_whose_caller_vanished_is_given_up() -> None:
    clock = Clock()
    lane = lane_of(clock)
    busy(lane, clock)
    throttle(lane, clock)
    send(lane, clock)
    started = clock.now
    reopened(lane, clock)
    assert PROBE_LOST < clock.now - started < PROBE_LOST + 5


def test_a_failed_probe_is_no_second_cut() -> None:
    clock = Clock()
    lane = lane_of(clock)
    busy(lane, clock)
    throttle(lane, clock)
    before = lane._pace.reference
    for _ in range(5):
        throttle(lane, clock)
    assert lane._pace.reference == before


def test_what_cannot_be_in_time_is_refused_at_once() -> None:
    clock = Clock()
    lane = lane_of(clock, gate="strict")
    busy(lane, clock)
    throttle(lane, clock, retry_after=8.0)
    refused = lane.enter(deadline=clock.now + 5)
    assert isinstance(refused, Refused)
    assert refused.reason == "deadline"
    assert 8 <= refused.retry_in < 10
    assert isinstance(lane.enter(deadline=clock.now + 10), Ticket)


def test_what_can_no_longer_be_in_time_is_refused_while_it_waits() -> None:
    clock = Clock()
    lane = lane_of(clock, gate="strict")
    busy(lane, clock)
    flying = send(lane, clock)
    throttle(lane, clock, retry_after=1.0)
    waiting = lane.enter(deadline=clock.now + 5)
    assert isinstance(waiting, Ticket)
    probe = send(lane, clock)
    lane.throttled(probe, retry_after=20.0)
    assert isinstance(lane.poll(waiting), Refused)
    assert lane.status().interactive == 0
    lane.leave(waiting)
    lane.leave(flying)


def test_the_queue_is_bounded() -> None:
    clock = Clock()
    lane = lane_of(clock, max_rate=10.0, max_queue=5)
    tickets = [lane.enter() for _ in range(5)]
    assert all(isinstance(ticket, Ticket) for ticket in tickets)
    refused = lane.enter()
    assert isinstance(refused, Refused)
    assert refused.reason == "queue full"


def order(lane: Lane, clock: Clock, waiting: dict[str, Ticket]) -> str:
    """The names in the order of their grants, everybody polling all the time."""
    names = ""
    waiting = dict(waiting)
    while waiting:
        for name, ticket in list(waiting.items()):
            if lane.poll(ticket) == 0:
                names += name
                del waiting[name]
        clock.now += 0.001
    return names


def enter(lane: Lane, **options: object) -> Ticket:
    ticket = lane.enter(**options)  # type: ignore[arg-type]
    assert isinstance(ticket, Ticket)
    return ticket


def test_first_come_first_served_and_retries_before_them() -> None:
    clock = Clock()
    lane = lane_of(clock, max_rate=10.0)
    waiting = {name: enter(lane, retry=name in "xy") for name in "abxcy"}
    assert order(lane, clock, waiting) == "xyabc"


def test_interactive_goes_first_and_bulk_keeps_a_tenth() -> None:
    clock = Clock()
    lane = lane_of(clock, max_rate=10.0)
    waiting = {str(n) + "b": enter(lane, priority=Priority.BULK) for n in range(10)}
    waiting |= {str(n) + "i": enter(lane) for n in range(40)}
    kinds = order(lane, clock, waiting)
    grants = [kind for kind in kinds if kind in "bi"]
    assert grants[:9] == ["i"] * 9
    assert grants[:40].count("b") == 4
    assert grants.count("b") == 10


def test_dear_ones_of_both_classes_do_not_wait_for_each_other_for_ever() -> None:
    clock = Clock()
    lane = lane_of(clock, max_rate=2.0)
    waiting = {f"{n}i": enter(lane, cost=8) for n in range(12)}
    waiting |= {f"{n}b": enter(lane, cost=4, priority=Priority.BULK) for n in range(3)}
    assert sorted(order(lane, clock, waiting)) == sorted("".join(waiting))


def test_weights() -> None:
    clock = Clock()
    lane = lane_of(clock, max_rate=4.0)
    began = clock.now
    for _ in range(5):
        lane.accepted(send(lane, clock, cost=8))
    assert clock.now - began == pytest.approx(5 * 8 / 4, abs=0.5)


def test_the_lane_waits_for_its_window_and_the_call_for_its_own_retry_after() -> None:
    clock = Clock()
    lane = lane_of(clock)
    busy(lane, clock, per_second=4, seconds=10)
    own = throttle(lane, clock, retry_after=9.0)
    assert 9.0 <= own <= 9.9
    assert lane.status().pause_left < 2.0  # our oldest accept is about to leave the window


def test_a_retry_after_beyond_the_window_is_obeyed_by_all() -> None:
    clock = Clock()
    lane = lane_of(clock)
    busy(lane, clock)
    throttle(lane, clock, retry_after=60.0)
    assert 60 <= lane.status().pause_left <= 66


def test_but_not_for_ever() -> None:
    clock = Clock()
    lane = lane_of(clock)
    busy(lane, clock)
    assert throttle(lane, clock, retry_after=86_400.0) >= 86_400
    assert lane.status().pause_left == 120


def test_a_strict_gate_obeys_always() -> None:
    clock = Clock()
    lane = lane_of(clock, gate="strict")
    busy(lane, clock)
    throttle(lane, clock, retry_after=9.0)
    assert lane.status().pause_left >= 9.0


def test_max_rate_share_and_min_rate() -> None:
    clock = Clock()
    assert lane_of(clock, max_rate=7.0).status().rate == 7.0
    assert lane_of(clock, limit=4000.0, share=1 / 8).status().rate == pytest.approx(0.97 * 50)
    lane = lane_of(clock, min_rate=30.0)
    for _ in range(50):
        throttle(lane, clock)
        reopened(lane, clock)
    assert (lane.status().rate or 0.0) >= 30.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"window": 0.0},
        {"max_rate": -1.0},
        {"min_rate": 0.0},
        {"share": 1.5, "limit": 10.0},
        {"share": 0.5},
        {"gate": "open"},
        {"max_queue": 0},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        LaneSettings(**wrong)  # type: ignore[arg-type]


def test_a_lane_forgets() -> None:
    clock = Clock()
    lane = lane_of(clock)
    busy(lane, clock)
    throttle(lane, clock)
    reopened(lane, clock)
    clock.now += 61
    lane.accepted(send(lane, clock))
    assert not lane.status().on


def test_thousands_of_waiters_poll_rarely() -> None:
    clock = Clock()
    lane = lane_of(clock, max_rate=400.0)
    agenda = [(0.0, number, enter(lane)) for number in range(3_000)]
    polls, start = 0, clock.now
    while agenda:
        agenda.sort(key=lambda due: due[:2], reverse=True)
        for at, number, ticket in [agenda.pop() for _ in range(min(100, len(agenda)))]:
            clock.now = max(clock.now, start + at)
            polls += 1
            wait = lane.poll(ticket)
            if wait:
                assert isinstance(wait, float)
                agenda.append((clock.now - start + wait, number, ticket))
    assert clock.now - start == pytest.approx(3_000 / 400, rel=0.1)
    assert polls < 3_000 * 12


def test_threads_share_one_lane() -> None:
    lane = Lane(LaneSettings(max_rate=1_000.0), _Real(), Random(1))
    done = []

    def work() -> None:
        for _ in range(20):
            ticket = lane.enter()
            assert isinstance(ticket, Ticket)
            while wait := lane.poll(ticket):
                assert isinstance(wait, float)
                time.sleep(wait)
            lane.sent(ticket)
            lane.accepted(ticket)
            done.append(1)

    threads = [threading.Thread(target=work) for _ in range(16)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 320
    assert time.monotonic() - began >= 0.3
    assert lane.status().interactive == 0
