"""Configuration files: ``.env``, TOML, JSON and YAML, by the end of their names."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from safekv.config._dotenv import read_dotenv
from safekv.errors import InvalidArgument, MissingPackage


@dataclass(frozen=True, slots=True)
class File:
    """What is in a file, which may be secret; ``lines``: where each of its keys is, if that is known."""

    name: str
    values: Mapping[str, Any] = field(repr=False)
    lines: Mapping[str, int] = field(default_factory=dict)

    def where(self, key: str) -> str:
        """A key as messages name it."""
        return f"{self.name}:{self.lines[key]} {key}" if key in self.lines else f"{self.name} {key}"


def read_file(path: str | os.PathLike[str]) -> File:
    """A configuration file.

    :raises InvalidArgument: if it is none, or cannot be read; without its text.
    :raises MissingPackage: if a package is needed for its format.
    """
    given = Path(path)
    kind = given.suffix.lower() if given.suffix else given.name.lower()
    kind = ".env" if given.name.startswith(".env") or kind == ".env" else kind
    if kind not in (".env", *_READERS) and given.exists():
        raise InvalidArgument(
            f"{given} is no configuration file that is known: its name says no format.",
            hint="Names end with .env, .toml, .json, .yaml or .yml, or begin with .env.",
        )
    text, problem = _text(given)
    if problem:
        raise InvalidArgument(f"{given} cannot be read: {problem}.", hint="Give the path of a file.")
    if kind == ".env":
        values, lines = read_dotenv(text, os.environ, str(given))
        return File(str(given), values, lines)
    try:
        read = _READERS[kind](text)
    except (ValueError, RecursionError) as error:
        where = getattr(error, "lineno", None)
        read, problem = None, f"{given}{f':{where}' if where else ''} is not valid {kind[1:].upper()}."
    else:
        problem = f"{given} has no keys at its top."
    if not isinstance(read, dict):
        raise InvalidArgument(problem, hint="A table of keys and values is needed.")
    return File(str(given), read)


def _text(path: Path) -> tuple[str, str]:
    """A file's text, or what is wrong; not as an exception, which would have the file's bytes in it."""
    try:
        return path.read_text("utf-8-sig"), ""
    except OSError as error:
        return "", error.strerror or type(error).__name__
    except UnicodeDecodeError:
        return "", "it is not UTF-8"


def _toml(text: str) -> Any:
    for name in ("tomllib", "tomli"):  # Python 3.10 has none of its own
        if find_spec(name):
            return import_module(name).loads(text)
    raise MissingPackage("TOML needs Python 3.11, or tomli.", hint="pip install tomli")


def _yaml(text: str) -> Any:
    try:
        import yaml
    except ModuleNotFoundError:
        raise MissingPackage("YAML needs PyYAML, which is not installed.", hint="pip install pyyaml") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        pass  # its text quotes the file's
    raise ValueError


_READERS: dict[str, Callable[[str], Any]] = {".json": json.loads, ".toml": _toml, ".yaml": _yaml, ".yml": _yaml}
