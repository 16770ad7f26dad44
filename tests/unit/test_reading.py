"""What an answer says that says nothing."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from safekv.connection._reading import error_in, parsed


@pytest.mark.parametrize("text", ["", "no", "[" * 200_000, '{"error":' * 200_000, "\ufeff{}", "[]", '{"error": []}'])
def test_a_body_that_is_no_error_is_none(text: str) -> None:
    assert not parsed(text) or text == '{"error": []}'
    assert error_in(SimpleNamespace(text=lambda: text)) is None
