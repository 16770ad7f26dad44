"""Who goes first, who waits, and for how long: threads and tasks at the gate and at the slots."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from safekv.connection._apolicy import AsyncSlots, AsyncWarmUpGate
from safekv.connection._policy import Slots, WarmUpGate
from safekv.errors import DeadlineExceeded


class Call:
    """As much of a call as the slots know."""

    def __init__(self, remaining: float) -> None:
        self._remaining = remaining
        self.flow = self

    def remaining(self) -> float:
        return self._remaining

    def too_late(self) -> DeadlineExceeded:
        return DeadlineExceeded("too late")


def call(remaining: float) -> Any:
    return Call(remaining)


def in_thread(work: Any) -> Any:
    result: list[Any] = []
    thread = threading.Thread(target=lambda: result.append(work()))
    thread.start()
    thread.join(10)
    return result[0]


def test_one_leads_and_the_next_only_after_it() -> None:
    gate = WarmUpGate()
    first = gate.enter(1)
    assert first is not None
    assert in_thread(lambda: gate.enter(0.01)) is None
    first.end()
    assert in_thread(lambda: gate.enter(0.01)) is not None


def test_an_open_gate_stops_nobody() -> None:
    gate = WarmUpGate()
    first = gate.enter(1)
    assert first is not None
    first.opens(None)()
    assert gate.enter(1) is None
    assert gate.enter(0) is None
    assert not gate._lock.locked()


@pytest.mark.parametrize("patience", [0, -1, 0.01])
def test_patience_ends(patience: float) -> None:
    gate = WarmUpGate()
    first = gate.enter(1)
    assert first is not None
    begin = time.monotonic()
    assert gate.enter(patience) is None
    assert time.monotonic() - begin < 0.5


def test_tasks_at_the_gate() -> None:
    gate = AsyncWarmUpGate()

    async def main() -> None:
        first = await gate.enter(1)
        assert first is not None
        assert await gate.enter(0.01) is None
        assert await gate.enter(-1) is None
        waiting = [asyncio.ensure_future(gate.enter(5)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        first.end()
        second = await waiting[1]
        assert second is not None
        gate.is_open = True
        second.end()
        assert await waiting[2] is None
        assert await gate.enter(0) is None

    asyncio.run(main())


def test_each_loop_has_its_own_leader() -> None:
    gate = AsyncWarmUpGate()

    async def lead() -> bool:
        return await gate.enter(0.1) is not None  # and never leaves

    assert asyncio.run(lead())
    assert asyncio.run(lead())


def test_so_many_at_once() -> None:
    slots = Slots(2)
    slots.take(call(1))
    slots.take(call(1))
    begin = time.monotonic()
    for remaining in (0.05, 0.0, -1.0):
        with pytest.raises(DeadlineExceeded):
            slots.take(call(remaining))
    assert time.monotonic() - begin < 0.5
    slots.give_back()
    slots.take(call(0))


@pytest.mark.parametrize("remaining", [float("inf"), 1e12])
def test_a_call_without_a_deadline_waits_until_it_is_its_turn(remaining: float) -> None:
    slots = Slots(1)
    slots.take(call(1))
    threading.Timer(0.05, slots.give_back).start()
    slots.take(call(remaining))


def test_a_child_has_all_slots() -> None:
    slots = Slots(1)
    slots.take(call(1))
    slots.after_fork()
    slots.take(call(0))


def test_tasks_at_the_slots() -> None:
    slots = AsyncSlots(2)

    async def main() -> None:
        held = [await slots.take(call(0)), await slots.take(call(0))]
        for remaining in (0.02, 0.0, -1.0):
            with pytest.raises(DeadlineExceeded):
                await slots.take(call(remaining))
        waiting = [asyncio.ensure_future(slots.take(call(5))) for _ in range(3)]
        await asyncio.sleep(0.01)
        waiting[0].cancel()
        held[0].release()
        held[1].release()
        others = [await task for task in waiting[1:]]
        with pytest.raises(DeadlineExceeded):
            await slots.take(call(0.01))
        for semaphore in others:
            semaphore.release()
        await slots.take(call(0))
        await slots.take(call(0))

    asyncio.run(main())


def test_a_loop_that_ends_gives_its_slots_back() -> None:
    slots = AsyncSlots(1)

    async def take() -> None:
        await slots.take(call(0))  # and never gives it back

    asyncio.run(take())
    asyncio.run(take())
