"""One read at a time, in order: who joins whom, and what a write in between does."""

from __future__ import annotations

import threading

import pytest
from cache_help import KEY, Desk

from safekv.cache._cache import Do
from safekv.cache._entry import Key
from safekv.cache._store import Store


def test_all_join_the_one_that_reads() -> None:
    desk = Desk()
    first = desk.ask()
    others = [desk.ask() for _ in range(99)]
    assert {step.do for step in others} == {Do.JOIN}
    assert {step.flight for step in others} == {first.flight}
    desk.land(first.flight)
    assert first.flight is not None
    assert first.flight.entry is not None
    assert first.flight.ended.is_set()
    assert desk.value() == "value of v1"


def test_keys_do_not_wait_for_each_other() -> None:
    desk = Desk()
    keys = [KEY, Key("name", "v1"), Key("other")]
    assert [desk.ask(key).do for key in keys] == [Do.LEAD] * 3


def test_a_forced_read_joins_only_what_began_after_it() -> None:
    desk = Desk()
    running = desk.ask()
    forced = desk.cache.call(30, 0)
    step = desk.cache.decide(KEY, forced)
    assert (step.do, step.flight) == (Do.WAIT, running.flight)
    another = desk.cache.call(30, 0)
    desk.land(running.flight)
    step = desk.cache.decide(KEY, forced)
    assert step.do is Do.LEAD  # at the same moment of the clock, and still not the same read
    assert desk.cache.decide(KEY, another).do is Do.JOIN
    desk.land(step.flight, "v2")
    served = desk.cache.decide(KEY, another)
    assert served.do is Do.SERVE  # it came too late to join, but what was read is young enough
    assert desk.ask(max_age=0).do is Do.LEAD


def test_an_age_limit_joins_a_flight_that_is_young_enough() -> None:
    desk = Desk()
    desk.ask()
    desk.advance(10)
    assert desk.ask(max_age=10).do is Do.JOIN
    assert desk.ask(max_age=9).do is Do.WAIT


def test_a_read_that_was_under_way_during_a_write_is_not_kept_and_not_joined() -> None:
    desk = Desk()
    before = desk.ask()
    joined = desk.ask()
    desk.cache.written("name")
    after = desk.ask()
    assert (joined.do, after.do) == (Do.JOIN, Do.WAIT)
    desk.land(before.flight, "old")
    assert before.flight is not None
    assert before.flight.entry is not None  # for those who were there before the write
    step = desk.ask()
    assert step.do is Do.LEAD
    desk.land(step.flight, "new")
    assert desk.value() == "value of new"


def test_a_background_refresh_that_was_under_way_during_a_write_is_not_kept() -> None:
    desk = Desk()
    desk.fill()
    desk.advance(250)
    flight = desk.refresh()
    desk.cache.written("name")
    assert desk.ask().do is Do.WAIT
    desk.land(flight, "v1")
    assert KEY not in desk.cache.entries


@pytest.mark.parametrize("name", ["name", None])
def test_a_write_concerns_all_versions_and_no_other_name(name: str | None) -> None:
    desk = Desk()
    desk.fill()
    desk.fill("v1", Key("name", "v1"))
    desk.fill("w", Key("other"))
    reading = desk.ask(Key("third"))
    desk.cache.written(name)
    assert set(desk.cache.entries) == (set() if name is None else {Key("other")})
    assert desk.ask(Key("third")).do is (Do.WAIT if name is None else Do.JOIN)
    desk.land(reading.flight)


def test_absence_that_was_read_before_a_write_is_not_remembered() -> None:
    desk = Desk()
    step = desk.ask()
    desk.cache.written("name")
    desk.fail(step.flight, transient=False, missing=True)
    assert desk.ask().do is Do.LEAD


def test_a_refusal_that_was_read_before_a_write_drops_what_is_kept_all_the_same() -> None:
    desk = Desk()
    desk.fill()
    desk.advance(250)
    flight = desk.refresh()
    assert flight is not None
    flight.joinable = False
    desk.fail(flight, transient=False)
    assert KEY not in desk.cache.entries


def test_a_cancelled_reader_leaves_it_to_the_next() -> None:
    desk = Desk()
    desk.fill()
    desk.advance(301)
    step = desk.ask()
    assert step.flight is not None
    desk.cache.abandoned(step.flight)
    assert step.flight.abandoned
    assert step.flight.ended.is_set()
    assert desk.cache.entries[KEY].failures == 0  # that says nothing of the vault
    assert desk.ask().do is Do.LEAD


def test_a_reader_that_does_not_come_back_is_given_up() -> None:
    desk = Desk()
    lost = desk.ask(timeout=1)
    desk.advance(31)
    assert desk.ask().do is Do.JOIN
    desk.advance(1)
    step = desk.ask()
    assert step.do is Do.LEAD
    desk.land(lost.flight, "old")  # if it does after all
    assert KEY not in desk.cache.entries
    desk.land(step.flight, "new")
    assert desk.value() == "value of new"


def test_everybody_is_told_once() -> None:
    desk = Desk()
    step = desk.ask()
    told: list[int] = []
    assert step.flight is not None
    for number in range(3):
        step.flight.when_ended(lambda number=number: told.append(number))
    desk.land(step.flight)
    step.flight.when_ended(lambda: told.append(3))
    step.flight.tell()
    assert sorted(told) == [0, 1, 2, 3]


def test_a_signal_handler_may_invalidate_whatever_it_interrupts(monkeypatch: pytest.MonkeyPatch) -> None:
    """On SIGHUP, say: it runs in the thread that is just in the cache, and must not wait for it."""
    desk = Desk(max_entries=2)
    cache = desk.cache

    def interrupt(key: Key) -> float:
        cache.written()
        return 0.0

    monkeypatch.setattr(Store, "_used", lambda _, key: interrupt(key))
    for name in "abc":
        desk.fill("v", Key(name))
    assert set(cache.entries) <= {Key("c")}


def test_hits_are_counted_in_many_threads() -> None:
    """As the doors count them: without a lock."""
    desk = Desk()
    desk.fill()
    entry = desk.cache.entries[KEY]

    def work() -> None:
        for _ in range(20_000):
            now = desk.cache.now()
            if now < entry.look_at:
                entry.used = now
                entry.hits += 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert desk.cache.info().hits == 80_000
