"""Who is served, who reads, who waits: the cache's decisions at every age of an entry."""

from __future__ import annotations

import pytest
from cache_help import KEY, Desk

from safekv.cache._cache import Do
from safekv.cache._entry import Key, State
from safekv.cache._events import (
    RefreshFailed,
    SecretChange,
    SecretExpired,
    SecretNotYetValid,
    SecretRead,
    ServedStale,
)


def state(desk: Desk, key: Key = KEY) -> State:
    entry = desk.cache.entries.get(key)
    return State.GONE if entry is None else entry.state(desk.clock.monotonic())


def test_a_life() -> None:
    desk = Desk()
    first = desk.ask()
    assert first.do is Do.LEAD
    assert first.entry is None
    desk.land(first.flight)
    for age, expected in ((0, State.FRESH), (239, State.FRESH), (240, State.REFRESHING), (299.9, State.REFRESHING)):
        desk.advance(age - desk.clock.monotonic())
        assert state(desk) is expected
        assert desk.value() == "value of v1"
    desk.advance(0.1)
    assert state(desk) is State.EXPIRED  # nobody tried to renew it, so nothing excuses serving it
    assert desk.ask().do is Do.LEAD
    desk.advance(3600)
    assert state(desk) is State.GONE


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_it_expires_up_to_a_fifth_early(chance: float) -> None:
    desk = Desk(chance)
    desk.fill()
    entry = desk.cache.entries[KEY]
    assert entry.refresh_at == pytest.approx(300 * (1 - 0.2 * chance) * 0.8)
    assert entry.fresh_until == 300  # no value is served for longer than the ttl, nor for less


def test_one_refresh_while_readers_go_on() -> None:
    desk = Desk()
    desk.fill()
    desk.advance(250)
    steps = [desk.ask() for _ in range(20)]
    assert [step.do for step in steps] == [Do.SERVE] * 20
    assert [step.refresh for step in steps].count(True) == 1
    flight = desk.refresh()
    assert flight is not None
    assert desk.refresh() is None
    desk.advance(20)
    assert not desk.ask().refresh
    desk.land(flight, "v2")
    assert desk.value() == "value of v2"
    assert desk.cache.entries[KEY].began == 250


def test_a_refresh_that_nobody_carries_out_is_asked_for_again() -> None:
    desk = Desk()
    desk.fill()
    desk.advance(250)
    assert desk.ask().refresh
    assert not desk.ask().refresh
    desk.advance(1)
    assert desk.ask().refresh


def test_a_refresh_that_is_no_longer_needed_is_not_made() -> None:
    desk = Desk()
    assert desk.refresh() is None
    desk.fill()
    assert desk.refresh() is None
    assert desk.cache.begin_refresh(KEY, 1, always=True) is not None  # as a watch does


def test_a_failed_refresh_is_tried_again_ever_later() -> None:
    desk = Desk()
    desk.fill()
    desk.advance(250)
    waits = []
    for _ in range(9):
        flight = desk.refresh()
        desk.fail(flight)
        assert not desk.ask().refresh
        waits.append(desk.cache.entries[KEY].retry_at - desk.clock.monotonic())
        desk.advance(waits[-1])
        step = desk.ask()
        assert (step.do, step.refresh) == (Do.SERVE, True)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_the_vault_says_when() -> None:
    desk = Desk()
    desk.fill()
    desk.advance(250)
    desk.fail(desk.refresh(), retry_in=30)
    assert desk.cache.entries[KEY].retry_at == 280
    desk.advance(30)
    desk.fail(desk.refresh(), retry_in=86_400)
    assert desk.cache.entries[KEY].retry_at == 340  # not longer than our own waits


def test_stale_after_a_failed_refresh_for_an_hour_and_no_longer() -> None:
    desk = Desk()
    desk.fill()
    desk.advance(250)
    desk.fail(desk.refresh())
    served = 0
    while desk.clock.monotonic() < 300 + 3600 - 60:
        step = desk.ask()
        assert step.do is Do.SERVE
        served += 1
        if step.refresh:
            desk.fail(desk.refresh())
        desk.advance(30)
    desk.advance(3900 - desk.clock.monotonic())
    assert desk.ask().do is Do.LEAD
    assert desk.cache.info().stale_serves > 100
    assert [type(event) for event in desk.events].count(ServedStale) == 1  # told once, not at every read


def test_a_failure_long_ago_excuses_nothing() -> None:
    desk = Desk()
    desk.fill()
    desk.advance(250)
    desk.fail(desk.refresh())
    desk.advance(600)
    assert state(desk) is State.EXPIRED
    step = desk.ask()
    assert step.do is Do.LEAD
    assert step.entry is not None  # it may stand in if that fails as well


def test_a_read_that_has_something_to_fall_back_on_is_impatient() -> None:
    desk = Desk()
    desk.fill()
    desk.advance(301)
    step = desk.ask()
    assert step.flight is not None
    assert step.flight.timeout == 5
    desk.fail(step.flight)
    call = desk.cache.call(30)
    entry = desk.cache.stand_in(KEY, call, "ConnectionError")
    assert entry is not None
    (event,) = [event for event in desk.events if isinstance(event, ServedStale)]
    assert event == ServedStale("vault", "name", "v1", 301, "ConnectionError")
    assert desk.ask().do is Do.SERVE


