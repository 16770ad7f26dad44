"""A cached client of either colour, with the emulator and its clock."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from colours import Colour

from safekv import CacheSettings, _events
from safekv.emulator import AsyncEmulatorTransport, Emulator, EmulatorTransport
from safekv.testing import LocalKeyVault


@dataclass
class Cached:
    colour: Colour
    local: LocalKeyVault
    client: Any

    @classmethod
    @contextmanager
    def made(cls, colour: Colour, local: LocalKeyVault, **options: Any) -> Iterator[Cached]:
        """Expiry without chance: values expire at their ttl."""
        options = {"cache": CacheSettings(jitter=0), **options}
        cached = cls(colour, local, colour.client(local, **options))
        yield cached
        cached.settle()

    def secret(self, name: Any = "greeting", *version: Any, **how: Any) -> Any:
        return self.colour.run(self.client.get_secret(name, *version, **how))

    def get(self, name: Any = "greeting", *version: Any, **how: Any) -> Any:
        return self.secret(name, *version, **how).value

    def versions(self, name: str) -> list[Any]:
        return self.colour.items(self.client.list_properties_of_secret_versions(name))

    def requests(self, name: str = "") -> int:
        """How many reads of a secret's value have reached the vault."""
        return sum(
            entry.operation == "get_secret" and name in entry.path and entry.status != 401
            for entry in self.local.journal
        )

    def advance(self, seconds: float) -> None:
        self.local.advance(seconds=seconds)

    def settle(self) -> None:
        """Let the background do what is due."""
        if self.colour.loop is None:
            self.local.settle()
        else:
            self.colour.run(self.local.aio_settle())

    def recover(self) -> None:
        """Recover ``greeting``, and wait for the end of it."""
        if self.colour.loop is None:
            self.client.begin_recover_deleted_secret("greeting").wait()
        else:
            self.colour.run(self.client.recover_deleted_secret("greeting"))


class Held(EmulatorTransport):
    """A vault that answers when it is let: ``open`` says so. ``held`` is set while a request waits."""

    def __init__(self, emulator: Emulator) -> None:
        super().__init__(emulator)
        self.let = threading.Event()
        self.held = threading.Event()

    def send(self, request: Any, **options: Any) -> Any:
        self.held.set()
        assert self.let.wait(20)
        return super().send(request, **options)


class AsyncHeld(AsyncEmulatorTransport):
    """The same for tasks."""

    def __init__(self, emulator: Emulator) -> None:
        super().__init__(emulator)
        self.let = threading.Event()
        self.held = threading.Event()

    async def send(self, request: Any, **options: Any) -> Any:
        self.held.set()
        while not self.let.is_set():  # noqa: ASYNC110  (set from any thread)
            await asyncio.sleep(0.001)
        return await super().send(request, **options)


def holding(colour: Colour, local: LocalKeyVault) -> Any:
    """A transport that lets requests through from ``let.set()`` on."""
    return (Held if colour.loop is None else AsyncHeld)(local.emulator)


@contextmanager
def events_of() -> Iterator[list[Any]]:
    """The events that are told meanwhile, without those that every call tells."""
    events: list[Any] = []
    of_every_call = (_events.CallStarted, _events.CallFinished, _events.RequestFinished, _events.TokenFetched)
    stop = _events.subscribe(lambda event: isinstance(event, of_every_call) or events.append(event))
    try:
        yield events
    finally:
        stop()
