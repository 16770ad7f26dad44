"""Configuration files: what python-dotenv reads is read alike; what cannot be read is named, without its text."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safekv.config._dotenv import read_dotenv
from safekv.config._files import read_file
from safekv.errors import InvalidArgument, MissingPackage

SECRET = "planted-value"
LINES = [
    "A=1",
    "export B = two words  # comment",
    "C='single # not a comment'",
    'D="double \\"quoted\\" \\n line"',
    "E=",
    "F='it\\'s'",
    "# comment",
    "",
    "   G=spaces   ",
    'H="several\nlines"',
    "I=${A}-${NOWHERE:-default}-${NOWHERE}",
    "J=a#b",
    "'K K'=quoted key",
    "L",
    "M=x=y",
    "N='${A}'",
    "O='' # empty",
    "export  P=\t5\t",
]


@given(st.lists(st.sampled_from(LINES), max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_it_reads_what_python_dotenv_reads(lines: list[str], end: str) -> None:
    dotenv = pytest.importorskip("dotenv")
    text = end.join(lines)
    theirs = dotenv.dotenv_values(stream=io.StringIO(text, newline=""))
    assert read_dotenv(text, {})[0] == {key: value for key, value in theirs.items() if value is not None}


def test_lines_are_counted() -> None:
    values, lines = read_dotenv("\n".join(LINES), {"NOWHERE": "x"})
    assert lines["A"] == 1
    assert lines["H"] == 10
    assert lines["I"] == 12
    assert values["I"] == "1-x-x"


def test_every_line_that_cannot_be_read_is_named_without_its_text() -> None:
    with pytest.raises(InvalidArgument, match=r"app\.env:2, app\.env:4 cannot be read") as caught:
        read_dotenv(f"A=1\n={SECRET}\nB=2\nC='{SECRET}\n", {}, "app.env")
    assert SECRET not in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidArgument):
        read_dotenv(text, {})


FILES = {
    "app.toml": '[db]\nurl = "x"\nports = [1, 2]\n',
    "app.json": '{"db": {"url": "x", "ports": [1, 2]}}',
    "app.yaml": "db:\n  url: x\n  ports: [1, 2]\n",
    "app.yml": "db: {url: x, ports: [1, 2]}",
}


@pytest.mark.parametrize("name", FILES)
def test_formats(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(FILES[name])
    assert read_file(tmp_path / name).values == {"db": {"url": "x", "ports": [1, 2]}}


@pytest.mark.parametrize("name", [".env", ".env.local", "app.env"])
def test_dotenv_files(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(f"\ufeff# comment\nA={SECRET}\n", "utf-8")
    file = read_file(tmp_path / name)
    assert file.values == {"A": SECRET}
    assert file.where("A") == f"{tmp_path / name}:2 A"
    assert SECRET not in repr(file)


BROKEN = {
    "broken.json": f'{{"a": "{SECRET}"',
    "list.json": json.dumps([SECRET]),
    "broken.toml": f"a = {SECRET}",
    "broken.yaml": f"a: [{SECRET}\nb: {{",
    "text.yaml": SECRET,
    "odd.ini": f"a={SECRET}",
    "latin.json": b"\xff",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_cannot_be_read_is_named_without_its_text(tmp_path: Path, name: str) -> None:
    content: Any = BROKEN[name]
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InvalidArgument, match=name) as caught:
        read_file(tmp_path / name)
    assert SECRET not in f"{caught.value}"
    assert caught.value.__cause__ is caught.value.__context__ is None  # they would have the text


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match=r"absent\.env cannot be read: No such file"):
        read_file(tmp_path / "absent.env")


@pytest.mark.parametrize(("name", "modules"), [("a.yaml", ["yaml"]), ("a.toml", ["tomllib", "tomli"])])
def test_a_package_that_is_missing_is_named(
    tmp_path: Path, name: str, modules: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    (tmp_path / name).write_text("")
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)
    if name == "a.toml":
        monkeypatch.setattr("safekv.config._files.find_spec", lambda name: None)
    with pytest.raises(MissingPackage, match="needs") as caught:
        read_file(tmp_path / name)
    assert caught.value.hint.startswith("pip install")
