"""The tutorial, followed to the letter in an empty directory: its files, its commands, and what they print."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from .pages import Step, environment, files_of, steps_of

pytestmark = pytest.mark.sockets

PAGE = "tutorial.md"
#: Between the outputs of two commands.
_LINE = "--8<--"


def test_the_tutorial_works_from_nothing(tmp_path: Path) -> None:
    pytest.importorskip("libcst")  # for `safekv migrate`
    steps = steps_of(PAGE)
    for name, text in files_of(PAGE).items():
        (tmp_path / name).write_text(text)
    printed_by_all = _run("".join(f"{step.command}\necho '{_LINE}'\n" for step in steps), tmp_path)
    outputs = printed_by_all.split(f"{_LINE}\n")
    assert len(outputs) == len(steps) + 1, printed_by_all
    for step, printed in zip(steps, outputs, strict=False):
        assert _compared(printed, step) == _compared(step.expected, step), step.command


def test_the_page_has_its_steps() -> None:
    assert len(files_of(PAGE)) >= 8
    assert len(steps_of(PAGE)) >= 15


def _run(script: str, directory: Path) -> str:
    """What the script prints; nothing that it started is left behind."""
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


def _compared(text: str, step: Step) -> str:
    text = text.rstrip()
    return re.sub(r"\d+(\.\d+)?", "N", text) if step.varies else text
