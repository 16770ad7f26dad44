"""Discrete events on virtual time. A task is a generator that yields seconds to sleep."""

from __future__ import annotations

import heapq
from collections.abc import Generator
from random import Random

Task = Generator[float, None, None]


class Group:
    """Tasks that die together, as the threads of a process do."""

    alive = True


class World:
    """The clock, the dice and the queue of events."""

    def __init__(self, seed: int) -> None:
        self.now = 0.0
        self.random = Random(seed)
        self.events = 0
        self._queue: list[tuple[float, int, Task, Group]] = []
        self._count = 0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 1_700_000_000 + self.now

    def start(self, task: Task, group: Group, after: float = 0.0) -> None:
        self._count += 1
        heapq.heappush(self._queue, (self.now + after, self._count, task, group))

    def run(self, until: float) -> None:
        queue, count = self._queue, self._count
        while queue and queue[0][0] <= until:
            at, _, task, group = queue[0]
            self.now = at
            self.events += 1
            if not group.alive:
                heapq.heappop(queue)
                task.close()
                continue
            try:
                delay = next(task)
            except StopIteration:
                heapq.heappop(queue)
                continue
            count += 1
            heapq.heapreplace(queue, (self.now + delay, count, task, group))
        self._count = count
        self.now = max(self.now, min(until, self.now) if not queue else until)
