"""The tutorial, followed to the letter in an empty directory: its files, its commands, and what they print."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.sockets

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tutorial.md"
_BLOCK = re.compile(r'(<!-- numbers vary -->\n)?^```(\w+)(?: title="([\w.]+)")?\n(.*?)^```$', re.DOTALL | re.M)
#: Between the outputs of two commands.
_LINE = "--8<--"


@dataclass
class Step:
    """One command, and what the page says that it prints."""

    command: str
    expected: str
    varies: bool


def blocks() -> tuple[dict[str, str], list[Step]]:
    """The page's files by name, and its commands; what installs safekv is left out."""
    files: dict[str, str] = {}
    steps: list[Step] = []
    for varies, kind, name, text in _BLOCK.findall(PAGE.read_text("utf-8")):
        if name:
            files[name] = text
        elif kind == "console" and "pip install" not in text:
            for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
                command, _, expected = part.partition("\n")
                steps.append(Step(command, expected, bool(varies)))
    return files, steps


def test_the_tutorial_works_from_nothing(tmp_path: Path) -> None:
    files, steps = blocks()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    printed_by_all = _run("".join(f"{step.command}\necho '{_LINE}'\n" for step in steps), tmp_path)
    outputs = printed_by_all.split(f"{_LINE}\n")
    assert len(outputs) == len(steps) + 1, printed_by_all
    for step, printed in zip(steps, outputs, strict=False):
        assert _compared(printed, step) == _compared(step.expected, step), step.command


def _run(script: str, directory: Path) -> str:
    """What the script prints; nothing that it started is left behind."""
    shell = subprocess.Popen(
        ["bash", "-c", script],
        env=_environment(),
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


def _environment() -> dict[str, str]:
    """The user's, with the commands of this Python and none of the settings of this test run."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "SAFEKV_", "PYTEST_"))}
    return {**kept, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "PYTHONWARNINGS": "error"}


def _compared(text: str, step: Step) -> str:
    text = text.rstrip()
    return re.sub(r"\d+(\.\d+)?", "N", text) if step.varies else text


def test_the_page_has_its_steps() -> None:
    files, steps = blocks()
    assert len(files) >= 8
    assert len(steps) >= 15
