"""Is safekv a drop-in replacement? Microsoft's own tests and samples, with the SDK's classes and with safekv's.

    python tests/conformance/run.py

Needs ``safekv[aio,cli]``, pytest, pytest-asyncio and python-dateutil. Exits with 0 if
everything that works with the SDK works with safekv, and everything works with the SDK.
"""

from __future__ import annotations

import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import samples
import sdist
import suite
from outcomes import EXPLAINED, FLAVOURS, MEANT, Flavour, Run, Runs, differences, problems, skips

_ROW = "{:<10}{:<10}{:>7}{:>8}{:>8}{:>9}   {}"


def main() -> int:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="safekv-conformance-") as name:
        results = _results(Path(name))
    found = [problem for what, runs in results.items() for problem in problems(what, runs)]
    _show(results, found)
    passed = sum(run.count()["passed"] for runs in results.values() for run in runs.values())
    print(f"\nin {time.monotonic() - began:.0f} s, on Python {sys.version.split()[0]}")
    print(f"{passed} passed, {len(found)} failed")
    return 1 if found else 0


def _results(directory: Path) -> dict[str, Runs]:
    """Both kinds of runs; the samples, which mostly sleep, beside the tests."""
    source = sdist.unpacked(directory)
    print(f"{source.name}: its tests and samples, with the SDK's classes and with safekv's", flush=True)
    (scripts := directory / "scripts").mkdir()
    with ThreadPoolExecutor(1) as pool:
        sampled = pool.submit(samples.run_all, source, scripts)
        tested: dict[Flavour, Run] = {flavour: suite.run(flavour, source, directory) for flavour in FLAVOURS}
        return {"tests": tested, "samples": sampled.result()}


def _show(results: dict[str, Runs], found: list[str]) -> None:
    print("\n" + _ROW.format("", "classes", "passed", "failed", "skipped", "seconds", "the emulator saw"))
    for what, runs in results.items():
        for flavour, run in runs.items():
            count = run.count()
            seen = ", ".join(f"{number} {name}" for name, number in run.traffic.items())
            numbers = (count[state] for state in ("passed", "failed", "skipped"))
            print(_ROW.format(what, flavour, *numbers, f"{run.seconds:.0f}", seen))
    both = list(results.values())
    _list("Tests that end differently", [line for runs in both for line in differences(runs)])
    _list("Skipped", [line for runs in both for line in skips(runs)])
    _list("Meant to end differently", [f"...{name}: {why}" for (name, _), why in MEANT.items()])
    _list("Failing with the SDK too, explained", [f"{test}: {why}" for test, why in EXPLAINED.items()])
    _list("Not good", found)


def _list(title: str, lines: list[str]) -> None:
    print(f"\n{title}: {'none' if not lines else len(lines)}")
    for line in sorted(lines):
        print("  " + line.replace("\n", "\n    "))


if __name__ == "__main__":
    sys.exit(main())
