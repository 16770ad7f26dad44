"""Watching for new versions from a task, and using a secret that may be old. ``../_watch`` is its twin."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from azure.keyvault.secrets import KeyVaultSecret, SecretProperties

from safekv.cache._entry import Key
from safekv.connection import _tasks
from safekv.secrets._rotation import Rounds
from safekv.secrets._watch import Bad, refused

if TYPE_CHECKING:
    from safekv.secrets.aio._client import SecretClient

T = TypeVar("T")


class AsyncWatch:
    """Reads the secrets that are watched when they have changed. Ends with ``stop()``, ``async with``, or its loop."""

    def __init__(self, client: SecretClient, rounds: Rounds) -> None:
        self._client = client
        self._rounds = rounds
        self._task = _tasks.repeat(self)

    def stop(self) -> None:
        """End it."""
        self._task.cancel()

    async def __aenter__(self) -> AsyncWatch:
        return self

    async def __aexit__(self, *details: object) -> None:
        self.stop()

    def remaining(self) -> float:
        """Seconds until the next round."""
        return self._rounds.remaining()

    async def __call__(self) -> None:
        """One round."""
        rounds = self._rounds
        rounds.begin()
        for name in await self._to_read(rounds.names()):
            await rounds.reads.refresh(self._client, name, Key(name), always=True)  # type: ignore[attr-defined]

    async def _to_read(self, names: list[str]) -> list[str]:
        if not self._rounds.lists(names):
            return names
        listed: dict[str, SecretProperties] = {}
        number = 0
        try:
            async for page in self._client.list_properties_of_secrets().by_page():
                number += 1
                async for item in page:
                    listed[str(item.name).lower()] = item
                if self._rounds.too_long(names, number):
                    return names
        except Exception as error:
            return names if refused(self._rounds, error) else []
        return self._rounds.changed(names, listed)


async def with_secret(client: Any, name: str, use: Callable[[KeyVaultSecret], T | Awaitable[T]], retry_on: Bad) -> T:
    """See ``SecretClient.with_secret``."""
    secret = await client.get_secret(name)
    try:
        return await _used(use, secret)
    except retry_on as error:
        try:
            fresh = await client.get_secret(name, max_age=0)
        except Exception as failure:
            raise error from failure
        if fresh.properties.version == secret.properties.version:
            raise
    return await _used(use, fresh)


async def _used(use: Callable[[KeyVaultSecret], T | Awaitable[T]], secret: KeyVaultSecret) -> T:
    answer = use(secret)
    return await answer if inspect.isawaitable(answer) else answer
