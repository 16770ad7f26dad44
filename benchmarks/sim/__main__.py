"""``python -m benchmarks.sim --quick``: the goals, in under a minute. ``--full``: every row and every peer."""

from __future__ import annotations

import argparse
import os
import sys

from benchmarks.sim._goals import goals
from benchmarks.sim._report import everything, goals_table, simulate


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sim", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the goals with one seed (the default)")
    parser.add_argument("--full", action="store_true", help="the goals with three seeds, and all tables in Markdown")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1), help="to simulate with")
    given = parser.parse_args()
    wanted = goals((1, 2, 3) if given.full else (1,))
    table, fine = goals_table(wanted, simulate([run for goal in wanted for run in goal.runs], given.processes))
    print("## Goals\n")
    print(table, flush=True)
    if given.full:
        print(f"\n{everything(given.processes)}")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
