"""What nobody waits for, on aio: tasks on the loop of whoever caused them, that end with it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import Context
from typing import Any

_RUNNING: set[asyncio.Task[Any]] = set()  # asyncio keeps only weak references to tasks


def start(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Have ``work`` done on the running loop, in a context of its own: it is no part of the caller's trace."""
    loop = asyncio.get_running_loop()
    task: asyncio.Task[Any] = Context().run(loop.create_task, work)
    _RUNNING.add(task)
    task.add_done_callback(_RUNNING.discard)
    return task


async def drain(timeout: float = 10.0) -> bool:
    """Wait until all that was started on this loop is done; False if that takes longer than ``timeout`` seconds."""
    loop, me = asyncio.get_running_loop(), asyncio.current_task()
    end = loop.time() + timeout
    while True:
        mine = [task for task in _RUNNING if task is not me and task.get_loop() is loop and not is_endless(task)]
        if not mine:
            return True
        _, late = await asyncio.wait(mine, timeout=max(0.0, end - loop.time()))
        if late:
            return False


def is_endless(task: asyncio.Task[Any]) -> bool:
    """Whether it goes on until it is cancelled; nobody can wait for its end."""
    return task.get_name().startswith("safekv-watch")
