"""Figures in the documentation come from the report, or they are not there.

A page has ``<!-- bench:envelope.one-aes-gcm -->0.96 ×<!-- /bench -->`` for a claim, and the same on lines of their own
for a table: ``bench:cache.hits``, or ``bench:cache.goals`` for all goals of a benchmark. The report writes what is
between. What looks like a figure about speed or size and is neither between markers nor in code is a mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.figures import Figures, figure
from benchmarks.page import goals_of, markdown

MARKED = re.compile(r"<!-- bench:(?P<name>[a-z]+\.[\w.-]+) -->(?P<text>.*?)<!-- /bench -->", re.DOTALL)
#: Taken from another file that a program writes: each line of it is there, too.
TAKEN = re.compile(r"<!-- from:(?P<file>\S+) -->(?P<text>.*?)<!-- /from -->", re.DOTALL)

_CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_FIGURE = re.compile(
    r"\d ?×(?! ?\d)"
    r"|\d ?x as "
    r"|\b(?:\w+ )?times (?:as|faster|slower|the speed|less|more)\b"
    r"|\d ?(?:µs|us|ns)\b"
    r"|\b(?:micro|nano)seconds?\b"
    r"|\d ?[kMGT]i?B/s"
    r"|\d ?ms (?:per|of CPU)\b"
    r"|\d ?(?:rows|records|reads)(?: a|/| per) ?s"
    r"|\bMB beyond\b"
    r"|\d(?: ?%|\w* percent) (?:faster|slower|more|less|of the time)\b"
)


def known(results: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """What may be named, and what to write for it."""
    texts: dict[str, str] = {}
    for benchmark, result in results.items():
        found = Figures.from_dict({"claims": result["claims"], "tables": result["tables"]})
        texts.update((f"{benchmark}.{claim.name}", figure(claim)) for claim in found.claims)
        texts.update((f"{benchmark}.{table.name}", f"\n\n{markdown(table)}\n\n") for table in found.tables)
        texts[f"{benchmark}.goals"] = f"\n\n{goals_of(result)}\n\n"
    return texts


def pages(docs: Path) -> Iterator[Path]:
    """The README beside that directory, and all pages in it but the report's own and those made of the catalogue."""
    beside = [path for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md") if (path := docs.parent / name).exists()]
    own = docs / "benchmarks.md"
    yield from beside
    yield from (path for path in sorted(docs.glob("**/*.md")) if path != own and "troubleshooting" not in path.parts)


def rewrite(results: Mapping[str, Mapping[str, Any]], docs: Path) -> list[Path]:
    """Bring all markers up to date with what was measured and not only looked at; the pages that changed."""
    texts = known({name: result for name, result in results.items() if not result["quick"]})
    changed = []
    for path in pages(docs):
        before = path.read_text("utf-8")
        after = MARKED.sub(lambda found: _filled(found, texts), before)
        if after != before:
            path.write_text(after, "utf-8")
            changed.append(path)
    return changed


def _filled(found: re.Match[str], texts: Mapping[str, str]) -> str:
    text = texts.get(found["name"])
    return found[0] if text is None else f"<!-- bench:{found['name']} -->{text}<!-- /bench -->"


def naked(text: str) -> list[str]:
    """What looks like a figure and is outside of markers and code."""
    left = MARKED.sub("", TAKEN.sub("", text))
    left = _CODE.sub("", left)
    return [left[max(0, found.start() - 40) : found.end() + 10].replace("\n", " ") for found in _FIGURE.finditer(left)]
