"""The goals of the fleet simulator, in runs short enough for every change, with some slack.

``python -m benchmarks.sim`` measures them in full.
"""

from __future__ import annotations

import pytest

from benchmarks.sim._report import simulate
from benchmarks.sim._run import Result, Scenario, run


@pytest.mark.parametrize("server", ["sliding", "fixed"])
@pytest.mark.parametrize(("processes", "throttled", "p99"), [(1, 0.005, 1.0), (10, 0.01, 2.0)])
def test_a_throttled_fleet_gets_nearly_all_of_the_limit(
    server: str, processes: int, throttled: float, p99: float
) -> None:
    result = run(Scenario(processes=processes, server=server, seconds=80.0))
    assert result.goodput >= 0.96
    assert result.throttled <= throttled
    assert result.p99 <= 1.2 * p99
    assert result.surfaced == 0
    assert result.jain >= 0.95


def test_so_do_a_hundred_processes() -> None:
    result = run(Scenario(processes=100, seconds=60.0))
    assert result.goodput >= 0.96
    assert result.throttled <= 0.08
    assert result.p99 <= 20
    assert result.surfaced == 0
    assert result.jain >= 0.95


@pytest.mark.parametrize("told", ["exact", "random", "10"])
def test_with_retry_after(told: str) -> None:
    result = run(Scenario(retry_after=told, server="fixed", seconds=70.0))
    assert result.goodput >= 0.95
    assert result.undercut == 0
    assert result.surfaced == 0


@pytest.mark.parametrize("event", ["leave", "dip"])
def test_freed_capacity_is_found(event: str) -> None:
    assert run(Scenario(event=event, demand=4.0, at=43.0, seconds=110.0)).back <= 11


def test_an_outage_is_left_alone_and_its_end_is_noticed() -> None:
    result = run(Scenario(event="outage", demand=4.0, at=33.0, seconds=75.0))
    assert result.into_outage <= 1
    assert result.back <= 2


def test_interactive_calls_go_before_bulk_work() -> None:
    assert run(Scenario(interactive=5, seconds=60.0)).interactive_p99 <= 0.5


def test_a_drain_takes_no_longer_than_paced() -> None:
    lane, oracle = (run(Scenario(policy=policy, drain=20_000)) for policy in ("safekv lane", "oracle"))
    assert lane.t99 <= 1.07 * oracle.t99
    assert lane.surfaced == 0


def test_rejected_requests_that_count_do_not_end_it() -> None:
    assert run(Scenario(server="counting", seconds=60.0)).goodput >= 0.85


@pytest.mark.parametrize("policy", ["azure-core GET", "azure-core POST", "botocore adaptive", "tenacity full jitter"])
def test_the_peers_run(policy: str) -> None:
    result = run(Scenario(policy=policy, seconds=40.0))
    assert result.goodput > 0.5
    assert result.throttled > 0


def test_a_run_is_repeatable() -> None:
    def once() -> Result:
        return run(Scenario(processes=2, seconds=30.0))

    assert once() == once()
    scenario = Scenario(processes=2, seconds=30.0)
    assert simulate([scenario], 1) == {scenario: once()}
