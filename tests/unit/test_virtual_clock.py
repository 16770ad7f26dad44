"""Time that is moved by hand."""

from __future__ import annotations

import threading
import time

import pytest

from safekv._clock import SYSTEM_CLOCK, SYSTEM_RANDOM, VirtualClock


def test_it_stands_still() -> None:
    clock = VirtualClock(1000.0)
    assert (clock.time(), clock.monotonic()) == (1000.0, 0.0)
    time.sleep(0.002)
    assert clock.time() == 1000.0
    assert clock.advance(1.5) == clock.time() == 1001.5
    assert clock.monotonic() == 1.5


def test_it_begins_now() -> None:
    assert VirtualClock().time() == pytest.approx(time.time(), abs=5)


def test_it_may_run_along() -> None:
    clock = VirtualClock(1000.0, running=True)
    before = clock.monotonic()
    time.sleep(0.005)
    assert clock.monotonic() - before >= 0.004
    clock.advance(100)
    assert clock.time() > 1100.0


@pytest.mark.parametrize("seconds", [-1, -1e-9, float("inf"), float("nan")])
def test_only_forward(seconds: float) -> None:
    clock = VirtualClock(0)
    with pytest.raises(ValueError, match="finite number of seconds"):
        clock.advance(seconds)
    assert clock.monotonic() == 0


def test_threads_lose_no_step() -> None:
    clock = VirtualClock(0)
    threads = [threading.Thread(target=lambda: [clock.advance(1) for _ in range(500)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.monotonic() == 4000


def test_the_machines_own() -> None:
    assert SYSTEM_CLOCK.time() == pytest.approx(time.time(), abs=1)
    assert SYSTEM_CLOCK.monotonic() == pytest.approx(time.monotonic(), abs=1)
    assert 0 <= SYSTEM_RANDOM.random() < 1
