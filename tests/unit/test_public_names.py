"""The names that docs/stability.md promises are those that the code has."""

import importlib
import sys
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS))
import generate_public_names  # noqa: E402

LISTED = generate_public_names.PAGE.read_text(encoding="utf-8").split()


def importable():
    """Not every extra is installed everywhere; what needs one that is missing is looked at elsewhere."""
    for name in generate_public_names.public_modules():
        try:
            yield importlib.import_module(name)
        except ImportError:  # noqa: PERF203  (a missing extra, said in safekv's words or in Python's)
            continue


def test_every_public_name_is_listed_and_every_listed_name_is_there():
    modules = {module.__name__: module for module in importable()}
    there = {f"{name}:{public}" for name, module in modules.items() for public in getattr(module, "__all__", ())}
    listed = {line for line in LISTED if line.partition(":")[0] in modules}

    assert there - listed == set(), "new: run `python docs/generate_public_names.py`"
    assert listed - there == set(), "gone, although promised: see docs/stability.md"


def test_a_promised_name_can_be_had():
    for module in importable():
        for name in getattr(module, "__all__", ()):
            assert getattr(module, name, None) is not None, f"{module.__name__}.{name}"
