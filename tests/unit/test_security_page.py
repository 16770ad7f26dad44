"""Every test that docs/explanation/security.md calls upon is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "security.md").read_text(encoding="utf-8")
WITNESSES = sorted(set(re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", PAGE)))


@pytest.mark.parametrize("witness", WITNESSES)
def test_the_witness_is_there(witness):
    path, _, name = witness.partition("::")
    functions = {
        node.name for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body if hasattr(node, "name")
    }
    assert not name or name in functions


def test_every_row_of_a_table_has_a_witness():
    for row in re.findall(r"^\| (?!---|what \||where \||statement \|).*\|$", PAGE, re.MULTILINE):
        if not set(row) <= set("|- "):
            assert "`tests/" in row, row
