"""The tutorial, followed to the letter in an empty directory: its files, its commands, and what they print."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .pages import Step, files_of, steps_of, typed

pytestmark = pytest.mark.sockets

PAGE = "tutorial.md"
#: Between the outputs of two commands.
_LINE = "--8<--"


def test_the_tutorial_works_from_nothing(tmp_path: Path) -> None:
    pytest.importorskip("libcst")  # for `safekv migrate`
    steps = steps_of(PAGE)
    for name, text in files_of(PAGE).items():
        (tmp_path / name).write_text(text)
    printed_by_all = typed("".join(f"{step.command}\necho '{_LINE}'\n" for step in steps), tmp_path)
    outputs = printed_by_all.split(f"{_LINE}\n")
    assert len(outputs) == len(steps) + 1, printed_by_all
    for step, printed in zip(steps, outputs, strict=False):
        assert _compared(printed, step) == _compared(step.expected, step), step.command


def test_the_page_has_its_steps() -> None:
    assert len(files_of(PAGE)) >= 8
    assert len(steps_of(PAGE)) >= 15


def _compared(text: str, step: Step) -> str:
    text = text.rstrip()
    return re.sub(r"\d+(\.\d+)?", "N", text) if step.varies else text
