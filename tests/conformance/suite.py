"""Microsoft's tests, as they are, in a process of their own for each flavour."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from outcomes import Flavour, Outcome, Run

HERE = Path(__file__).parent
TIMEOUT = 600.0
#: Settings of this machine that must not reach the tests.
_FOREIGN = ("AZURE_", "IDENTITY_", "MSI_", "IMDS_", "KEYVAULT_", "PYTEST_", "SAFEKV_")
#: pytest's own exit codes for "all passed" and "some failed"; any other means that it broke.
_RAN = (0, 1)


def run(flavour: Flavour, sdist: Path, directory: Path, options: Sequence[str] = ()) -> Run:
    """Run all tests of the unpacked sdist; ``directory`` takes the report, ``options`` go to pytest."""
    report = directory / f"{sdist.name}-{flavour}.jsonl"
    began = time.monotonic()
    ended, output = _pytest(flavour, sdist / "tests", report, options)
    result = _read(report)
    result.seconds = time.monotonic() - began
    if ended not in _RAN or not result.traffic.get("requests"):
        result.add("the run itself", Outcome("failed", f"pytest: {ended}\n{output[-3000:]}"))
    return result


def clean_environment() -> dict[str, str]:
    """This process's environment without what could reach a real vault, or change a test."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}


def _pytest(flavour: Flavour, tests: Path, report: Path, options: Sequence[str]) -> tuple[int | str, str]:
    paths = [str(HERE / "stand_in"), os.environ.get("PYTHONPATH", "")]
    environment = {
        **clean_environment(),
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "SAFEKV_CONFORMANCE": flavour,
        "SAFEKV_CONFORMANCE_REPORT": str(report),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-c", str(HERE / "conformance.ini"), "--rootdir", str(tests)]
    plugins = ["-p", "pytest_asyncio.plugin", "-p", "conformance_plugin"]
    try:
        done = subprocess.run(
            [*command, *plugins, *options, "."],
            cwd=tests,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
        )
    except subprocess.TimeoutExpired:
        return f"not finished after {TIMEOUT:.0f} s", ""
    return done.returncode, done.stdout


def _read(report: Path) -> Run:
    result = Run()
    lines = report.read_text(encoding="utf-8").splitlines() if report.exists() else []
    for line in map(json.loads, lines):
        if "test" in line:
            result.add(line["test"], Outcome(line["outcome"], line["why"]))
        else:
            result.traffic = line
    return result
