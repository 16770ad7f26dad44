"""Every knob of the cache, from the environment and from code."""

from __future__ import annotations

import pickle
from dataclasses import fields
from typing import Any

import pytest

import safekv
from safekv._cache_settings import CacheSettings, cache_from_environment, check_cache
from safekv.errors import InvalidArgument

NAMES = [field.name for field in fields(CacheSettings)]
PARTS = ("jitter", "refresh_ahead")
MAY_BE_ZERO = ("jitter", "max_stale", "negative_ttl")


def test_defaults() -> None:
    assert cache_from_environment({}) == CacheSettings() == safekv.CacheSettings()
    assert CacheSettings().ttl == 300
    assert CacheSettings().max_entries == 1000


@pytest.mark.parametrize("name", NAMES)
def test_each_has_a_variable(name: str) -> None:
    variable = f"SAFEKV_CACHE_{name.upper()}"
    settings = cache_from_environment({variable: " 1 "})
    assert getattr(settings, name) == 1
    with pytest.raises(InvalidArgument, match=variable):
        cache_from_environment({variable: "soon"})
    with pytest.raises(InvalidArgument, match=variable):
        cache_from_environment({variable: "-1"})


@pytest.mark.parametrize("word", ["off", "OFF", "0", "false", "no"])
def test_off(word: str) -> None:
    assert cache_from_environment({"SAFEKV_CACHE": word, "SAFEKV_CACHE_TTL": "5"}) is None


@pytest.mark.parametrize("word", ["", "on", "1", "True"])
def test_on(word: str) -> None:
    assert cache_from_environment({"SAFEKV_CACHE": word}) == CacheSettings()


def test_neither() -> None:
    with pytest.raises(InvalidArgument, match="SAFEKV_CACHE='perhaps' must be on or off"):
        cache_from_environment({"SAFEKV_CACHE": "perhaps"})


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), True, "5", None])
@pytest.mark.parametrize("name", NAMES)
def test_values_in_code(name: str, value: Any) -> None:
    with pytest.raises(InvalidArgument, match=name):
        CacheSettings(**{name: value})


@pytest.mark.parametrize("name", NAMES)
def test_zero(name: str) -> None:
    if name in MAY_BE_ZERO:
        assert getattr(CacheSettings(**{name: 0}), name) == 0
    else:
        with pytest.raises(InvalidArgument, match="positive"):
            CacheSettings(**{name: 0})


@pytest.mark.parametrize("name", PARTS)
def test_parts(name: str) -> None:
    assert getattr(CacheSettings(**{name: 1}), name) == 1
    with pytest.raises(InvalidArgument, match="at most 1"):
        CacheSettings(**{name: 1.1})


def test_whole_numbers() -> None:
    for wrong in (1.5, "10"):
        with pytest.raises(InvalidArgument, match="whole number"):
            CacheSettings(max_entries=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [True, False, 60, "on", CacheSettings])
def test_what_a_client_takes(wrong: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"cache must be a safekv\.CacheSettings or None"):
        check_cache(wrong)
    assert check_cache(None) is None


def test_they_pickle_and_compare() -> None:
    settings = CacheSettings(ttl=7)
    assert pickle.loads(pickle.dumps(settings)) == settings
    assert hash(settings) == hash(CacheSettings(ttl=7))