def test_nothing_stands_in_without_max_stale() -> None:
    desk = Desk(max_stale=0)
    desk.fill()
    desk.advance(250)
    desk.fail(desk.refresh())
    assert desk.value() == "value of v1"
    desk.advance(50)
    step = desk.ask()
    assert step.do is Do.LEAD
    assert step.entry is None


@pytest.mark.parametrize("missing", [False, True])
def test_what_will_not_pass_drops_the_entry(missing: bool) -> None:
    desk = Desk()
    desk.fill()
    desk.fill("v1", Key("name", "v1"))
    desk.fill("w", Key("other"))
    desk.advance(250)
    desk.fail(desk.refresh(), transient=False, missing=missing)
    assert Key("name", "v1") not in desk.cache.entries
    assert desk.value(Key("other")) == "value of w"
    assert desk.ask().do is (Do.DENY if missing else Do.LEAD)
    assert desk.events[-1] == RefreshFailed("vault", "name", "ConnectionError", 1, True, None)


def test_absence_is_remembered_for_a_moment() -> None:
    desk = Desk()
    error = KeyError("none")
    desk.fail(desk.ask().flight, transient=False, missing=True, error=error)
    for _ in range(5):
        step = desk.ask()
        assert step.do is Do.DENY
        assert step.entry is not None
        assert step.entry.error is error
    assert desk.ask(max_age=0).do is Do.LEAD
    desk.advance(5)
    assert desk.ask(Key("name", "v9")).do is Do.LEAD
    assert desk.cache.info().negative_hits == 5


def test_absence_is_not_remembered_if_so_wished() -> None:
    desk = Desk(negative_ttl=0)
    desk.fail(desk.ask().flight, transient=False, missing=True)
    assert desk.ask().do is Do.LEAD


def test_a_version_is_kept_long_and_looked_at_again_in_the_background() -> None:
    desk = Desk(1.0)
    key = Key("name", "v1")
    desk.fill("v1", key)
    desk.advance(2879)
    assert state(desk, key) is State.PINNED
    assert not desk.ask(key).refresh
    desk.advance(1)
    step = desk.ask(key)
    assert (step.do, step.refresh) == (Do.SERVE, True)
    desk.advance(4000)
    step = desk.ask(key)
    assert (step.do, step.refresh) == (Do.SERVE, True)  # it is still right
    desk.fail(desk.refresh(key), transient=False)
    assert desk.ask(key).do is Do.LEAD  # but no longer ours


def test_a_version_is_not_kept_for_ever_unseen() -> None:
    desk = Desk()
    key = Key("name", "v1")
    desk.fill("v1", key)
    desk.advance(7200)
    assert desk.ask(key).do is Do.LEAD


def test_a_value_is_read_again_when_it_expires() -> None:
    desk = Desk()
    desk.fill(expires_in=10)
    desk.advance(8)
    assert desk.ask().refresh
    desk.advance(2)
    assert desk.ask().do is Do.LEAD


def test_dates_are_told_and_do_not_make_it_read_all_the_time() -> None:
    desk = Desk()
    desk.fill(expires_in=-60, valid_in=30)
    assert desk.events == [
        SecretRead("vault", "name", "v1", False),
        SecretExpired("vault", "name", "v1", 60),
        SecretNotYetValid("vault", "name", "v1", 30),
    ]
    desk.advance(100)
    assert desk.value() == "value of v1"


def test_the_age_that_a_caller_accepts() -> None:
    desk = Desk()
    desk.fill()
    desk.advance(60)
    assert desk.value(max_age=60) == "value of v1"
    assert desk.ask(max_age=59).do is Do.LEAD
    desk = Desk()
    desk.fill()
    desk.advance(301)
    step = desk.ask(max_age=1000)  # it only ever asks for more than the ttl does
    assert step.do is Do.LEAD
    assert step.entry is None  # and is never answered with what is older


def test_the_least_recently_used_goes() -> None:
    desk = Desk(max_entries=3)
    for name in "abc":
        desk.fill("v", Key(name))
        desk.advance(1)
    assert desk.value(Key("a")) == "value of v"
    desk.advance(1)
    desk.fill("v", Key("d"))
    assert sorted(key.name for key in desk.cache.entries) == ["a", "c", "d"]
    info = desk.cache.info()
    assert (info.evictions, info.entries, info.max_entries) == (1, 3, 3)
    assert info.hits == 1  # what was counted stays counted


def test_changes_are_seen_across_invalidation_and_absence() -> None:
    desk = Desk()
    assert desk.fill("v1") is None
    assert desk.fill("v1") is None
    desk.cache.written("name")
    assert desk.fill("v2") == SecretChange("vault", "name", "v1", "v2")
    gone = desk.fail(desk.ask(max_age=0).flight, transient=False, missing=True)
    assert gone == SecretChange("vault", "name", "v2", None)
    assert desk.fill("v3") == SecretChange("vault", "name", None, "v3")
    assert desk.fill("v1", Key("name", "v1")) is None
    assert desk.fail(desk.ask(Key("new")).flight, transient=False, missing=True) is None
    assert desk.fail(desk.ask(max_age=0).flight, transient=False) is None


def test_no_value_in_a_repr() -> None:
    desk = Desk()
    desk.fill("hunter2")
    step = desk.ask()
    assert "value of" not in repr([desk.cache, desk.events, desk.cache.info()]) + repr(step.entry)
