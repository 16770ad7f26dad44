"""The goals, each with the runs that show it and the worst figure among them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from benchmarks.sim._cost import cost
from benchmarks.sim._run import Result, Scenario

SERVERS = ("sliding", "fixed")
SIZES = (1, 10, 100)
TOLD = ("exact", "random", "10")


@dataclass(frozen=True)
class Goal:
    """``limit`` is the least figure if ``least``, else the most."""

    name: str
    limit: float
    figure: Callable[[list[Result]], float]
    runs: tuple[Scenario, ...] = ()
    least: bool = False

    def measured(self, results: dict[Scenario, Result]) -> float:
        return self.figure([results[run] for run in self.runs])

    def met(self, measured: float) -> bool:
        return measured >= self.limit if self.least else measured <= self.limit


def goals(seeds: Iterable[int] = (1,)) -> list[Goal]:
    """All goals, their runs repeated for each seed."""
    seeds = tuple(seeds)

    def runs(scenario: Scenario, servers: tuple[str, ...] = SERVERS) -> tuple[Scenario, ...]:
        return tuple(replace(scenario, server=server, seed=seed) for server in servers for seed in seeds)

    steady = {n: runs(Scenario(processes=n)) for n in SIZES}
    told = {n: tuple(run for ra in TOLD for run in runs(Scenario(processes=n, retry_after=ra))) for n in SIZES}
    told_all = tuple(run for n in SIZES for run in told[n])
    out = runs(Scenario(event="outage", demand=4.0), ("sliding",))
    out += runs(Scenario(event="outage", demand=4.0, processes=100), ("sliding",))
    mixed = {n: runs(Scenario(processes=n, interactive=5), ("sliding",)) for n in (10, 100)}
    drains = {n: runs(Scenario(processes=n, drain=20_000), ("sliding",)) for n in (10, 100)}
    counting = tuple(run for n in SIZES for run in runs(Scenario(processes=n), ("counting",)))
    every = tuple(run for n in SIZES for run in steady[n])
    return [
        *(Goal(f"goodput, N = {n}", 0.97, _least("goodput"), steady[n], True) for n in SIZES),
        *(
            Goal(f"429 per success, N = {n}", most, _most("throttled"), steady[n])
            for n, most in ((1, 0.005), (10, 0.01), (100, 0.08))
        ),
        Goal("exceptions with no deadline pressure", 0, _most("surfaced"), every + told_all),
        *(Goal(f"p99 wait, N = {n}, s", most, _most("p99"), steady[n]) for n, most in ((1, 1), (10, 2), (100, 20))),
        *(Goal(f"goodput with Retry-After, N = {n}", 0.96, _least("goodput"), told[n], True) for n in SIZES),
        Goal("sent before the call's own Retry-After", 0, _most("undercut"), told_all),
        Goal("back after half the clients left, N = 10, s", 10, _most("back"), _events(runs, "leave")),
        Goal("back after a quarter of the limit, N = 10, s", 10, _most("back"), _events(runs, "dip")),
        Goal("requests per s and process into an outage", 1, _most("into_outage"), out),
        Goal("back after it, s", 2, _most("back"), out),
        *(
            Goal(f"interactive p99 under bulk, N = {n}, s", most, _most("interactive_p99"), mixed[n])
            for n, most in ((10, 0.5), (100, 3))
        ),
        *(
            Goal(f"20,000 operations, t99 / oracle, N = {n}", 1.05, _against_oracle, _both(drains[n]))
            for n in (10, 100)
        ),
        Goal("exceptions in it", 0, _most("surfaced"), drains[10] + drains[100]),
        Goal("goodput if rejected requests count", 0.85, _least("goodput"), counting, True),
        Goal("Jain fairness", 0.95, _least("jain"), every, True),
        Goal("lane, breaker, budget: us of CPU per call, idle", 10, lambda _: cost(on=False)),
        Goal("the same with the limiter on", 20, lambda _: cost(on=True)),
    ]


def _events(runs: Callable[..., tuple[Scenario, ...]], event: str) -> tuple[Scenario, ...]:
    """At two moments: how soon the end is noticed depends on where in the window it falls."""
    found = (runs(Scenario(event=event, demand=4.0, at=at, seconds=140.0)) for at in (63.0, 68.5))
    return tuple(run for pair in found for run in pair)


def _both(drains: tuple[Scenario, ...]) -> tuple[Scenario, ...]:
    return drains + tuple(replace(run, policy="oracle") for run in drains)


def _against_oracle(results: list[Result]) -> float:
    half = len(results) // 2
    return max(lane.t99 / oracle.t99 for lane, oracle in zip(results[:half], results[half:], strict=True))


def _most(figure: str) -> Callable[[list[Result]], float]:
    return lambda results: max(getattr(result, figure) for result in results)


def _least(figure: str) -> Callable[[list[Result]], float]:
    return lambda results: min(getattr(result, figure) for result in results)
