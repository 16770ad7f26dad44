"""What nobody waits for, on aio: tasks on the loop of whoever caused them, that end with it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextvars import Context
from typing import Any, Protocol

logger = logging.getLogger("safekv")

#: Seconds after which a task looks again whether it is due: its clock may not be the machine's.
LOOK = 5.0
_REPEATING: dict[asyncio.Task[Any], Repeating] = {}
_RUNNING: set[asyncio.Task[Any]] = set()  # asyncio keeps only weak references to tasks


def start(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Have ``work`` done on the running loop, in a context of its own: it is no part of the caller's trace."""
    loop = asyncio.get_running_loop()
    task: asyncio.Task[Any] = Context().run(loop.create_task, work)
    _RUNNING.add(task)
    task.add_done_callback(_RUNNING.discard)
    return task


class Repeating(Protocol):
    """Something that is to be done again and again."""

    def remaining(self) -> float:
        """Seconds until it is due."""
        ...

    async def __call__(self) -> object: ...


def repeat(job: Repeating) -> asyncio.Task[Any]:
    """Have ``job`` done on the running loop whenever it is due, until the task is cancelled."""
    task = start(_repeat(job))
    _REPEATING[task] = job
    task.add_done_callback(_REPEATING.pop)
    return task


async def _repeat(job: Repeating) -> None:
    while True:
        wait = job.remaining()
        if wait > 0:
            await asyncio.sleep(min(wait, LOOK))
            continue
        try:
            await job()
        except Exception:
            logger.warning("A task in the background failed", exc_info=True)


async def drain(timeout: float = 10.0) -> bool:
    """Wait until all that is due on this loop is done; False if that takes longer than ``timeout`` seconds."""
    loop, me = asyncio.get_running_loop(), asyncio.current_task()
    end = loop.time() + timeout
    for task, job in list(_REPEATING.items()):
        if task.get_loop() is loop and job.remaining() <= 0:
            await job()
    while True:
        mine = [task for task in _RUNNING if task is not me and task.get_loop() is loop and task not in _REPEATING]
        if not mine:
            return True
        _, late = await asyncio.wait(mine, timeout=max(0.0, end - loop.time()))
        if late:
            return False
