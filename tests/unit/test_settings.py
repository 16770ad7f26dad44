"""Every knob, from the environment and from code."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

from safekv._settings import Settings, from_environment
from safekv.errors import InvalidArgument

NAMES = [field.name for field in fields(Settings)]


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
    assert type(getattr(settings, name)) is type(getattr(Settings(), name))
    for other in NAMES:
        if other != name:
            assert getattr(settings, other) == getattr(Settings(), other)


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


def test_the_environment_is_read_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    from safekv.connection._registry import Registry

    registry = Registry()
    monkeypatch.setenv("SAFEKV_TIMEOUT", "7")
    assert registry.settings.timeout == 7
    monkeypatch.setenv("SAFEKV_TIMEOUT", "8")
    assert registry.settings.timeout == 7
