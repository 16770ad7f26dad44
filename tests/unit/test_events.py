"""Hooks: who is told, and what a hook that fails can do."""

from __future__ import annotations

import logging

import pytest

from safekv._events import Event, GaveUp, Throttled, emit, subscribe

EVENT = Throttled("my.vault.azure.net", "get_secret", "secrets", None, 1)


def test_every_hook_is_told_until_it_is_taken_off() -> None:
    first: list[Event] = []
    second: list[Event] = []
    off = subscribe(first.append), subscribe(second.append)
    emit(EVENT)
    off[0]()
    off[0]()
    emit(GaveUp("v", "get_secret", "secrets", "throttled", 3, 1.5, 2.0))
    off[1]()
    emit(EVENT)
    assert first == [EVENT]
    assert [type(event) for event in second] == [Throttled, GaveUp]


def test_a_hook_that_fails_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def broken(event: Event) -> None:
        raise RuntimeError("no disk")

    seen: list[Event] = []
    off = subscribe(broken), subscribe(seen.append)
    with caplog.at_level(logging.WARNING, "safekv"):
        emit(EVENT)
    for each in off:
        each()
    assert seen == [EVENT]
    assert "A hook failed on Throttled" in caplog.text
