"""What emulator.md says to start, and the examples of other pages on it, top to bottom in one directory."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .pages import DOCS, files_of, typed

pytestmark = pytest.mark.sockets

PAGES = ("monitoring.md", "cache.md", "connections.md", "doctor.md", "keys.md", "how-to/managed-hsm.md")
_BLOCK = r"^```python\n(.*?)^```$"
EXAMPLES = f"""
import pathlib, re, sys
for page in map(pathlib.Path, sys.argv[1:]):
    for number, block in enumerate(re.findall({_BLOCK!r}, page.read_text("utf-8"), re.DOTALL | re.M), 1):
        try:
            exec(compile(block, page.name, "exec", dont_inherit=True), {{"__name__": "example"}})
        except ModuleNotFoundError as missing:  # not installed everywhere
            if not str(missing.name or missing).startswith("opentelemetry"):
                raise
        print("ran", page.name, number)
"""


def test_the_other_pages_work_on_what_the_page_starts(tmp_path: Path) -> None:
    text = (DOCS / "emulator.md").read_text("utf-8")
    blocks = re.findall(r"^```console\n(.*?)^```$", text, re.DOTALL | re.M)
    start = next(block for block in blocks if "python fill.py" in block)
    unset = next(block for block in blocks if "$ unset" in block).splitlines()[0]
    for name, content in {**files_of("emulator.md"), "examples.py": EXAMPLES}.items():
        (tmp_path / name).write_text(content)
    pages = " ".join(str(DOCS / page) for page in PAGES)
    commands = [*start.splitlines(), f"$ python examples.py {pages}", unset, "env | cut -d= -f1", "kill %1", "wait"]
    printed = typed("\n".join(line.removeprefix("$ ") for line in commands), tmp_path)
    lines = printed.splitlines()
    expected = [
        f"ran {Path(page).name} {number}"
        for page in PAGES
        for number in range(1, (DOCS / page).read_text("utf-8").count("\n```python\n") + 1)
    ]
    assert [line for line in lines if line.startswith("ran ")] == expected, printed
    assert "PATH" in lines
    assert not {"SSL_CERT_FILE", "SAFEKV_EMULATOR_VAULTS", "IDENTITY_ENDPOINT"}.intersection(lines)
