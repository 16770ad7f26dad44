"""What may share a client, and what may not."""

from __future__ import annotations

import math
from typing import Any

import pytest
from azure.keyvault.secrets import ApiVersion
from hypothesis import given
from hypothesis import strategies as st

from safekv.connection._identity import CONNECTION_OPTIONS, Same, frozen, split_options

LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-3, 3) | st.text(max_size=3) | st.binary(max_size=3)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
)
OPTIONS = st.dictionaries(st.sampled_from(["timeout", "headers", "retry_total", "user_agent"]), VALUES, max_size=4)


def alike(one: Any, other: Any) -> bool:
    """Equal in type and content, all the way down: what ``==`` alone would not say of True and 1."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(alike, one, other))
    return bool(one == other)


@given(OPTIONS, OPTIONS)
def test_equal_keys_mean_equal_options(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert (frozen(one) == frozen(other)) == alike(one, other)
    assert hash(frozen(one)) == hash(frozen(dict(reversed(one.items()))))
    assert frozen(one) == frozen(dict(reversed(one.items())))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (True, 1),
        (1, 1.0),
        (0, False),
        ("a", b"a"),
        ([], ()),
        ([1], (1,)),
        ([1, 2], [2, 1]),
        ({}, []),
        ({"a": 1}, {"a": True}),
        ({1: "a"}, {True: "a"}),
        ({1: "a"}, {1.0: "a"}),
        ("7.4", ApiVersion.V7_4),
        (None, 0),
        ([["a"], "b"], ["a", ["b"]]),
        (object(), object()),
        (lambda: 1, lambda: 1),
        ({1, 2}, {1, 2}),
        (math.nan, -math.nan),
    ],
)
def test_differences(one: Any, other: Any) -> None:
    assert frozen(one) != frozen(other)
    assert frozen({"option": [one]}) != frozen({"option": [other]})


class Equal:
    """Says that it equals everything, and hides what it is."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1


def test_objects_equal_themselves_only() -> None:
    one, other = Equal(), Equal()
    assert one == other
    assert Same(one) == Same(one) == frozen(one)
    assert Same(one) != Same(other)
    assert Same(one) != one or isinstance(one, Equal)
    assert frozen([one]) != frozen([other])


def test_what_is_compared_stays_alive() -> None:
    """An id alone would be given to the next object."""
    keys = {frozen(object()) for _ in range(1000)}
    assert len(keys) == 1000


def test_splitting() -> None:
    options = {"transport": 1, "timeout": 2, "connection_verify": 3, "bogus": 4}
    connection, client = split_options(options)
    assert connection == {"transport": 1, "connection_verify": 3}
    assert client == {"timeout": 2, "bogus": 4}
    assert set(connection) <= CONNECTION_OPTIONS
