"""SKV301 and SKV005: versions of Azure's packages that are too old, in files that declare dependencies."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import PurePath

from safekv._versions import FLOORS
from safekv.migrate._findings import Finding, ignored_lines, kept

#: Before 4.0 this was the whole SDK; since then it only installs the others.
_FIRST = "azure-keyvault"
_FLOORS = {**FLOORS, _FIRST: "4.0.0"}
_NAME = r"(?P<name>" + "|".join(name.replace("-", "[-_.]") for name in _FLOORS) + r")"
#: PEP 508: azure-identity[extra] >=1.5,<2 ; marker
_REQUIREMENT = re.compile(_NAME + r"(?![\w.-])\s*(?:\[[^\]]*\])?\s*\(?(?P<spec>[^;#\"'@)]*)", re.IGNORECASE)
#: Poetry and Pipenv: azure-identity = "^1.5", or { version = "^1.5", ... }
_TABLE_ENTRY = re.compile(
    r"""\s*["']?""" + _NAME + r"""["']?\s*=\s*(?:\{.*?version\s*=\s*)?["'](?P<spec>[^"']*)["']""", re.IGNORECASE
)
_TABLE = re.compile(r"\s*\[+\s*([^\]]+?)\s*\]+\s*(?:#.*)?$")
_BY_NAME = re.compile(r"tool\.poetry(\.group\.[^.]+)?\.(dev-)?dependencies|packages|dev-packages")
_LISTS = re.compile(r"project(\.optional-dependencies)?|dependency-groups|tool\.(uv|pdm|hatch)\b.*|build-system")
_BOUND = re.compile(r"(?P<op>\^|~=|~|>=|<=|===?|!=|>|<)?\s*v?(?P<version>\d+(?:\.\d+)*)")
_FROM = frozenset({">=", ">", "==", "===", "~=", "^", "~", ""})


def is_requirements(name: str) -> bool:
    """Whether a file of this name declares dependencies, as far as they can be read."""
    pure = PurePath(name)
    if pure.name in {"pyproject.toml", "setup.cfg", "setup.py", "Pipfile"}:
        return True
    folder = pure.parent.name
    said = ("requirements" in pure.name or "constraints" in pure.name) or folder in ("requirements", "constraints")
    return said and pure.suffix in {".txt", ".in"}


def check(text: str, path: str) -> list[Finding]:
    """What is too old in this file.

    :raises SyntaxError: if a ``setup.py`` cannot be parsed.
    """
    name = PurePath(path).name
    if name == "setup.py":
        found = _in_python(text, path)
    elif name in {"pyproject.toml", "Pipfile"}:
        found = _in_tables(text, path)
    else:
        found = _in_lines(text, path, settings=name == "setup.cfg")
    return kept(found, ignored_lines(text, python=name == "setup.py"))


def too_old(name: str, spec: str, *, bare: bool = False) -> str | None:
    """What is wrong with these bounds; None if nothing is. ``bare``: a version alone is a bound, as in Poetry."""
    package = _package(name)
    floor = _numbers(_FLOORS[package])
    bounds = [(match["op"] or "", match["version"]) for match in _BOUND.finditer(spec)]
    lowest = [version for op, version in bounds if op in _FROM and (op or bare)]
    if lowest and max(map(_numbers, lowest)) < floor:
        return f"{package} {spec.strip()} lets {max(lowest, key=_numbers)} in; the minimum is {_FLOORS[package]}"
    below = [_numbers(version) <= floor for op, version in bounds if op == "<"]
    up_to = [_numbers(version) < floor for op, version in bounds if op == "<="]
    if any(below) or any(up_to):
        return f"{package} {spec.strip()} keeps {_FLOORS[package]} out, which is the minimum"
    return None


def _package(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _finding(
    path: str, line: int, column: int, found: re.Match[str], end: int = 0, bare: bool = False
) -> list[Finding]:
    why = too_old(found["name"], found["spec"], bare=bare)
    if why is None:
        return []
    return [Finding(path, line, column, "SKV005" if _package(found["name"]) == _FIRST else "SKV301", why, end)]


def _numbers(version: str) -> tuple[int, ...]:
    """Three numbers: ``1.25`` is ``(1, 25, 0)``."""
    return tuple(int(part) for part in [*version.split("."), "0", "0"][:3])


def _in_lines(text: str, path: str, *, settings: bool) -> Iterator[Finding]:
    for number, line in enumerate(text.splitlines(), 1):
        key = re.match(r"\w+\s*=(?!=)", line) if settings else None  # install_requires = azure-identity>=1.5
        rest = line[key.end() :] if key else line
        found = _REQUIREMENT.match(line, len(line) - len(rest.lstrip()))
        if found:
            yield from _finding(path, number, found.start() + 1, found)


def _in_tables(text: str, path: str) -> Iterator[Finding]:
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _TABLE.match(line):
            table = header[1].replace('"', "")
        elif line.lstrip().startswith("#"):
            continue
        elif _BY_NAME.fullmatch(table):
            found = _TABLE_ENTRY.match(line)
            if found:
                yield from _finding(path, number, found.start("name") + 1, found, bare=True)
        elif _LISTS.fullmatch(table):
            for quoted in re.finditer(r"""["']\s*(?=azure)""", line, re.IGNORECASE):
                found = _REQUIREMENT.match(line, quoted.end())
                if found:
                    yield from _finding(path, number, found.start() + 1, found)


def _in_python(text: str, path: str) -> Iterator[Finding]:
    for node in ast.walk(ast.parse(text, path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = _REQUIREMENT.match(node.value.strip())
            if found:
                yield from _finding(path, node.lineno, node.col_offset + 1, found, node.end_lineno or 0)
