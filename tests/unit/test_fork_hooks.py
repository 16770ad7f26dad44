"""What a child does first. Real forks are in tests/processes."""

from __future__ import annotations

import gc
import threading
from typing import Any
from weakref import WeakSet

import pytest

from safekv import _fork
from safekv._settings import Settings
from safekv.connection._aconnection import AsyncConnection
from safekv.connection._connection import SyncConnection
from safekv.connection._registry import Registry
from safekv.connection._traffic import Traffics
from safekv.connection.tokens._acredential import AsyncTokenSource
from safekv.connection.tokens._credential import TokenSource


class Thing:
    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.calls = 0

    def after_fork(self) -> None:
        self.calls += 1
        if self.error:
            raise self.error


@pytest.fixture(autouse=True)
def _mine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_fork, "_FORKABLE", WeakSet())


def test_everything_alive_starts_again() -> None:
    things = [Thing() for _ in range(3)]
    for thing in things:
        _fork.on_fork(thing)
    del things[0]
    gc.collect()
    _fork._in_child()
    assert [thing.calls for thing in things] == [1, 1]


def test_one_that_fails_does_not_keep_the_others_from_it() -> None:
    """A credential may not find its certificate again; sockets must not stay shared for that."""
    things = [Thing(), Thing(OSError("no such certificate")), Thing(), Thing(ValueError("no")), Thing()]
    for thing in things:
        _fork.on_fork(thing)
    with pytest.raises((OSError, ValueError)):
        _fork._in_child()
    assert [thing.calls for thing in things] == [1] * 5


class Transport:
    """Anything that may be closed, and that must not be."""

    def after_fork(self) -> None:
        """As the transport for many loops has it."""

    def __exit__(self, *_: object) -> None:
        raise AssertionError("the parent's transport was closed")

    async def __aexit__(self, *_: object) -> None:
        raise AssertionError("the parent's transport was closed")


@pytest.mark.parametrize("kind", [SyncConnection, AsyncConnection])
def test_a_connection_opens_a_transport_of_its_own(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = iter([Transport(), Transport()])
    monkeypatch.setattr(kind, "_open", lambda self: next(opened))
    connection = kind("https://a.vault.azure.net", TokenSource(object()), {}, Settings(), Traffics(8))
    parents = connection.transport
    connection._lock.acquire()  # held by a thread that the child does not have
    connection.after_fork()
    assert connection.transport is not parents
    assert parents in connection._abandoned


@pytest.mark.parametrize("kind", [SyncConnection, AsyncConnection])
def test_a_transport_of_the_users_own_stays(kind: Any) -> None:
    transport = Transport()
    connection = kind(
        "https://a.vault.azure.net", TokenSource(object()), {"transport": transport}, Settings(), Traffics(8)
    )
    connection.after_fork()
    assert connection.transport is transport


def test_a_registry_is_empty_and_free() -> None:
    registry = Registry(Settings())
    registry.connection(SyncConnection, "https://a.vault.azure.net", Thing(), {})
    thread = threading.Thread(target=registry._lock.acquire)
    thread.start()
    thread.join()
    registry.after_fork()
    assert len(registry) == 0
    assert registry._lock.acquire(timeout=1)


def test_locks_of_the_sources_are_free() -> None:
    source = TokenSource(object())
    source._lock.acquire()
    source.after_fork()
    assert not source._lock.locked()
    behind = AsyncTokenSource(object(), source)
    behind.after_fork()
    assert behind.cache is source.cache
