"""``python -m tests.fuzz.run [--seconds 10] [TARGET ...]``: each target in a process of its own, under atheris.

Ends with 1 if any of them found something; what it found stays in ``.fuzz/TARGET/``, with the corpus.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(".fuzz")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--one", action="store_true", help="be the process of the one target named")
    options = parser.parse_args()
    if options.one:
        return _be(options.targets[0], options.seconds)
    from tests.fuzz.targets import TARGETS

    names = options.targets or list(TARGETS)
    with ThreadPoolExecutor(os.cpu_count()) as processes:
        clean = list(processes.map(lambda name: _clean(name, options.seconds), names))
    found = [name for name, each in zip(names, clean, strict=True) if not each]
    print("findings: " + ", ".join(found) if found else "no finding")
    return 1 if found else 0


def _clean(name: str, seconds: int) -> bool:
    command = [sys.executable, "-m", "tests.fuzz.run", "--one", "--seconds", str(seconds), name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 120)
    runs = re.search(r"number_of_executed_units:\s*(\d+)", done.stderr)
    said = "nothing" if done.returncode == 0 else "FOUND SOMETHING"
    print(f"{name}: {said} in {int(runs[1]) if runs else 0:,} runs", flush=True)
    if done.returncode:
        print(done.stdout[-4000:], done.stderr[-4000:])
    return done.returncode == 0


def _be(name: str, seconds: int) -> int:
    import atheris

    with atheris.instrument_imports(include=["safekv", "azure.keyvault", "azure.core"]):
        from tests.fuzz.targets import SEEDS, TARGETS
    corpus = HERE / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[name]):
        (corpus / f"seed-{number}").write_bytes(seed)
    arguments: Sequence[str] = [
        name, str(corpus), f"-max_total_time={seconds}", f"-artifact_prefix={corpus}/found-", "-max_len=4096",
        "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=1",
    ]  # fmt: skip
    atheris.Setup(list(arguments), TARGETS[name])
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
