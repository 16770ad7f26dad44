"""The thread for what nobody waits for, and the tasks."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import Iterator

import pytest

from safekv.connection import _background, _tasks
from safekv.connection._background import Background

VALUE: contextvars.ContextVar[str] = contextvars.ContextVar("value", default="none")


@pytest.fixture
def background() -> Iterator[Background]:
    background = Background()
    yield background
    background.stop()


class Again:
    """Due as often as it is told."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.done = 0

    def remaining(self) -> float:
        return 0.0 if self.done < self.times else 1e9

    def __call__(self) -> None:
        self.done += 1


def test_jobs_are_done_in_order_by_one_thread(background: Background) -> None:
    done: list[tuple[int, str]] = []
    for number in range(50):
        assert background.submit(lambda number=number: done.append((number, threading.current_thread().name)))
    assert background.drain()
    assert done == [(number, "safekv-background") for number in range(50)]


def test_a_job_that_raises_is_reported_and_the_next_is_done(
    background: Background, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[int] = []
    for error in (ValueError("of a job"), SystemExit("of another")):

        def fail(error: BaseException = error) -> None:
            raise error

        background.submit(fail)
    background.submit(lambda: done.append(1))
    assert background.drain()
    assert done == [1]
    assert "of a job" in caplog.text
    assert "of another" in caplog.text


def test_draining_takes_no_longer_than_it_may(background: Background) -> None:
    let = threading.Event()
    background.submit(lambda: let.wait(10))
    assert not background.drain(0.05)
    let.set()
    assert background.drain()
    assert Background().drain(0)


def test_what_repeats_is_done_when_it_is_due(background: Background) -> None:
    again, other = Again(3), Again(1)
    background.repeat(again)
    background.repeat(other)
    assert background.drain()
    assert (again.done, other.done) == (3, 1)
    background.cancel(other)
    other.times = again.times = 10
    assert background.drain()
    assert (again.done, other.done) == (10, 1)


def test_it_ends_with_the_process_and_does_nothing_more(background: Background) -> None:
    let, done = threading.Event(), []
    background.submit(lambda: let.wait(10))
    background.submit(lambda: done.append(1))
    threading.Timer(0.05, let.set).start()
    background.stop(5)
    assert not done
    assert not background.submit(lambda: done.append(2))
    assert not background.repeat(Again(1))
    assert not done


def test_stopping_waits_only_so_long(background: Background) -> None:
    let = threading.Event()
    background.submit(lambda: let.wait(10))
    before = time.monotonic()
    background.stop(0.05)
    assert time.monotonic() - before < 5
    let.set()


def test_a_thread_that_cannot_be_started_fails_nobody(background: Background, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert not background.submit(lambda: None)
    monkeypatch.undo()
    assert background.submit(lambda: None)
    assert background.drain()


def test_it_ends_when_there_is_nothing_to_do(background: Background, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_background, "IDLE", 0.01)
    background.submit(lambda: None)
    thread = background._thread
    assert thread is not None
    thread.join(5)
    assert not thread.is_alive()
    done: list[int] = []
    background.submit(lambda: done.append(1))
    assert background.drain()
    assert done == [1]


def test_a_child_begins_with_nothing(background: Background, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading.Thread, "start", lambda _: None)  # as after a fork: the thread is not there
    background.submit(lambda: None)
    background.repeat(Again(5))
    assert not background.drain(0)
    background.after_fork()
    assert background._thread is None
    assert background.drain(0)
    monkeypatch.undo()


def test_tasks_have_a_context_of_their_own_and_can_be_waited_for() -> None:
    seen: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0.01)
        seen.append(VALUE.get())

    async def main() -> None:
        VALUE.set("the caller's")
        _tasks.start(work())
        assert not await _tasks.drain(0)
        assert await _tasks.drain()

    asyncio.run(main())
    assert seen == ["none"]


def test_tasks_end_with_their_loop() -> None:
    ended: list[str] = []

    async def endless() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("cancelled")

    async def main() -> None:
        _tasks.start(endless())
        await asyncio.sleep(0)

    asyncio.run(main())
    assert ended == ["cancelled"]
    assert not _tasks._RUNNING


def test_a_repeating_task_goes_on_after_an_error(caplog: pytest.LogCaptureFixture) -> None:
    class Job(Again):
        async def __call__(self) -> None:  # type: ignore[override]
            self.done += 1
            if self.done == 1:
                raise ValueError("of a task")

    async def main() -> None:
        job = Job(3)
        task = _tasks.repeat(job)
        await asyncio.sleep(0.05)
        assert job.done == 3
        assert await _tasks.drain()  # which does not wait for its end
        task.cancel()
        await asyncio.sleep(0.01)
        assert not _tasks._REPEATING

    asyncio.run(main())
    assert "of a task" in caplog.text
