"""What pages tell readers to write into files and to type, taken from between their fences."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
_BLOCK = re.compile(r'(<!-- numbers vary -->\n)?^```(\w+)(?: title="([\w.]+)")?\n(.*?)^```$', re.DOTALL | re.M)


@dataclass
class Step:
    """One command, and what the page says that it prints."""

    command: str
    expected: str
    varies: bool


def files_of(page: str) -> dict[str, str]:
    """The page's files by name: its blocks with a title."""
    return {name: text for _, _, name, text in _blocks(page) if name}


def steps_of(page: str) -> list[Step]:
    """The page's commands in their order; what installs safekv is left out."""
    steps: list[Step] = []
    for varies, kind, name, text in _blocks(page):
        if kind == "console" and not name and "pip install" not in text:
            for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
                command, _, expected = part.partition("\n")
                steps.append(Step(command, expected, bool(varies)))
    return steps


def environment() -> dict[str, str]:
    """A reader's: with the commands of this Python, and none of the settings of this test run."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "SAFEKV_", "PYTEST_"))}
    return {**kept, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def typed(script: str, directory: Path) -> str:
    """What a shell prints that is given these lines; nothing that they started is left behind."""
    shell = subprocess.Popen(
        ["bash", "-c", script],
        env={**environment(), "PYTHONWARNINGS": "error"},
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        return shell.communicate(timeout=100)[0]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGKILL)
        shell.wait()


def _blocks(page: str) -> list[tuple[str, str, str, str]]:
    return _BLOCK.findall((DOCS / page).read_text("utf-8"))
