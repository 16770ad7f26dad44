"""A live mapping: it changes all at once or not at all, and nobody waits for it."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Iterator
from typing import Any

import pytest
from colours import Colour
from loading import Loading, loading_from

from safekv.connection import _registry
from safekv.errors import InvalidArgument, LoadError
from safekv.testing import LocalKeyVault

VALUE = "planted-value"


class Watching(Loading):
    """Rounds happen when time passes."""

    def pass_time(self, seconds: float) -> None:
        self.local.advance(seconds=seconds)
        if self.colour.loop is None:
            self.local.settle()
        else:
            self.colour.run(self._settle())

    async def _settle(self) -> None:
        await self.local.aio_settle()


@pytest.fixture
def watching(colour: Colour, local: LocalKeyVault, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watching]:
    for name in ("a", "b", "c"):
        local.set_secret(name, f"{VALUE} {name}1")
    with loading_from(colour, local, monkeypatch):
        yield Watching(colour, local)


def test_it_follows_its_secrets_and_tells_what_changed(watching: Watching) -> None:
    config = watching.watch({"A": "a", "B": "b", "again": "a"}, interval=100, jitter=0)
    others = watching.watch((name for name in ["a"]), interval=100, jitter=0)
    told: list[list[str]] = []
    end = config.on_change(told.append)
    before = config.current
    watching.local.set_secret("a", f"{VALUE} a2")
    watching.pass_time(99)
    assert config["A"] == f"{VALUE} a1"
    watching.pass_time(2)
    assert dict(config) == {"A": f"{VALUE} a2", "B": f"{VALUE} b1", "again": f"{VALUE} a2"}  # B1, B2: all keys of it
    assert before["A"] == f"{VALUE} a1"  # one state of all of them
    assert told == [["A", "again"]]
    watching.pass_time(101)
    assert len(told) == 1
    end()
    watching.local.set_secret("b", "new")
    watching.pass_time(101)
    assert config["B"] == "new"
    assert len(told) == 1
    watching.colour.run(config.stop())
    watching.local.set_secret("b", "newer")
    watching.pass_time(1000)
    assert (config["B"], others["a"]) == ("new", f"{VALUE} a2")
    watching.colour.run(others.stop())
    assert len(_registry.current()) == 0


def test_a_failed_refresh_changes_nothing_and_is_reported(watching: Watching, caplog: pytest.LogCaptureFixture) -> None:
    """AppC B3: one 403 during a refresh, and three of four values stay old for ever."""
    config = watching.watch(["a", "b", "c"], interval=100, jitter=0)
    told: list[list[str]] = []
    config.on_change(told.append)
    for name in ("a", "b", "c"):
        watching.local.set_secret(name, f"{VALUE} {name}2")
    watching.local.fail(operation="get_secret", path="/b", error="403_rbac", count=1)
    with caplog.at_level(logging.WARNING, "safekv"):
        watching.pass_time(101)
    assert dict(config) == {name: f"{VALUE} {name}1" for name in "abc"}
    assert isinstance(config.last_error, LoadError)
    assert "not refreshed" in caplog.text
    assert VALUE not in caplog.text
    watching.pass_time(101)
    assert dict(config) == {name: f"{VALUE} {name}2" for name in "abc"}
    assert config.last_error is None
    assert told == [["a", "b", "c"]]
    watching.colour.run(config.stop())


def test_intervals_of_keys(watching: Watching) -> None:
    config = watching.watch(["a", "b"], interval=1000, intervals={"b": 10}, jitter=0, nest="--")
    asked = watching.asked()
    for _ in range(3):
        watching.pass_time(11)
    assert (watching.asked("/b") - 1, watching.asked()) == (3, asked + 3)
    watching.local.set_secret("a", "new")
    watching.pass_time(1000)
    assert config["a"] == "new"
    watching.colour.run(config.stop())


def test_what_a_list_has_comes_and_goes(watching: Watching) -> None:
    watching.local.set_secret("app1-x", "1")
    config = watching.watch(prefix="app1-", interval=10, jitter=0)
    told: list[list[str]] = []
    config.on_change(told.append)
    watching.local.set_secret("app1-y", "2")
    watching.local.set_secret("app1-x", "3", enabled=False)
    watching.pass_time(11)
    assert dict(config) == {"y": "2"}
    assert sorted(told[0]) == ["x", "y"]
    watching.colour.run(config.stop())


@pytest.mark.parametrize("wanted", [{"prefix": "app-"}, {"optional": ["app-first"]}])
def test_what_begins_empty_tells_of_the_first_and_of_the_last(watching: Watching, wanted: Any) -> None:
    config = watching.watch(**wanted, interval=100, jitter=0)
    told: list[list[str]] = []
    config.on_change(told.append)
    watching.pass_time(101)
    assert (dict(config), told) == ({}, [])
    watching.local.set_secret("app-first", VALUE)
    watching.pass_time(101)
    (key,) = config
    assert told == [[key]]
    watching.colour.delete(watching.client(), "app-first")
    watching.pass_time(101)
    assert (dict(config), told) == ({}, [[key], [key]])
    watching.colour.run(config.stop())


def test_the_first_reading_fails_as_load_does_and_leaves_nothing(watching: Watching) -> None:
    with pytest.raises(LoadError, match="absent"):
        watching.watch(["a", "absent"])
    assert len(_registry.current()) == 0


def test_a_callback_that_fails_stops_nothing(watching: Watching, caplog: pytest.LogCaptureFixture) -> None:
    config = watching.watch(["a"], interval=10, jitter=0)
    told: list[list[str]] = []

    def bad(keys: list[str]) -> None:
        raise RuntimeError(config["a"])

    config.on_change(bad)
    config.on_change(told.append)
    watching.local.set_secret("a", f"{VALUE} a2")
    watching.pass_time(11)
    assert told == [["a"]]
    assert VALUE not in caplog.text
    watching.colour.run(config.stop())


def test_it_shows_no_value_and_is_not_pickled(watching: Watching) -> None:
    config = watching.watch(["a"])
    assert repr(config) == "<safekv.Watched a>"
    with pytest.raises(TypeError):
        pickle.dumps(config)
    watching.colour.run(config.stop())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"names": ["a"], "interval": 0}, "interval=0"),
        ({"names": ["a"], "jitter": 1}, "jitter=1"),
        ({"names": ["a"], "intervals": {"a": -1}}, r"intervals\['a'\]=-1"),
        ({"names": ["a"], "intervals": {"x": 5}}, "intervals has x"),
        ({"prefix": "a", "intervals": {"a": 5}}, "intervals= needs names"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(watching: Watching, arguments: Any, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        watching.watch(**arguments)
    assert watching.asked() == 0
