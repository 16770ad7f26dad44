"""Every knob, from the environment and from code."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

from safekv._seconds import LONGEST
from safekv._settings import Settings, from_environment
from safekv.errors import InvalidArgument

NAMES = [field.name for field in fields(Settings) if field.name not in ("gate", "share")]


def test_defaults() -> None:
    assert from_environment({}) == Settings()
    settings = Settings()
    assert settings.timeout == 30
    assert settings.connection_timeout < settings.read_timeout < settings.timeout
    with pytest.raises(FrozenInstanceError):
        settings.timeout = 1  # type: ignore[misc]


@pytest.mark.parametrize("name", NAMES)
def test_each_has_a_variable(name: str) -> None:
    settings = from_environment({f"SAFEKV_{name.upper()}": " 7 ", "SAFEKV_UNKNOWN": "x"})
    assert getattr(settings, name) == 7
    assert type(getattr(settings, name)) in (type(getattr(Settings(), name)), float)
    for other in NAMES:
        if other != name:
            assert getattr(settings, other) == getattr(Settings(), other)


def test_the_gate_is_a_word() -> None:
    assert from_environment({"SAFEKV_GATE": "strict"}).gate == "strict"
    with pytest.raises(InvalidArgument, match="SAFEKV_GATE='open' must be one of window, strict"):
        from_environment({"SAFEKV_GATE": "open"})


def test_a_share_is_a_part() -> None:
    assert from_environment({"SAFEKV_SHARE": "0.5"}).share == 0.5
    with pytest.raises(InvalidArgument, match=r"SAFEKV_SHARE=2\.0 must be at most 1"):
        from_environment({"SAFEKV_SHARE": "2"})


def test_what_a_client_is_given_wins() -> None:
    assert Settings().changed({"max_rate": 5, "timeout": 1, "unknown": 3}) == Settings(max_rate=5)
    assert Settings(gate="strict").changed({"gate": None, "share": None}) == Settings(gate="strict")
    with pytest.raises(InvalidArgument, match="min_rate"):
        Settings().changed({"min_rate": -1})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", ["soon", "-1", "0", "nan", "inf", "1,5", "0x10", "7s"])
def test_what_cannot_be_read_names_the_variable(name: str, text: str) -> None:
    variable = f"SAFEKV_{name.upper()}"
    with pytest.raises(InvalidArgument) as caught:
        from_environment({variable: text})
    assert variable in str(caught.value)
    assert text in str(caught.value)
    assert f"{variable}=30" in str(caught.value)


def test_whole_numbers() -> None:
    with pytest.raises(InvalidArgument, match=r"SAFEKV_POOL_SIZE='1\.5' is not a whole number"):
        from_environment({"SAFEKV_POOL_SIZE": "1.5"})
    assert from_environment({"SAFEKV_TIMEOUT": "1.5"}).timeout == 1.5


@pytest.mark.parametrize("text", ["", "   "])
def test_empty_is_unset(text: str) -> None:
    assert from_environment({"SAFEKV_TIMEOUT": text}) == Settings()


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), True])
@pytest.mark.parametrize("name", NAMES)
def test_values_in_code(name: str, value: Any) -> None:
    with pytest.raises(InvalidArgument, match=name):
        Settings(**{name: value})


def test_no_timeout_is_longer_than_timers_go() -> None:
    with pytest.raises(InvalidArgument, match=r"SAFEKV_TIMEOUT=1000000000000\.0 must be at most 4000000 seconds"):
        from_environment({"SAFEKV_TIMEOUT": "1e12"})
    assert Settings(wait_timeout=LONGEST).wait_timeout == LONGEST


def test_the_environment_is_read_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    from safekv.connection._registry import Registry

    registry = Registry()
    monkeypatch.setenv("SAFEKV_TIMEOUT", "7")
    assert registry.settings.timeout == 7
    monkeypatch.setenv("SAFEKV_TIMEOUT", "8")
    assert registry.settings.timeout == 7
