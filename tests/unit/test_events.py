"""Hooks: who is told, and what a hook that fails can do."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from safekv import _events
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


@pytest.fixture
def _switching_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_switching_often")
def test_threads_that_come_and_go_take_no_others_hook_along() -> None:
    before = _events.hooks
    others = [subscribe(lambda event: None) for _ in range(1_000)]  # many: replacing them takes long
    kept: list[list[Event]] = [[] for _ in range(4)]
    starts = threading.Barrier(4)

    def comes_and_goes(number: int) -> None:
        starts.wait(10)
        for off in others[number::4]:
            off()
        offs.append(subscribe(kept[number].append))

    offs: list[Callable[[], None]] = []
    threads = [threading.Thread(target=comes_and_goes, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    emit(EVENT)
    assert kept == [[EVENT]] * 4
    for off in offs:
        off()
    assert _events.hooks == before
