"""What a benchmark has found: claims with their goals, and tables; shown as text, kept as JSON."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

Cell = float | int | str | None


@dataclass(frozen=True)
class Claim:
    """One figure that the documentation may name, and what it ought to be.

    :ivar name: short, and its own among those of the benchmark.
    :ivar measured: None if it could not be measured here: a peer is not installed.
    :ivar least: whether ``goal`` is the least that will do; else it is the most.
    :ivar peer: what it is compared with.
    """

    name: str
    what: str
    measured: float | None
    goal: float | None = None
    least: bool = False
    unit: str = ""
    peer: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the figure, as it is shown, does; None if there is nothing to say."""
        if self.measured is None or self.goal is None:
            return None
        shown = float(f"{self.measured:.3g}")
        return shown >= self.goal if self.least else shown <= self.goal


@dataclass(frozen=True)
class Table:
    """Things beside each other.

    :ivar rows: a name, and a cell for each of ``columns``.
    :ivar bars: the column that a plot shows, if there is to be one.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    bars: str | None = None
    note: str = ""


@dataclass
class Figures:
    """All that one benchmark has found."""

    claims: list[Claim] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)

    def claim(self, name: str, what: str, measured: float | None, **more: Any) -> None:
        self.claims.append(Claim(name, what, measured, **more))

    def table(
        self, name: str, title: str, columns: Iterable[str], rows: Iterable[tuple[Any, ...]], **more: Any
    ) -> None:
        """``rows``: a name and its cells, as one tuple."""
        made = tuple((str(row[0]), tuple(row[1:])) for row in rows)
        self.tables.append(Table(name, title, tuple(columns), made, **more))

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> Figures:
        tables = []
        for each in found["tables"]:
            rows = tuple((name, tuple(cells)) for name, cells in each["rows"])
            tables.append(Table(**{**each, "columns": tuple(each["columns"]), "rows": rows}))
        return cls([Claim(**each) for each in found["claims"]], tables)


def number(value: Cell) -> str:
    """Three digits of it, and all of what is larger."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def figure(claim: Claim) -> str:
    """The figure with its unit."""
    if claim.measured is None:
        return "not measured"
    return f"{number(claim.measured)} {claim.unit}".rstrip()


def goal(claim: Claim) -> str:
    """``≤ 1.7 ×``, or nothing."""
    if claim.goal is None:
        return ""
    sign = "≥" if claim.least else "≤"
    return f"{sign} {number(claim.goal)} {claim.unit}".rstrip()


def show(figures: Figures) -> None:
    """Print it all."""
    for table in figures.tables:
        widths = [max(12, len(column) + 2) for column in table.columns]
        names = max([44, *(len(name) for name, _ in table.rows)])
        heads = "".join(f"{column:>{width}}" for column, width in zip(table.columns, widths, strict=True))
        print(f"\n{table.title}\n  {'':{names}}{heads}")
        for name, cells in table.rows:
            texts = "".join(f"{number(cell):>{width}}" for cell, width in zip(cells, widths, strict=True))
            print(f"  {name:{names}}{texts}")
        if table.note:
            print(f"  {table.note}")
    print()
    for claim in figures.claims:
        met = {True: "met", False: "NOT MET", None: ""}[claim.met]
        print(f"  {claim.what:76}{figure(claim):>14}{goal(claim):>14}  {met}")


def command(measure: Any, description: str | None) -> None:
    """What ``python -m benchmarks.NAME [--quick]`` does."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few rounds: a look, not a measurement")
    show(measure(quick=parser.parse_args().quick))
