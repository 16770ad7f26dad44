"""The pages in ``docs/troubleshooting/`` are what the tables say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from safekv.errors._questions import QUESTIONS
from safekv.errors._topics import TOPICS

DOCS = Path(__file__).resolve().parents[2] / "docs"


def generator() -> Any:
    spec = importlib.util.spec_from_file_location("generate_troubleshooting", DOCS / "generate_troubleshooting.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGES = generator().pages()


def test_there_is_a_page_for_each_topic_and_each_question() -> None:
    assert set(PAGES) == {"README.md", *(f"{each}.md" for each in TOPICS), *(f"{each.slug}.md" for each in QUESTIONS)}
    assert {path.name for path in (DOCS / "troubleshooting").glob("*.md")} == set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_the_committed_page_is_the_generated_one(name: str) -> None:
    committed = (DOCS / "troubleshooting" / name).read_text("utf-8")
    assert committed == PAGES[name], "run: python docs/generate_troubleshooting.py"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_complete(name: str) -> None:
    text = PAGES[name]
    assert text.startswith("# ")
    assert "{" not in text.replace('[{"category"', "").replace("}]'", "")
    if name != "README.md":
        assert "Microsoft's guide: <https://" in text
        assert f"]({name})" in PAGES["README.md"]


def test_the_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = generator()
    monkeypatch.setattr(module, "FOLDER", tmp_path / "pages")
    module.main()
    (tmp_path / "pages" / "old.md").write_text("old", "utf-8")
    module.main()
    assert {path.name for path in (tmp_path / "pages").iterdir()} == set(PAGES)
