"""What is found: a rule, a place, and what is wrong there."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from safekv.errors._topic import GUIDE

Level = Literal["note", "warning"]

_IGNORED = re.compile(r"#.*\bsafekv:\s*ignore\[([A-Z0-9,\s]+)\]")


@dataclass(frozen=True, slots=True)
class Rule:
    """``why`` and ``fix`` are one sentence each. A note does not make ``--check`` fail."""

    id: str
    name: str
    why: str
    fix: str
    level: Level = "warning"
    url: str = GUIDE


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """``line`` and ``column`` count from 1; ``end_line`` is where a comment may still silence it.

    ``fix`` is what to do in this case, where the rule's own says more than is left to do.
    """

    path: str
    line: int
    column: int
    rule: str
    message: str
    end_line: int = 0
    fix: str = ""


def ignored_lines(text: str, *, python: bool = True) -> Mapping[int, frozenset[str]]:
    """The rules that a comment ``# safekv: ignore[SKV101]`` silences, by line."""
    if "safekv:" not in text:
        return {}
    lines = _comments(text) if python else enumerate(text.splitlines(), 1)
    found = ((number, _IGNORED.search(comment)) for number, comment in lines)
    return {number: frozenset(re.findall(r"SKV\d+", match[1])) for number, match in found if match}


def _comments(text: str) -> list[tuple[int, str]]:
    """Comments alone, for a string may say the same. What is no Python is taken line by line."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return list(enumerate(text.splitlines(), 1))
    return [(token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT]


def kept(findings: Iterable[Finding], silenced: Mapping[int, frozenset[str]]) -> list[Finding]:
    """Those that no comment silences, in order and once."""

    def silent(finding: Finding) -> bool:
        lines = range(finding.line, max(finding.line, finding.end_line) + 1)
        return any(finding.rule in silenced.get(line, ()) for line in lines)

    return sorted({finding for finding in findings if not silent(finding)})
