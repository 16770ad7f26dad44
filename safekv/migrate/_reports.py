"""What is shown of it all: for people, for programs, for code scanning, for a pull request."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from safekv.migrate._catalogue import RULES
from safekv.migrate._examine import Examined
from safekv.migrate._findings import Finding

_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True, slots=True)
class Report:
    """``unread`` are notebooks; ``written`` says that the files have been changed."""

    files: Sequence[Examined]
    unread: Sequence[str] = ()
    written: bool = False
    version: str = "0"

    @property
    def changed(self) -> list[Examined]:
        return [file for file in self.files if file.changed]

    @property
    def findings(self) -> list[Finding]:
        return [finding for file in self.files for finding in file.findings]

    @property
    def warnings(self) -> list[Finding]:
        return [finding for finding in self.findings if RULES[finding.rule].level == "warning"]

    @property
    def clean(self) -> bool:
        """Whether ``--check`` passes: nothing to replace, and no warning."""
        return not self.changed and not self.warnings


def diff(file: Examined) -> str:
    """A unified diff that ``patch`` and ``git apply`` take."""
    path = PurePath(file.path).as_posix()
    lines = difflib.unified_diff(_lines(file.old), _lines(file.new), f"a/{path}", f"b/{path}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def text(report: Report) -> str:
    """Diffs (unless the files are written), findings with why and fix, and a summary."""
    parts = [] if report.written else [diff(file) for file in report.changed]
    parts += [f"{_where(finding)}: {finding.rule} {finding.message}\n{_advice(finding)}" for finding in report.findings]
    return "\n".join([*parts, _summary(report)])


def as_json(report: Report) -> str:
    return json.dumps(
        {
            "files": [
                {"path": file.path, "changed": file.changed, "diff": diff(file) if file.changed else ""}
                for file in report.files
                if file.changed or file.findings
            ],
            "findings": [_as_dict(finding) for finding in report.findings],
            "notebooks_not_read": list(report.unread),
            "written": report.written,
            "clean": report.clean,
        },
        indent=2,
    )


def github(report: Report) -> str:
    """Workflow commands, which GitHub shows beside the lines of a pull request."""
    lines = []
    for finding in _all(report):
        kind = "warning" if RULES[finding.rule].level == "warning" else "notice"
        properties = {"file": finding.path, "line": finding.line, "col": finding.column, "title": finding.rule}
        said = ",".join(f"{name}={_escaped(str(value), ':,')}" for name, value in properties.items())
        lines.append(f"::{kind} {said}::{_escaped(f'{finding.message}. {_fix(finding)}')}")
    return "\n".join(lines)


def sarif(report: Report) -> str:
    """SARIF 2.1.0, for code scanning."""
    order = list(RULES)
    results = [
        {
            "ruleId": finding.rule,
            "ruleIndex": order.index(finding.rule),
            "level": RULES[finding.rule].level,
            "message": {"text": f"{finding.message}. {RULES[finding.rule].why} {_fix(finding)}"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": _uri(finding.path)},
                        "region": {"startLine": finding.line, "startColumn": finding.column},
                    }
                }
            ],
        }
        for finding in _all(report)
    ]
    driver = {
        "name": "safekv migrate",
        "semanticVersion": report.version,
        "rules": [_sarif_rule(rule_id) for rule_id in order],
    }
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SARIF, "version": "2.1.0", "runs": [run]}, indent=2)


FORMATS: Mapping[str, Callable[[Report], str]] = {"text": text, "json": as_json, "sarif": sarif, "github": github}


def _all(report: Report) -> Iterator[Finding]:
    """The findings, and each place that would be replaced."""
    for file in report.files:
        yield from sorted([*(() if report.written else file.replaced), *file.findings])


def _lines(text: str) -> list[str]:
    """Lines as ``diff`` sees them: the newline is ``\\n`` alone."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _where(finding: Finding) -> str:
    return f"{finding.path}:{finding.line}:{finding.column}"


def _advice(finding: Finding) -> str:
    return f"    why: {RULES[finding.rule].why}\n    fix: {_fix(finding)}\n"


def _fix(finding: Finding) -> str:
    return finding.fix or RULES[finding.rule].fix


def _summary(report: Report) -> str:
    changed, warnings = len(report.changed), len(report.warnings)
    notes = len(report.findings) - warnings
    verb = "changed" if report.written else "would change"
    said = [f"{_count(changed, 'file')} {verb}, {_count(warnings, 'finding')}, {_count(notes, 'note')}."]
    if changed and not report.written:
        said.append("Nothing was written: --write does.")
    if changed:
        said.append("Add safekv to the application's dependencies, and let its formatter sort the imports.")
    if report.unread:
        said.append(f"Notebooks are not read: {', '.join(report.unread)}.")
    return "\n".join(said)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _as_dict(finding: Finding) -> dict[str, Any]:
    rule = RULES[finding.rule]
    said = {name: value for name, value in asdict(finding).items() if name != "end_line"}
    return {**said, "level": rule.level, "why": rule.why, "fix": _fix(finding), "guide": rule.url}


def _escaped(value: str, more: str = "") -> str:
    for character in "%\r\n" + more:  # the per cent sign first
        value = value.replace(character, f"%{ord(character):02X}")
    return value


def _uri(path: str) -> str:
    pure = PurePath(path)
    return pure.as_uri() if pure.is_absolute() else quote(pure.as_posix())


def _sarif_rule(rule_id: str) -> dict[str, Any]:
    rule = RULES[rule_id]
    return {
        "id": rule.id,
        "name": "".join(part.title() for part in rule.name.split("-")),
        "shortDescription": {"text": rule.why},
        "help": {"text": f"{rule.why} {rule.fix}"},
        "helpUri": rule.url,
        "defaultConfiguration": {"level": rule.level},
    }
