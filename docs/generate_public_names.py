"""Writes ``docs/reference/public-names.txt``: every name that docs/stability.md promises.

``python docs/generate_public_names.py`` writes it; a test compares it with the code, so that no name goes unnoticed.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import safekv

PAGE = Path(__file__).parent / "reference" / "public-names.txt"


def public_modules() -> Iterator[str]:
    """``safekv`` and what is in it, but what begins with an underscore and what only the command line uses."""
    yield "safekv"
    for module in pkgutil.walk_packages(safekv.__path__, "safekv."):
        parts = module.name.split(".")
        if not any(part.startswith("_") for part in parts) and parts[1] not in ("cli", "pytest_plugin"):
            yield module.name


def public_names() -> str:
    """One line a name, ``module:name``, sorted. Needs every extra that a public module imports."""
    lines = set()
    for name in public_modules():
        module = importlib.import_module(name)
        lines.update(f"{name}:{public}" for public in getattr(module, "__all__", ()))
    return "".join(f"{line}\n" for line in sorted(lines))


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(public_names(), encoding="utf-8")
