"""The page and its plots, from results alone: the same results give the same bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.figures import Claim, Figures, Table, figure, goal, number

#: By benchmark: its figures, and when and on what they were measured.
Results = dict[str, dict[str, Any]]

_MET = {True: "met", False: "**not met**", None: ""}
_ABOUT = ("when", "machine", "versions", "quick")


def write(results: Results, docs: Path, titles: Mapping[str, str]) -> None:
    """``benchmarks.md`` and ``benchmarks/*.svg`` in that directory, and no plots that no longer belong there."""
    docs.mkdir(parents=True, exist_ok=True)
    directory = docs / "benchmarks"
    directory.mkdir(exist_ok=True)
    wanted = {f"{name}-{table.name}.svg": table for name, table in _drawn(results)}
    for old in directory.glob("*.svg"):
        if old.name not in wanted:
            old.unlink()
    if wanted:
        from benchmarks.plots import draw

        for file, table in wanted.items():
            draw(table, directory / file)
    docs.joinpath("benchmarks.md").write_text(page(results, titles), "utf-8")


def _drawn(results: Results) -> Iterator[tuple[str, Table]]:
    for name, result in results.items():
        for table in Figures.from_dict(_only(result)).tables:
            if table.bars and sum(bool(bar(table, cells)) for _, cells in table.rows) > 1:
                yield name, table


def bar(table: Table, cells: tuple[Any, ...]) -> float | None:
    """What a plot shows of a row."""
    value = cells[table.columns.index(table.bars or "")]
    return value if isinstance(value, (int, float)) else None


def _only(result: Mapping[str, Any]) -> dict[str, Any]:
    return {"claims": result["claims"], "tables": result["tables"]}


def page(results: Results, titles: Mapping[str, str]) -> str:
    return "\n".join([*_head(results), *_goals(results, titles), *_sections(results, titles)])


def _head(results: Results) -> Iterator[str]:
    yield "# Benchmarks\n"
    yield "Every figure about speed or size that this documentation names is measured by a program in `benchmarks/`, in"
    yield "one go with what it is compared with, in turn. `nox -s bench` runs them all and writes this page.\n"
    if any(result["quick"] for result in results.values()):
        yield "**This is a quick look, with few rounds on a machine that did other things, and not a measurement.**\n"
    if results:
        yield from _about(_common(results))
        loads = [result["load"] for result in results.values()]
        yield f"The load of the machine was {min(loads):g} to {max(loads):g} before each of them.\n"


def _common(results: Results) -> dict[str, Any]:
    """What most of them share; sections say where they differ."""
    shared: dict[str, Any] = {}
    for key in _ABOUT:
        values = [result[key] for result in results.values()]
        most = Counter(repr(value) for value in values).most_common(1)[0][0]
        shared[key] = next(value for value in values if repr(value) == most)
    return shared


def _about(it: Mapping[str, Any]) -> Iterator[str]:
    m = it["machine"]
    yield f"Measured on {it['when']}, on {m['cores']} cores of {m['processor']}, {m['system']}, Python {m['python']}.\n"
    yield "| package | version |\n|---|---|"
    for package, version in it["versions"].items():
        yield f"| {package} | {version} |"
    yield ""


def _goals(results: Results, titles: Mapping[str, str]) -> Iterator[str]:
    rows: list[str] = []
    told: list[bool | None] = []
    for name, result in results.items():
        if result["error"]:
            rows.append(f"| {titles[name]} | could not be measured: {_cell(result['error'])} | | | |")
        claims = Figures.from_dict(_only(result)).claims
        told += [claim.met for claim in claims]
        rows += map(_row, claims)
    rows += [f"| {title} | not measured yet | | | |" for name, title in titles.items() if name not in results]
    yield "## Goals\n"
    met, goals = told.count(True), told.count(True) + told.count(False)
    yield f"{met} of {goals} goals are met. Rows without a goal are for information.\n"
    yield "| | measured | goal | | beside |\n|---|---:|---:|---|---|"
    yield from rows
    yield ""


def _row(claim: Claim) -> str:
    cells = (claim.what, figure(claim), goal(claim), _MET[claim.met], claim.peer)
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _sections(results: Results, titles: Mapping[str, str]) -> Iterator[str]:
    common = _common(results) if results else {}
    drawn = {(name, table.name) for name, table in _drawn(results)}
    for name, result in results.items():
        yield f"## {titles[name]}\n"
        if any(result[key] != common[key] for key in ("when", "machine", "versions")):
            m = result["machine"]
            yield f"Measured on {result['when']}, {m['cores']} cores of {m['processor']}, Python {m['python']}.\n"
        if result["error"]:
            yield f"Could not be measured: {result['error']}\n"
        for each in Figures.from_dict(_only(result)).tables:
            yield f"### {each.title}\n"
            yield markdown(each) + "\n"
            if each.note:
                yield each.note + "\n"
            if (name, each.name) in drawn:
                yield f"![{each.title}](benchmarks/{name}-{each.name}.svg)\n"


def goals_of(result: Mapping[str, Any]) -> str:
    """The goals of one benchmark, as a table."""
    claims = [claim for claim in Figures.from_dict(_only(result)).claims if claim.goal is not None]
    lines = [f"| {_cell(it.what)} | {figure(it)} | {goal(it)} | {_MET[it.met]} |" for it in claims]
    return "\n".join(["| | measured | goal | |", "|---|---:|---:|---|", *lines])


def markdown(table: Table) -> str:
    """The table alone."""
    lines = [f"| | {' | '.join(table.columns)} |", f"|---|{'---:|' * len(table.columns)}"]
    lines += [f"| {_cell(name)} | {' | '.join(map(number, cells))} |" for name, cells in table.rows]
    return "\n".join(lines)
