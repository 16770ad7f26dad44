"""The picture: one table, with rich."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from safekv.cli._words import clean
from safekv.cli.watching._rows import Shown, Traffic, VaultRow

_FEW = 8  # operations of one vault that are shown; the rest are in its own row


def picture(shown: Shown, title: str) -> RenderableType:
    """All of it. What comes from elsewhere is text: no markup, no control characters."""
    table = Table(expand=True, pad_edge=False, box=None, header_style="bold")
    table.add_column("vault, operation", ratio=3, min_width=20, no_wrap=True)
    for name in ("req/s", "requests"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("answers", ratio=2)
    for name in ("p50", "p99", "429", "wait p99", "cache"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in shown.vaults:
        _add(table, row)
    return Group(Text(f"safekv top: {clean(title)}", style="bold"), Text(_span(shown), style="dim"), Text(), table)


def _add(table: Table, row: VaultRow) -> None:
    rest = (
        Text(str(row.throttled or "-"), style="red" if row.throttled else "dim"),
        _seconds(row.wait_p99),
        _cache(row),
    )
    table.add_row(Text(clean(row.traffic.name), style="bold cyan"), *_cells(row.traffic), *rest)
    for each in row.operations[:_FEW]:
        table.add_row(Text(f"  {clean(each.name)}"), *_cells(each))
    for lane in row.lanes:
        if lane.rate is not None or lane.waiting:
            rate = f"{lane.rate:.1f}/s" if lane.rate is not None else "not limited"
            table.add_row(Text(f"  lane {clean(lane.name)}: {rate}, {lane.waiting} waiting", style="yellow"))


def _cells(traffic: Traffic) -> tuple[Text, ...]:
    answers = Text(" ").join(
        Text(f"{clean(status)}:{count}", style=_style(status)) for status, count in traffic.statuses.items()
    )
    rate, count = Text(f"{traffic.per_second:.1f}"), Text(f"{traffic.requests:,}")
    return rate, count, answers, _seconds(traffic.p50), _seconds(traffic.p99)


def _style(status: str) -> str:
    return {"2": "green", "4": "yellow", "5": "red"}.get(status[:1], "red") if status != "429" else "red"


def _seconds(seconds: float | None) -> Text:
    if seconds is None:
        return Text("-", style="dim")
    return Text(f"{seconds * 1000:.0f} ms" if seconds < 0.9995 else f"{seconds:.1f} s")


def _cache(row: VaultRow) -> Text:
    if row.cache_hits is None:
        return Text("-", style="dim")
    stale = f", {row.stale} stale" if row.stale else ""
    return Text(f"{row.cache_hits:.1%}{stale}", style="yellow" if stale else "")


def _span(shown: Shown) -> str:
    return " · ".join(_facts(shown))


def _facts(shown: Shown) -> Iterator[str]:
    yield f"the last {shown.seconds:.0f} s"
    failed = f" ({shown.token_failures} failed)" if shown.token_failures else ""
    yield f"tokens fetched: {shown.tokens}{failed}"
    if shown.encrypted_bytes or shown.decrypted_bytes:
        yield f"encrypted {shown.encrypted_bytes:,} bytes, decrypted {shown.decrypted_bytes:,}"
