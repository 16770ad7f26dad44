"""Reading through the cache, in threads. ``aio/_reads`` is its twin."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any, Protocol

from azure.keyvault.secrets import KeyVaultSecret

from safekv._seconds import limit
from safekv.cache._cache import Call, Do, Step
from safekv.cache._entry import Key
from safekv.cache._singleflight import Flight
from safekv.connection._background import background
from safekv.secrets._cache import SecretCache
from safekv.secrets._kept import twin


class Reader(Protocol):
    """A client, as its cache sees it."""

    @property
    def _call_timeout(self) -> float:
        """Seconds that a call has which is given no timeout."""
        ...

    def _read_vault(self, name: str, version: str | None, **limits: Any) -> KeyVaultSecret:
        """Read the vault, whatever is kept."""
        ...


class SyncSecretCache(SecretCache):
    """The cache of sync clients."""

    def read(
        self,
        client: Reader,
        name: str,
        version: str | None = None,
        *,
        max_age: float | None = None,
        timeout: float | None = None,
    ) -> KeyVaultSecret:
        """The secret: kept, or from whoever is reading it, or from the vault."""
        key = Key(name.lower(), version or None)
        timeout = limit("timeout", timeout)
        call = self.cache.call(client._call_timeout if timeout is None else timeout, max_age)
        limited = timeout is not None
        while True:
            step = self.cache.decide(key, call)
            if step.do is Do.LEAD:
                return self._lead(client, name, call, step, limited=limited or step.entry is not None)
            if step.flight is None:
                return self._serve(client, name, key, step)
            answer = self._wait(key, call, step)
            if answer is not None:
                return answer
            limited = True  # part of the time is over

    def refresh(self, client: Reader, name: str, key: Key, *, always: bool = False) -> None:
        """Read it again, if nobody has (or ``always``); what goes wrong is told as an event."""
        flight = self.cache.begin_refresh(key, client._call_timeout, always=always)
        if flight is not None:
            with suppress(Exception):  # it was told
                self._fly(client, name, flight)

    def _serve(self, client: Reader, name: str, key: Key, step: Step) -> KeyVaultSecret:
        assert step.entry is not None
        if step.refresh:
            background().submit(partial(self.refresh, client, name, key))
        if step.entry.error is not None:
            raise twin(step.entry.error)
        return step.entry.value.secret()  # type: ignore[no-any-return]

    def _lead(self, client: Reader, name: str, call: Call, step: Step, *, limited: bool) -> KeyVaultSecret:
        assert step.flight is not None
        limits = {"timeout": min(step.flight.timeout, self.left(call))} if limited else {}
        try:
            return self._fly(client, name, step.flight, **limits)
        except Exception as error:
            if step.entry is None or not step.flight.transient:
                raise
            entry = self.cache.stand_in(step.flight.key, call, type(error).__name__)
            if entry is None:
                raise
            return entry.value.secret()  # type: ignore[no-any-return]

    def _fly(self, client: Reader, name: str, flight: Flight, **limits: Any) -> KeyVaultSecret:
        try:
            answer = client._read_vault(name, flight.key.version, **limits)
        except BaseException as error:
            change = self.crashed(flight, error)
            self._changed(change)
            raise
        secret, change = self.landed(flight, answer)
        self._changed(change)
        return secret

    def _wait(self, key: Key, call: Call, step: Step) -> KeyVaultSecret | None:
        """Wait for another's read. None: ask again."""
        flight = step.flight
        assert flight is not None
        return self.after_waiting(key, call, step, ended=flight.ended.wait(self.patience(call, step)))

    def _changed(self, change: Any) -> None:
        for _ in self.answers(change):
            pass
