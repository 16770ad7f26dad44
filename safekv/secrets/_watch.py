"""Watching for new versions in the background, and using a secret that may be old. ``aio/_watch`` is its twin."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from azure.core.exceptions import HttpResponseError
from azure.keyvault.secrets import KeyVaultSecret, SecretProperties

from safekv import _events
from safekv.cache._entry import Key
from safekv.cache._events import WatchFailed
from safekv.connection._background import background
from safekv.secrets._rotation import Rounds

if TYPE_CHECKING:
    from safekv.secrets._client import SecretClient

logger = logging.getLogger("safekv")
T = TypeVar("T")
Bad = type[BaseException] | tuple[type[BaseException], ...]


class Watch:
    """Reads the secrets that are watched when they have changed. Ends with ``stop()``, or on leaving ``with``."""

    def __init__(self, client: SecretClient, rounds: Rounds) -> None:
        self._client = client
        self._rounds = rounds
        background().repeat(self)

    def stop(self) -> None:
        """End it. A round that has begun is finished."""
        background().cancel(self)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *details: object) -> None:
        self.stop()

    def remaining(self) -> float:
        """Seconds until the next round."""
        return self._rounds.remaining()

    def __call__(self) -> None:
        """One round."""
        rounds = self._rounds
        rounds.begin()
        for name in self._to_read(rounds.names()):
            rounds.reads.refresh(self._client, name, Key(name), always=True)  # type: ignore[attr-defined]

    def _to_read(self, names: list[str]) -> list[str]:
        if not self._rounds.lists(names):
            return names
        listed: dict[str, SecretProperties] = {}
        try:
            for number, page in enumerate(self._client.list_properties_of_secrets().by_page(), 1):
                listed.update((str(item.name).lower(), item) for item in page)
                if self._rounds.too_long(names, number):
                    return names
        except Exception as error:
            return names if refused(self._rounds, error) else []
        return self._rounds.changed(names, listed)


def refused(rounds: Rounds, error: Exception) -> bool:
    """Listing failed: whether it is not allowed; told if it is anything else."""
    if isinstance(error, HttpResponseError) and error.status_code == 403:
        rounds.forbidden()
        return True
    host, reason = rounds.reads.host, type(error).__name__
    logger.warning("The secrets of %s could not be listed to see what has changed (%s)", host, reason)
    _events.emit(WatchFailed(host, reason))
    return False


def with_secret(client: Any, name: str, use: Callable[[KeyVaultSecret], T], retry_on: Bad) -> T:
    """See ``SecretClient.with_secret``."""
    secret = client.get_secret(name)
    try:
        return use(secret)
    except retry_on as error:
        try:
            fresh = client.get_secret(name, max_age=0)
        except Exception as failure:
            raise error from failure
        if fresh.properties.version == secret.properties.version:
            raise
    return use(fresh)
