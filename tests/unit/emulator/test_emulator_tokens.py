"""Tokens of ours."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from safekv.emulator import granted_claims, make_token, read_token

CLAIMS = some.dictionaries(some.text(), some.none() | some.booleans() | some.integers() | some.text())


@given(CLAIMS)
def test_there_and_back(claims: dict[str, Any]) -> None:
    assert read_token(make_token(claims)) == claims


def test_it_looks_like_a_token_and_says_that_it_is_not_signed() -> None:
    import jwt  # azure-identity brings it

    text = make_token({"aud": "x", "tid": "y"})
    assert jwt.get_unverified_header(text) == {"typ": "JWT", "alg": "none"}
    assert jwt.decode(text, options={"verify_signature": False}) == {"aud": "x", "tid": "y"}


@given(some.text() | some.text(alphabet="eyJ0.-_").map(lambda text: make_token({})[:30] + text))
def test_what_is_no_token_of_ours(text: str) -> None:
    assert read_token(text) in (None, {})


@pytest.mark.parametrize(
    "text",
    ["", "..", "e30.e30.", make_token({}) + "x", make_token({})[:-1], "x" * 100_000, make_token({"a": "b" * 70_000})],
)
def test_near_misses(text: str) -> None:
    assert read_token(text) is None


def test_granted_claims() -> None:
    request = (
        '{"access_token": {"acrs": {"value": "c1"}, "xms_cc": {"essential": true}, "nbf": {"value": "1"},'
        '"x": null, "y": {"values": ["cp1"]}}}'
    )
    assert granted_claims(request) == {"acrs": "c1", "xms_cc": True, "x": True, "y": ["cp1"]}
    assert granted_claims(None) == granted_claims("") == granted_claims('{"id_token": {}}') == {}
