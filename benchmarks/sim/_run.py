"""One run: a fleet, a server, an event, and what came of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Generator
from dataclasses import dataclass, field

from benchmarks.sim._policies import SafekvLane, policy_of
from benchmarks.sim._servers import LIMIT, WINDOW, Server
from benchmarks.sim._world import Group, Task, World
from safekv.resilience._lane import LaneSettings, Priority

WARM_UP = 20.0
_LATENCY = 0.025


@dataclass(frozen=True)
class Scenario:
    """Everything that a run depends on."""

    policy: str = "safekv lane"
    processes: int = 10
    workers: int = 50
    interactive: int = 0  # workers of another kind in each process, who want to go first
    server: str = "sliding"
    retry_after: str = "none"
    demand: float = 2.0
    seconds: float = 120.0
    event: str = ""  # "leave", "dip" (a quarter of the limit for 30 s), "outage" (503 for 20 s)
    at: float = 63.0
    drain: int = 0  # operations in all, without thinking, instead of a duration
    deadline: float = 300.0
    seed: int = 1
    settings: LaneSettings = field(default_factory=LaneSettings)


@dataclass(frozen=True)
class Result:
    """What came of it. Waits in seconds."""

    scenario: Scenario
    goodput: float  # part of the limit
    throttled: float  # 429s per success
    exceptions: float  # per success
    surfaced: int
    p50: float
    p99: float
    interactive_p50: float
    interactive_p99: float
    jain: float
    undercut: int  # attempts before the call's own Retry-After
    t99: float  # when 99 % of a drain was done
    back: float  # from the end of the event until a 10 s mean is at 90 % of the limit
    into_outage: float  # requests per second and process sent while the server was down
    events: int


class Process(Group):
    """Workers that share a policy."""

    def __init__(self, fleet: Fleet, number: int) -> None:
        s = fleet.scenario
        self.number = number
        self.policy = policy_of(s.policy, fleet.world, fleet.server, s.processes, s.settings, s.deadline)
        self.done = 0


class Fleet:
    """All processes of a run."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.world = World(scenario.seed)
        self.server = Server(self.world, scenario.server, scenario.retry_after)
        self.waits: dict[Priority, list[float]] = {Priority.INTERACTIVE: [], Priority.BULK: []}
        self.finished: list[float] = []
        self.raised: list[float] = []
        self.began: dict[tuple[int, int], tuple[float, Priority]] = {}
        self.processes = [Process(self, number) for number in range(scenario.processes)]
        for process in self.processes:
            for worker in range(scenario.workers + scenario.interactive):
                self._start(process, worker)

    def _start(self, process: Process, worker: int) -> None:
        s, chance = self.scenario, self.world.random.random
        bulk = s.interactive > 0 and worker >= s.interactive
        priority = Priority.BULK if bulk else Priority.INTERACTIVE
        if s.drain:
            share, rest = divmod(s.drain, s.processes * s.workers)
            count = share + (process.number * s.workers + worker < rest)
            self.world.start(self._work(process, worker, priority, 0.0, count), process)
            return
        think = max(0.0, s.processes * s.workers * WINDOW / (s.demand * LIMIT) - _LATENCY)
        if s.interactive and not bulk:
            think = 1.0 * s.processes / 10  # a tenth of the demand, about: nobody of them has to wait long
        self.world.start(self._work(process, worker, priority, think, 0), process, after=chance() * max(think, 0.1))

    def _work(self, process: Process, worker: int, priority: Priority, think: float, count: int) -> Task:
        world, key, limited = self.world, (process.number, worker), count > 0
        if self.scenario.drain and not limited:
            return
        while True:
            start = world.now
            self.began[key] = (start, priority)
            yield from self._until_done(process, priority)
            del self.began[key]
            process.done += world.now >= WARM_UP
            self.finished.append(world.now)
            if world.now >= WARM_UP:
                self.waits[priority].append(world.now - start)
            if limited:
                count -= 1
                if not count:
                    return
            if think:
                yield world.random.expovariate(1 / think)

    def _until_done(self, process: Process, priority: Priority) -> Generator[float, None, None]:
        while not (yield from process.policy.call(priority)):
            self.raised.append(self.world.now)
            yield 1.0

    def happen(self) -> Task:
        s = self.scenario
        if s.event == "leave":
            for process in self.processes[len(self.processes) // 2 :]:
                process.alive = False
                self.began = {key: value for key, value in self.began.items() if key[0] != process.number}
        elif s.event == "dip":
            self.server.limit = LIMIT // 4
            yield 30.0
            self.server.limit = LIMIT
        elif s.event == "outage":
            self.server.down = True
            yield 20.0
            self.server.down = False


_EVENT_SECONDS = {"": 0.0, "leave": 0.0, "dip": 30.0, "outage": 20.0}


def run(scenario: Scenario) -> Result:
    """Simulate it."""
    fleet = Fleet(scenario)
    if scenario.event:
        fleet.world.start(fleet.happen(), Group(), after=scenario.at)
    until = 1_000.0 if scenario.drain else scenario.seconds
    fleet.world.run(until)
    return _measure(fleet, until)


def _measure(fleet: Fleet, until: float) -> Result:
    s, server = fleet.scenario, fleet.server
    start = 0.0 if s.drain else WARM_UP
    done = max(1, _between(server.accepted, start, until))
    ages = {priority: list(waits) for priority, waits in fleet.waits.items()}
    for began, priority in fleet.began.values():
        ages[priority].append(until - began)
    everything = ages[Priority.BULK] if s.interactive else ages[Priority.INTERACTIVE]
    end = s.at + _EVENT_SECONDS[s.event]
    return Result(
        scenario=s,
        goodput=done / ((until - start) * LIMIT / WINDOW),
        throttled=_between(server.rejected, start, until) / done,
        exceptions=_between(fleet.raised, start, until) / done,
        surfaced=_between(fleet.raised, start, until),
        p50=_quantile(everything, 0.5),
        p99=_quantile(everything, 0.99),
        interactive_p50=_quantile(ages[Priority.INTERACTIVE], 0.5),
        interactive_p99=_quantile(ages[Priority.INTERACTIVE], 0.99),
        jain=_jain([process.done for process in fleet.processes if process.alive]),
        undercut=sum(p.policy.undercut for p in fleet.processes if isinstance(p.policy, SafekvLane)),
        t99=sorted(fleet.finished)[int(0.99 * len(fleet.finished))] if s.drain else 0.0,
        back=_back(server.accepted, end, until) if s.event else 0.0,
        into_outage=_between(server.arrived, s.at, end) / 20 / s.processes if s.event == "outage" else 0.0,
        events=fleet.world.events,
    )


def _between(times: list[float], start: float, end: float) -> int:
    return bisect_left(times, end) - bisect_left(times, start)


def _quantile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(part * len(values)))] if values else 0.0


def _jain(shares: list[int]) -> float:
    squares = sum(share * share for share in shares)
    return sum(shares) ** 2 / (len(shares) * squares) if squares else 1.0


def _back(accepted: list[float], end: float, until: float) -> float:
    """Seconds after ``end`` from which the next 10 s see 90 % of the limit."""
    for step in range(int((until - 10 - end) * 4)):
        start = end + step / 4
        if _between(accepted, start, start + 10) >= 0.9 * LIMIT * 10 / WINDOW:
            return step / 4
    return float("inf")
