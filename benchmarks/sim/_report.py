"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from multiprocessing import Pool

from benchmarks.sim._goals import SERVERS, SIZES, TOLD, Goal
from benchmarks.sim._policies import NAMES
from benchmarks.sim._run import Result, Scenario, run
from safekv.resilience._lane import LaneSettings

_BESIDE = ("azure-core GET", "tenacity full jitter", "botocore adaptive", "safekv lane")


def simulate(scenarios: Iterable[Scenario], processes: int) -> dict[Scenario, Result]:
    """Each of them once, the long ones first."""
    todo = sorted(dict.fromkeys(scenarios), key=lambda scenario: -scenario.processes * scenario.seconds)
    if processes == 1:
        return {scenario: run(scenario) for scenario in todo}
    with Pool(processes) as pool:
        return dict(zip(todo, pool.map(run, todo, chunksize=1), strict=True))


def goals_table(goals: list[Goal], results: dict[Scenario, Result]) -> tuple[str, bool]:
    """The table, and whether all are met."""
    rows, fine = [], True
    for goal in goals:
        measured = goal.measured(results)
        met = goal.met(measured)
        fine &= met
        rows.append(
            (goal.name, f"{'≥' if goal.least else '≤'} {goal.limit:g}", _number(measured), "yes" if met else "**no**")
        )
    return _table(("", "goal", "measured", "ok"), rows), fine


def everything(processes: int) -> str:
    """All rows and all peers, for the documentation."""
    parts = [*_steady_jobs(), *_recovery_jobs(), *_priority_jobs(), *_drain_jobs(), *_robust_jobs()]
    results = simulate([job for _, jobs in parts for job in jobs], processes)
    return "\n".join(_sections(parts, results))


_Row = tuple[str, tuple[Scenario, ...]]


def _steady_jobs() -> list[_Row]:
    found: list[_Row] = []
    for told in ("none", *TOLD):
        found.append((f"## Retry-After: {told}", ()))
        for name in NAMES:
            if name.endswith("strict gate") and told == "none":
                continue
            base = Scenario(policy=name, retry_after=told)
            found.append((name, tuple(replace(base, processes=n, server=k) for n in SIZES for k in SERVERS)))
    return found


def _recovery_jobs() -> list[_Row]:
    found: list[_Row] = [("## Recovery", ())]
    for name in _BESIDE:
        base = Scenario(policy=name, demand=4.0, seconds=140.0)
        events = [replace(base, event=event, server=k) for event in ("leave", "dip") for k in SERVERS]
        outage = [replace(base, event="outage", processes=n) for n in (10, 100)]
        found.append((name, (*events, *outage)))
    return found


def _priority_jobs() -> list[_Row]:
    names = ("azure-core GET", "safekv lane, FIFO", "safekv lane")
    return [
        ("## Priority", ()),
        *((name, _sizes(Scenario(policy=name, interactive=5), (10, 100))) for name in names),
    ]


def _drain_jobs() -> list[_Row]:
    names = (name for name in NAMES if not name.endswith("strict gate"))
    return [("## Drain", ()), *((name, _sizes(Scenario(policy=name, drain=20_000), (10, 100))) for name in names)]


def _robust_jobs() -> list[_Row]:
    kinds = {
        f"{kind}: {name}": Scenario(policy=name, server=kind) for kind in ("counting", "bucket") for name in _BESIDE
    }
    beliefs = {f"lane believes in {w:g} s": Scenario(settings=LaneSettings(window=w)) for w in (5.0, 30.0)}
    calm = {f"demand .8: {name}": Scenario(policy=name, demand=0.8) for name in ("azure-core GET", "safekv lane")}
    hasty = {"lane, 10 s deadline": Scenario(deadline=10.0)}
    return [
        ("## Robustness", ()),
        *((name, _sizes(scenario)) for name, scenario in {**kinds, **beliefs, **calm, **hasty}.items()),
        ("lane, 400 processes of 12 workers", (Scenario(processes=400, workers=12),)),
    ]


def _sizes(scenario: Scenario, sizes: tuple[int, ...] = SIZES) -> tuple[Scenario, ...]:
    return tuple(replace(scenario, processes=n) for n in sizes)


_HEADS = {
    "## Retry-After": (
        "Goodput in % of the limit · 429 per success · exceptions per success · p50/p99 wait in s.",
        tuple(f"N={n} {k}" for n in SIZES for k in SERVERS),
    ),
    "## Recovery": (
        "Seconds until the next 10 s see 90 % of the limit (N = 10). Outage: requests per s and process · back, s.",
        ("leave, sliding", "leave, fixed", "dip, sliding", "dip, fixed", "outage, N=10", "outage, N=100"),
    ),
    "## Priority": ("Interactive p50/p99 · bulk p99, in s, with 50 bulk workers.", ("N=10", "N=100")),
    "## Drain": ("20,000 operations at once: t99 in s · 429s · exceptions.", ("N=10", "N=100")),
    "## Robustness": ("As in the first tables, sliding where nothing else is said.", ("N=1", "N=10", "N=100")),
}


def _sections(parts: Sequence[_Row], results: dict[Scenario, Result]) -> list[str]:
    text: list[str] = []
    rows: list[tuple[str, ...]] = []
    head: tuple[str, ...] = ()
    for name, jobs in [*parts, ("##", ())]:
        if not name.startswith("##"):
            cells = [_cell(results[job]) for job in jobs]
            rows.append((name, *cells, *[""] * (len(head) - 1 - len(cells))))
            continue
        if rows:
            text += [_table(head, rows), ""]
            rows = []
        if name != "##":
            note, columns = _HEADS[name.split(":")[0]]
            head = ("policy", *columns)
            text += [name, "", note, ""]
    return text


def _cell(result: Result) -> str:
    s = result.scenario
    if s.event == "outage":
        return f"{result.into_outage:.1f} · {result.back:.1f}"
    if s.event:
        return f"{result.back:.1f}"
    if s.drain:
        return f"{result.t99:.1f} · {result.throttled * s.drain:,.0f} · {result.surfaced:,}"
    if s.interactive:
        return f"{result.interactive_p50:.2f}/{result.interactive_p99:.2f} · {result.p99:.1f}"
    wait = f"{result.p50:.2f}/{result.p99:.1f}"
    return f"{result.goodput:.0%} · {result.throttled:.3f} · {result.exceptions:.2f} · {wait}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) and value < 1e9 else f"{value:.3g}" if value < 100 else f"{value:.1f}"
