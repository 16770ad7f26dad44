"""Things that belong to one event loop each."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from typing import Any

from safekv.connection._loops import LoopLocal, PerLoop


class Thing:
    """``made`` and ``closed`` are by loop."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.closed = 0

    async def close(self) -> None:
        assert asyncio.get_running_loop() is self.loop
        await asyncio.sleep(0)
        self.closed += 1


async def close(thing: Thing) -> None:
    await thing.close()


def test_local_to_each_loop() -> None:
    local: LoopLocal[object] = LoopLocal(object)

    async def main() -> list[object]:
        return [local.get(), local.get()]

    first, second = asyncio.run(main()), asyncio.run(main())
    assert first[0] is first[1]
    assert first[0] is not second[0]
    assert len(local._values) == 1  # the loop that ended is forgotten


def test_the_end_of_a_loop_closes() -> None:
    per_loop = PerLoop(Thing, close)
    things: list[Thing] = []

    async def main() -> None:
        got = await asyncio.gather(*(per_loop.get() for _ in range(5)))
        assert len(set(map(id, got))) == 1
        assert got[0].closed == 0
        things.append(got[0])

    for _ in range(3):
        asyncio.run(main())
    assert len(set(map(id, things))) == 3
    assert [thing.closed for thing in things] == [1, 1, 1]
    assert per_loop._entries == {}


def test_closing_by_hand() -> None:
    per_loop = PerLoop(Thing, close)

    async def main() -> None:
        thing = await per_loop.get()
        await per_loop.aclose()
        await per_loop.aclose()
        assert thing.closed == 1
        again = await per_loop.get()
        assert again is not thing
        assert (again.closed, thing.closed) == (0, 1)

    asyncio.run(main())
    asyncio.run(per_loop.aclose())


def test_closing_from_another_loop() -> None:
    per_loop = PerLoop(Thing, close)
    ready = threading.Event()
    things: list[Thing] = []

    async def elsewhere() -> None:
        things.append(await per_loop.get())
        ready.set()
        for _ in range(400):
            await asyncio.sleep(0.005)
            if things[0].closed:
                break

    async def here() -> None:
        mine = await per_loop.get()
        await per_loop.aclose()
        assert mine.closed == 1

    thread = threading.Thread(target=lambda: asyncio.run(elsewhere()))
    thread.start()
    ready.wait(5)
    asyncio.run(here())
    thread.join(5)
    assert things[0].closed == 1


def test_a_loop_that_was_closed_without_a_word() -> None:
    per_loop = PerLoop(Thing, close)
    loop = asyncio.new_event_loop()
    thing = loop.run_until_complete(per_loop.get())
    loop.close()

    async def main() -> Any:
        return await per_loop.get()

    other = asyncio.new_event_loop()
    other.run_until_complete(per_loop.get())
    assert list(per_loop._entries) == [other]
    other.run_until_complete(other.shutdown_asyncgens())
    other.close()
    assert asyncio.run(main()) is not thing
    asyncio.run(per_loop.aclose())


def test_one_that_cannot_be_made_is_tried_again() -> None:
    answers: list[Any] = [OSError("not now"), "thing"]

    def make() -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def no_close(_: object) -> None:
        pass

    per_loop: PerLoop[Any] = PerLoop(make, no_close)

    async def main() -> Any:
        try:
            await per_loop.get()
        except OSError:
            return await per_loop.get()

    assert asyncio.run(main()) == "thing"


def test_forgetting_it_closes_what_is_open() -> None:
    things: list[Thing] = []

    async def main() -> None:
        per_loop = PerLoop(Thing, close)
        things.append(await per_loop.get())
        gone = weakref.ref(per_loop)
        del per_loop
        gc.collect()
        assert gone() is None
        for _ in range(5):
            await asyncio.sleep(0)
        assert things[0].closed == 1

    asyncio.run(main())


def test_a_child_leaves_the_parents_alone() -> None:
    per_loop = PerLoop(Thing, close)
    things: list[Thing] = []

    async def main() -> None:
        things.append(await per_loop.get())
        per_loop.after_fork()
        assert await per_loop.get() is not things[0]
        await per_loop.aclose()
        assert things[0].closed == 0

    asyncio.run(main())
