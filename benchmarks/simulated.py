"""The goals of the fleet simulator as claims: one seed, which takes a minute. ``benchmarks.sim --full`` has all of it.

python -m benchmarks.simulated [--quick]
"""

from __future__ import annotations

import os

from benchmarks.figures import Figures, command
from benchmarks.sim._goals import Goal, goals
from benchmarks.sim._report import simulate


def measure(quick: bool) -> Figures:
    figures = Figures()
    chosen = [goal for goal in goals((1,)) if not quick or _short(goal)]
    results = simulate([run for goal in chosen for run in goal.runs], min(2, os.cpu_count() or 1))
    for goal in chosen:
        what = f"simulated: {goal.name}"
        figures.claim(_name(goal), what, goal.measured(results), goal=goal.limit, least=goal.least)
    return figures


def _short(goal: Goal) -> bool:
    return all(run.processes * run.seconds <= 200 for run in goal.runs) and len(goal.runs) <= 2


def _name(goal: Goal) -> str:
    return "-".join("".join(letter if letter.isalnum() else " " for letter in goal.name).split()).lower()


if __name__ == "__main__":
    command(measure, __doc__)
