"""The files that ``safekv migrate`` reads and writes."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path, PurePath

#: Directories of other people's code, and of no code.
NOT_OURS = frozenset(
    [
        ".eggs",
        ".git",
        ".hg",
        ".ipynb_checkpoints",
        ".mypy_cache",
        ".nox",
        ".pytest_cache",
        ".ruff_cache",
        ".svn",
        ".tox",
        ".venv",
        "__pycache__",
        "__pypackages__",
        "node_modules",
        "site-packages",
        "venv",
    ]
)
NOTEBOOK = ".ipynb"
#: A file that is larger is no source text.
LARGEST = 4 * 2**20


def found(given: Sequence[str], exclude: Sequence[str]) -> Iterator[Path]:
    """The files at these paths, in order and once. A file that is named is taken whatever it is called."""
    seen: set[str] = set()
    for path in map(Path, given):
        for file in [path] if not path.is_dir() else _below(path, exclude):
            real = os.path.realpath(file)
            if real not in seen:
                seen.add(real)
                yield file


def _below(top: Path, exclude: Sequence[str]) -> Iterator[Path]:
    for folder, folders, files in os.walk(top):
        here = Path(folder)
        folders[:] = sorted(
            name
            for name in folders
            if name not in NOT_OURS
            and not (here / name / "pyvenv.cfg").exists()
            and not excluded((here / name).relative_to(top), exclude)
        )
        for name in sorted(files):
            if not excluded((here / name).relative_to(top), exclude) and (here / name).is_file():
                yield here / name


def excluded(path: PurePath, patterns: Sequence[str]) -> bool:
    """Whether a pattern fits the path below the one that was given, or one of its names: ``legacy``, ``docs/*.py``."""
    whole = path.as_posix()
    return any(fnmatch(whole, pattern.rstrip("/")) or fnmatch(path.name, pattern.rstrip("/")) for pattern in patterns)


def is_test(path: PurePath) -> bool:
    """Whether a file is part of tests, by its name and those of its directories."""
    name = path.name
    by_name = name == "conftest.py" or name.startswith("test_") or path.stem.endswith("_test")
    return by_name or any(part in {"test", "tests", "testing"} for part in path.parts[:-1])


def replace(path: Path, old: bytes, new: bytes) -> None:
    """Put ``new`` in the place of ``old`` whole or not at all, with the file's mode and through a link.

    :raises OSError: if it cannot be written, or is no longer what was read.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(8)}.tmp")
    mode = stat.S_IMODE(target.stat().st_mode)
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(new)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        if target.read_bytes() != old:
            raise OSError(f"{path} was changed by somebody else meanwhile, and is left alone")
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
