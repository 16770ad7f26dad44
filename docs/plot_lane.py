"""Plot what the fleet simulator shows of the lane: ``docs/explanation/lane-*.svg``.

    pip install matplotlib  # the dependency group "report"
    python docs/plot_lane.py

Two runs are simulated (time is virtual, so a busy machine draws the same); the bars are read from
``benchmarks/sim/RESULTS.md``, which ``python -m benchmarks.sim --full`` has measured.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_left
from itertools import pairwise
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.sim._run import Fleet, Group, Scenario  # noqa: E402
from benchmarks.sim._servers import LIMIT, WINDOW  # noqa: E402

FOLDER = ROOT / "docs" / "explanation"
SIZES = (1, 10, 100)
POLICIES = ("azure-core GET", "tenacity full jitter", "stamina defaults", "botocore adaptive", "safekv lane")
COLOURS = dict(zip(POLICIES, ("#b3372b", "#b27300", "#8a6fb0", "#7a8394", "#2e7d4f"), strict=True))
_CELL = re.compile(r"(\d+)% · ([\d.]+) · ([\d.]+) · ([\d.]+)/([\d.]+)")

plt.rcParams.update({"svg.hashsalt": "safekv", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False})


def main() -> None:
    _save(_over_time("", "10 processes of 50 workers ask for twice the limit"), "lane-steady.svg")
    _save(_over_time("dip", "the vault admits a quarter from 40 to 70 s"), "lane-dip.svg")
    _save(_compared(), "lane-compared.svg")


def _over_time(event: str, title: str) -> plt.Figure:
    figure, axes = plt.subplots(1, 2, figsize=(9, 3), sharey=True, layout="constrained")
    for ax, policy in zip(axes, ("azure-core GET", "safekv lane"), strict=True):
        fleet = Fleet(Scenario(policy=policy, event=event))
        if event:
            fleet.world.start(fleet.happen(), Group(), after=40.0)
        fleet.world.run(120.0)
        ax.plot(*_rate(fleet.server.accepted), color="#2e7d4f", label="answered")
        ax.plot(*_rate(fleet.server.rejected), color="#b3372b", label="429")
        ax.axhline(LIMIT / WINDOW, color="#7a8394", linewidth=0.8, linestyle=":")
        ax.set(title=policy, xlabel="seconds", xlim=(0, 120), ylim=(0, 1000))
    axes[0].set_ylabel("per second")
    axes[1].legend(loc="upper right", frameon=False)
    figure.suptitle(title, fontsize=10)
    return figure


def _rate(times: list[float], width: float = 2.0) -> tuple[list[float], list[float]]:
    """Events per second, counted over ``width`` seconds."""
    edges = [width * number for number in range(int(120 / width) + 1)]
    counts = [bisect_left(times, edge) for edge in edges]
    return edges[1:], [(after - before) / width for before, after in pairwise(counts)]


def _compared() -> plt.Figure:
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    rows = _results()
    titles = ("429s for each success", "wait of the slowest 1 %, in s")
    for shown, (ax, title) in enumerate(zip(axes, titles, strict=True)):
        for number, policy in enumerate(POLICIES):
            values = [row[shown] for row in rows[policy]]
            places = [place + 0.16 * (number - 2) for place in range(len(SIZES))]
            ax.bar(places, values, 0.15, color=COLOURS[policy], label=policy)
        ax.set_xticks(range(len(SIZES)), [f"{n} process{'es' if n > 1 else ''}" for n in SIZES])
        ax.set_title(title)
    axes[0].set_yscale("log")
    axes[0].yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def _results() -> dict[str, list[tuple[float, float]]]:
    """429s for each success and the p99 wait, by policy, for each size: no Retry-After, sliding window."""
    text = (ROOT / "benchmarks" / "sim" / "RESULTS.md").read_text("utf-8")
    table = text.split("## Retry-After: none")[1].split("\n## ")[0]
    found = {}
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] in POLICIES:
            parts = [_CELL.fullmatch(cell) for cell in cells[1::2]]
            found[cells[0]] = [(float(part[2]), float(part[5])) for part in parts if part]
    return found


def _save(figure: plt.Figure, name: str) -> None:
    figure.savefig(FOLDER / name, facecolor="white", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    text = (FOLDER / name).read_text("utf-8")
    (FOLDER / name).write_text("\n".join(line.rstrip() for line in text.splitlines()) + "\n", "utf-8")


if __name__ == "__main__":
    main()
