"""Every claim against its peers, in one go, and ``docs/benchmarks.md`` with what came out.

    nox -s bench                            # all of it: about 25 minutes on two idle cores
    nox -s bench -- --only cache,envelope   # these again; the others stay as they were measured
    nox -s bench -- --resume                # go on where a run was interrupted
    nox -s bench -- --quick                 # a look: six minutes, written to build/benchmarks/
    python -m benchmarks.report --render    # write page and plots again, from docs/benchmarks/results.json

Each benchmark runs in a process of its own, one after the other. One that fails, or takes too long, is a row that
says so.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.figures import Figures
from benchmarks.machine import machine, today, versions
from benchmarks.markers import rewrite
from benchmarks.page import Results, write

HERE = Path(__file__).resolve().parents[1]
WORK = HERE / "build" / "benchmarks"


@dataclass(frozen=True)
class Benchmark:
    """``deadline`` in seconds: two to three times what it takes on two idle cores."""

    name: str
    module: str
    title: str
    deadline: float = 300.0


BENCHMARKS = (
    Benchmark("imports", "imports", "Importing"),
    Benchmark("overhead", "overhead", "Reading without the cache"),
    Benchmark("cache", "cache", "Reading from the cache", 600),
    Benchmark("startup", "startup", "Starting an application"),
    Benchmark("herd", "deployment", "Starting fifty at once", 900),
    Benchmark("policy", "policy", "The policy on a call that succeeds", 120),
    Benchmark("sim", "simulated", "A throttled vault, simulated", 600),
    Benchmark("fleet", "fleet", "A throttled vault, with real processes", 900),
    Benchmark("keys", "crypto_client", "Keys and cryptography", 600),
    Benchmark("envelope", "envelope", "Encrypting here", 900),
    Benchmark("bulk", "bulk", "A million records"),
    Benchmark("spark", "spark", "Spark", 1_000),
    Benchmark("nonces", "nonces", "Nonces"),
)
NAMES = tuple(each.name for each in BENCHMARKS)


def main(arguments: list[str] | None = None) -> int:
    given = _arguments(arguments)
    if given.one:
        measure(given.one, given.quick, given.result)
        return 0
    docs = given.docs or (WORK if given.quick else HERE / "docs")
    kept = docs / "benchmarks" / "results.json"
    results = load(kept)
    if not given.render:
        fresh = run(given.only, given.quick, given.resume)
        results = {name: {**results, **fresh}[name] for name in NAMES if name in results or name in fresh}
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
    write(results, docs, {each.name: each.title for each in BENCHMARKS})
    for page in rewrite(results, docs):
        print(f"brought {page.name} up to date")
    print(f"wrote {docs / 'benchmarks.md'}")
    return 0


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=_names, default=NAMES, metavar="NAMES", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="few rounds: a look, not a measurement")
    parser.add_argument("--resume", action="store_true", help="keep what an interrupted run has measured")
    parser.add_argument("--render", action="store_true", help="measure nothing")
    parser.add_argument("--docs", type=Path, help="where to write: docs/, or build/benchmarks/ with --quick")
    parser.add_argument("--one", choices=NAMES, help=argparse.SUPPRESS)
    parser.add_argument("--result", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def _names(text: str) -> tuple[str, ...]:
    chosen = tuple(text.replace(" ", "").split(","))
    unknown = sorted(set(chosen) - set(NAMES))
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown} are none of {NAMES}")
    return chosen


def load(path: Path) -> Results:
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def run(names: Iterable[str], quick: bool, resume: bool) -> Results:
    """Measure these, and write down each as soon as it is there."""
    WORK.mkdir(parents=True, exist_ok=True)
    progress = WORK / ("progress-quick.json" if quick else "progress.json")
    results = load(progress) if resume else {}
    for each in BENCHMARKS:
        if each.name not in names or (each.name in results and not results[each.name]["error"]):
            continue
        print(f"{each.name} …", end=" ", flush=True)
        results[each.name] = attempt(each, quick)
        progress.write_text(json.dumps(results, indent=1, ensure_ascii=False), "utf-8")
        print(results[each.name]["error"] or f"{results[each.name]['seconds']:.0f} s", flush=True)
    return {name: results[name] for name in names if name in results}


def attempt(each: Benchmark, quick: bool) -> dict[str, Any]:
    """Its figures, or why there are none."""
    result, log = WORK / f"{each.name}.json", WORK / f"{each.name}.log"
    result.unlink(missing_ok=True)
    command = [sys.executable, "-m", "benchmarks.report", "--one", each.name, "--result", str(result)]
    began, load_before = time.monotonic(), round(os.getloadavg()[0], 1)
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, *(["--quick"] if quick else [])],
            cwd=HERE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that what it started ends with it
        )
        error = _wait(process, each.deadline)
    about = {
        "when": today(),
        "quick": quick,
        "seconds": round(time.monotonic() - began, 1),
        "load": load_before,
        "machine": machine(),
        "versions": versions(),
    }
    if error or not result.exists():
        return {**about, "error": error or _last_line(log), **Figures().to_dict()}
    return {**about, "error": "", **json.loads(result.read_text("utf-8"))}


def _wait(process: subprocess.Popen[bytes], deadline: float) -> str:
    try:
        process.wait(deadline)
    except subprocess.TimeoutExpired:
        return f"not done after {deadline:,.0f} s"
    finally:
        _end(process)
    return ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """With all that it has started. First as Ctrl-C does, or it would leave gigabytes in temporary directories."""
    with suppress(ProcessLookupError, subprocess.TimeoutExpired):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(20)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _last_line(log: Path) -> str:
    lines = log.read_text("utf-8", errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else "it ended without a word"


def measure(name: str, quick: bool, result: Path) -> None:
    """What the process of one benchmark does."""
    module = import_module("benchmarks." + next(each.module for each in BENCHMARKS if each.name == name))
    figures: Figures = module.measure(quick=quick)
    result.write_text(json.dumps(figures.to_dict()), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
