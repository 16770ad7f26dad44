"""``progress=``: a callback is told of each secret."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from colours import Colour
from loading import Loading, loading_from

from safekv.errors import InvalidArgument, LoadError
from safekv.testing import LocalKeyVault

NAMES = [f"s{number}" for number in range(10)]


@dataclass
class Settings:
    s0: str
    s1: str


@pytest.fixture
def loading(colour: Colour, local: LocalKeyVault, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loading]:
    for name in NAMES:
        local.set_secret(name, "x")
        local.set_secret(name, "x", vault="two")
    with loading_from(colour, local, monkeypatch) as loading:
        yield loading


def test_a_callback_is_told_of_each_secret_of_all_vaults(loading: Loading) -> None:
    told: list[tuple[int, int]] = []
    names = {**{name: name for name in NAMES}, "again": "s0", "other": "kv://two/s1"}
    loading.load(names, progress=lambda done, total: told.append((done, total)))
    assert told == [(number, 11) for number in range(1, 12)]
    loading.load_as(Settings, progress=lambda done, total: told.append((done, total)))
    assert told[11:] == [(1, 2), (2, 2)]


def test_a_callback_that_fails_is_logged_and_the_load_goes_on(
    loading: Loading, caplog: pytest.LogCaptureFixture
) -> None:
    assert len(loading.load(NAMES, progress=lambda done, total: 1 / 0)) == 10
    assert "progress= failed (ZeroDivisionError)" in caplog.text


def test_what_fails_is_answered_too(loading: Loading) -> None:
    told: list[int] = []
    with pytest.raises(LoadError):
        loading.load([*NAMES, "gone"], progress=lambda done, total: told.append(done))
    assert told[-1] == 11


def test_what_cannot_tell_is_refused(loading: Loading) -> None:
    with pytest.raises(InvalidArgument, match="progress"):
        loading.load(NAMES, progress="yes")
    assert not loading.asked()
