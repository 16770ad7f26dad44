"""What a process does with a call: safekv's lane, and the peers.

A policy answers True (done) or False (it gave up and the application got an exception).
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Protocol

from benchmarks.sim._botocore import BotocoreAdaptive
from benchmarks.sim._servers import LIMIT, WINDOW, Answer, Server
from benchmarks.sim._world import World
from safekv.resilience._breaker import Breaker, BreakerSettings
from safekv.resilience._budget import Budget, BudgetSettings
from safekv.resilience._flow import Denied, Flow, RetryLimits
from safekv.resilience._lane import Lane, LaneSettings, Priority

Outcome = Generator[float, None, bool]


class Policy(Protocol):
    """One process's client."""

    def call(self, priority: Priority) -> Outcome: ...


class SafekvLane:
    """The real decisions, driven as the policies in ``safekv.connection`` drive them."""

    def __init__(self, world: World, server: Server, settings: LaneSettings, deadline: float, fifo: bool) -> None:
        self._world = world
        self._server = server
        self._deadline = deadline
        self._fifo = fifo
        self.lane = Lane(settings, world, world.random)
        self.breaker = Breaker(BreakerSettings(), world, world.random)
        self.budget = Budget(BudgetSettings(), world)
        self.undercut = 0  # attempts sent before the call's own Retry-After

    def call(self, priority: Priority) -> Outcome:
        world, not_before = self._world, 0.0
        flow = self._flow(Priority.INTERACTIVE if self._fifo else priority)
        while True:
            try:
                while wait := flow.poll():
                    if isinstance(wait, Denied):
                        return False
                    yield wait
                assert flow.sent()  # nothing lies between turn and request here
                self.undercut += world.now < not_before
                answer = yield from self._server.request()
                again = flow.answered(answer.status, answer.retry_after)
            finally:
                flow.leave()
            if again is None:
                return answer.status == 200
            not_before = world.now + (answer.retry_after or 0.0)
            yield again

    def _flow(self, priority: Priority) -> Flow:
        return Flow(
            self.lane,
            self.breaker,
            self.budget,
            repeatable=True,
            deadline=self._world.now + self._deadline,
            limits=RetryLimits(),
            clock=self._world,
            random=self._world.random,
            priority=priority,
        )


class Attempts:
    """Clients that try a number of times and sleep between. ``sleep(n, answer)``: seconds, or None to give up."""

    def __init__(self, world: World, server: Server, sleep: Callable[[World, int, Answer], float | None]) -> None:
        self._world = world
        self._server = server
        self._sleep = sleep

    def call(self, priority: Priority) -> Outcome:
        tries = 0
        while True:
            answer = yield from self._server.request()
            if answer.status == 200:
                return True
            tries += 1
            seconds = self._sleep(self._world, tries, answer)
            if seconds is None:
                return False
            yield seconds


def azure_get(world: World, tries: int, answer: Answer) -> float | None:
    """azure-core's defaults for GET, PUT and DELETE: 3 retries after 0, 1.6 and 3.2 s."""
    if tries > 3:
        return None
    return answer.retry_after if answer.retry_after is not None else (0.0, 1.6, 3.2)[tries - 1]


def azure_post(world: World, tries: int, answer: Answer) -> float | None:
    """The same for POST and PATCH: a 429 without Retry-After is not retried."""
    return None if answer.status == 429 and answer.retry_after is None else azure_get(world, tries, answer)


def documented(world: World, tries: int, answer: Answer) -> float | None:
    """Microsoft's advice: 1, 2, 4, 8, 16 s."""
    if tries > 5:
        return None
    return answer.retry_after if answer.retry_after is not None else 2.0 ** (tries - 1)


def tenacity_jitter(world: World, tries: int, answer: Answer) -> float | None:
    """wait_random_exponential(multiplier=1, max=20), stop_after_attempt(6)."""
    if tries >= 6:
        return None
    return max(answer.retry_after or 0.0, world.random.random() * min(20.0, 2.0 ** (tries - 1)))


def stamina_defaults(world: World, tries: int, answer: Answer) -> float | None:
    """10 attempts, min(5, .1 * 2^n + U(0, 1)); its limit of 45 s is never reached before."""
    if tries >= 10:
        return None
    return max(answer.retry_after or 0.0, min(5.0, 0.1 * 2.0 ** (tries - 1) + world.random.random()))


class Oracle:
    """Somebody has told every process the limit and how many they are: 97 % of it, evenly paced."""

    def __init__(self, world: World, server: Server, processes: int) -> None:
        self._world = world
        self._server = server
        self._gap = WINDOW * processes / (0.97 * LIMIT)
        self._next = world.random.random() * self._gap

    def call(self, priority: Priority) -> Outcome:
        while True:
            at = max(self._world.now, self._next)
            self._next = at + self._gap
            yield at - self._world.now
            answer = yield from self._server.request()
            if answer.status == 200:
                return True


_PEERS = {
    "azure-core GET": azure_get,
    "azure-core POST": azure_post,
    "documented 1-2-4-8-16": documented,
    "tenacity full jitter": tenacity_jitter,
    "stamina defaults": stamina_defaults,
}
NAMES = (*_PEERS, "botocore adaptive", "safekv lane", "safekv lane, strict gate", "oracle")


def policy_of(
    name: str, world: World, server: Server, processes: int, settings: LaneSettings, deadline: float
) -> Policy:
    """A fresh policy for one process."""
    if name == "oracle":
        return Oracle(world, server, processes)
    if name == "botocore adaptive":
        return BotocoreAdaptive(world, server)
    if name in _PEERS:
        return Attempts(world, server, _PEERS[name])
    if name.endswith("strict gate"):
        settings = replace(settings, gate="strict")
    return SafekvLane(world, server, settings, deadline, fifo=name.endswith("FIFO"))
