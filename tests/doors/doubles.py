"""Credentials and transports that do one odd thing each, and note what was done to them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from azure.core.configuration import ConnectionConfiguration
from azure.core.credentials import AccessToken, AccessTokenInfo
from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline.transport import AsyncHttpTransport, HttpTransport

from safekv.testing import LocalKeyVault

TOKEN = "a-token-nobody-may-see"


class Credential:
    """``asked`` keeps the scopes and options; ``delay`` is in real seconds; ``fails`` times it raises ``error()``."""

    def __init__(self, delay: float = 0.0, lifetime: float = 3600.0) -> None:
        self.delay = delay
        self.lifetime = lifetime
        self.asked: list[dict[str, Any]] = []
        self.fails = 0
        self.error: Callable[[], BaseException] = lambda: ClientAuthenticationError("no token today")
        self._lock = threading.Lock()

    def _note(self, scopes: tuple[str, ...], options: Mapping[str, Any] | None) -> int:
        with self._lock:
            self.asked.append({"scopes": scopes, **(options or {})})
            return len(self.asked)

    def _answer(self, number: int) -> AccessTokenInfo:
        with self._lock:
            if self.fails > 0:
                self.fails -= 1
                raise self.error()
        return AccessTokenInfo(f"{TOKEN}-{number}", int(time.time() + self.lifetime))


class InfoCredential(Credential):
    """The newer protocol alone."""

    def get_token_info(self, *scopes: str, options: Any = None) -> AccessTokenInfo:
        number = self._note(scopes, options)
        time.sleep(self.delay)
        return self._answer(number)


class TokenCredential(Credential):
    """The older protocol alone."""

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        number = self._note(scopes, options)
        time.sleep(self.delay)
        token = self._answer(number)
        return AccessToken(token.token, token.expires_on)


class AsyncCredential(Credential):
    """The newer protocol, to be awaited."""

    async def get_token_info(self, *scopes: str, options: Any = None) -> AccessTokenInfo:
        number = self._note(scopes, options)
        await asyncio.sleep(self.delay)
        return self._answer(number)


class AncientCredential:
    """Of a time before tenants."""

    def get_token(self, *scopes: str) -> AccessToken:
        raise AssertionError("never reached")


class Watched(HttpTransport[Any, Any]):
    """The emulator's sync transport. ``delay`` is in real seconds, ``headers`` go onto every answer of 400 and up,
    ``overshoot`` is by how many virtual seconds each sleep is too long."""

    def __init__(
        self,
        local: LocalKeyVault,
        *,
        delay: float = 0.0,
        headers: dict[str, str] | None = None,
        overshoot: float = 0.0,
        read_timeout: float | None = 10.0,
    ) -> None:
        self.connection_config = ConnectionConfiguration(connection_timeout=5.0, read_timeout=read_timeout)
        self._inner = local.transport("sync")
        self._delay = delay
        self._headers = headers or {}
        self._overshoot = overshoot
        self.clock = local.emulator.clock
        self.events: list[str] = []
        self.sleeps: list[float] = []
        self.options: list[dict[str, Any]] = []

    def send(self, request: Any, **options: Any) -> Any:
        self.options.append(options)
        time.sleep(self._delay)
        return self._marked(self._inner.send(request, **self._bounded(options)))

    def sleep(self, duration: float) -> None:
        self.sleeps.append(duration)
        self.clock.advance(duration + self._overshoot)

    def open(self) -> None:
        self.events.append("open")

    def close(self) -> None:
        self.events.append("close")

    def __enter__(self) -> Watched:
        self.events.append("enter")
        return self

    def __exit__(self, *_: object) -> None:
        self.events.append("exit")

    def _bounded(self, options: dict[str, Any]) -> dict[str, Any]:
        read_timeout = options.get("read_timeout", self.connection_config.read_timeout)
        return {**options, "read_timeout": float("inf") if read_timeout is None else read_timeout}

    def _marked(self, response: Any) -> Any:
        if response.status_code >= 400:
            response.headers.update(self._headers)
        return response


class AsyncWatched(AsyncHttpTransport[Any, Any]):
    """As ``Watched``, for aio."""

    def __init__(self, local: LocalKeyVault, **how: Any) -> None:
        self._sync = Watched(local, **how)
        self._inner = local.transport("aio")
        self.connection_config = self._sync.connection_config
        self.clock = local.emulator.clock

    def __getattr__(self, name: str) -> Any:
        if name in ("events", "sleeps", "options"):
            return getattr(self._sync, name)
        raise AttributeError(name)

    async def send(self, request: Any, **options: Any) -> Any:
        self._sync.options.append(options)
        await asyncio.sleep(self._sync._delay)
        return self._sync._marked(await self._inner.send(request, **self._sync._bounded(options)))

    async def sleep(self, duration: float) -> None:
        await asyncio.sleep(0)
        self._sync.sleep(duration)

    async def open(self) -> None:
        self._sync.open()

    async def close(self) -> None:
        self._sync.close()

    async def __aenter__(self) -> AsyncWatched:
        self._sync.__enter__()
        return self

    async def __aexit__(self, *details: object) -> None:
        self._sync.__exit__()


def watched(colour: Any, local: LocalKeyVault, **how: Any) -> Any:
    """A watched transport of this colour."""
    return Watched(local, **how) if colour.loop is None else AsyncWatched(local, **how)


def sent(local: LocalKeyVault, method: str | None = None) -> list[Any]:
    """The requests that carried a token, oldest first."""
    return [entry for entry in local.journal if entry.bearer and method in (None, entry.method)]
