"""Is safekv a drop-in replacement? Microsoft's own tests and samples, with the SDK's classes and with safekv's.

    python tests/conformance/run.py
    python tests/conformance/run.py --package keys --package certificates

Needs ``safekv[aio,cli,migrate]``, pytest, pytest-asyncio and python-dateutil. Exits with 0 if
everything that works with the SDK works with safekv, and everything works with the SDK. A
package for which safekv has no door yet is tried with the SDK's classes only: that tries the
emulator.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import samples
import sdist
import suite
from outcomes import EXPLAINED, MEANT, Flavour, Run, Runs, differences, problems, skips
from packages import PACKAGES, Package

_AT_ONCE = 2
_ROW = "{:<24}{:<10}{:>7}{:>8}{:>8}{:>9}   {}"


def main() -> int:
    began = time.monotonic()
    packages = [PACKAGES[name] for name in _arguments().package or PACKAGES]
    with tempfile.TemporaryDirectory(prefix="safekv-conformance-") as name, ThreadPoolExecutor(_AT_ONCE) as pool:
        found_in = [pool.submit(_results, package, Path(name)) for package in packages]
        results = {what: runs for future in found_in for what, runs in future.result().items()}
    found = [problem for what, runs in results.items() for problem in problems(what, runs)]
    _show(results, found)
    passed = sum(run.count()["passed"] for runs in results.values() for run in runs.values())
    print(f"\nin {time.monotonic() - began:.0f} s, on Python {sys.version.split()[0]}")
    print(f"{passed} passed, {len(found)} failed")
    return 1 if found else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", action="append", choices=PACKAGES, help="only this one; may be repeated")
    return parser.parse_args()


def _results(package: Package, directory: Path) -> dict[str, Runs]:
    """Both kinds of runs; the samples, which mostly sleep, beside the tests."""
    source = sdist.unpacked(package.distribution, directory)
    print(f"{source.name}, with the classes of: {', '.join(package.flavours)}", flush=True)
    name = package.distribution.rpartition("-")[2]
    (scripts := directory / f"{name}-scripts").mkdir()
    with ThreadPoolExecutor(1) as pool:
        sampled = pool.submit(samples.run_all, source, scripts, name)
        tested: dict[Flavour, Run] = {
            flavour: suite.run(flavour, source, directory, package.options) for flavour in package.flavours
        }
        return {f"{name} tests": tested, f"{name} samples": sampled.result()}


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
