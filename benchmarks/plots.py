"""Horizontal bars as SVG: no times, no random ids, text as text, so that a file changes when a figure does."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot as plt

from benchmarks.figures import Table, number
from benchmarks.page import bar

OURS, THEIRS = "#1f6feb", "#9aa4b2"
_STYLE = {
    "svg.hashsalt": "safekv",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_OURS = ("safekv", "encrypt", "decrypt", "the same, from")


def draw(table: Table, path: Path) -> None:
    """The rows of ``table`` that have a figure in its column ``bars``; logarithmic where they are far apart."""
    rows = [(name, value) for name, cells in table.rows if (value := bar(table, cells))]
    rows.reverse()  # the first on top
    names, values = [name for name, _ in rows], [value for _, value in rows]
    with mpl.rc_context(_STYLE):
        plot, axes = plt.subplots(figsize=(7.5, 0.7 + 0.32 * len(rows)), layout="constrained")
        bars = axes.barh(names, values, color=[OURS if name.startswith(_OURS) else THEIRS for name in names])
        if max(values) > 50 * min(values) > 0:
            axes.set_xscale("log")
        axes.bar_label(bars, labels=[number(value) for value in values], padding=3)
        axes.margins(x=0.12)
        plot.suptitle(f"{table.title}: {table.bars}", fontsize=9, x=0.01, ha="left")
        plot.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
        plt.close(plot)
    path.write_text("\n".join(line.rstrip() for line in path.read_text("utf-8").splitlines()) + "\n", "utf-8")
