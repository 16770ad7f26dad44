"""The decisions of the secret cache: who is served, who reads the vault, who waits for whom.

Nothing here waits, reads or knows what a secret is. A driver asks :meth:`Cache.decide` and
does what the answer says; whoever was told to ``LEAD`` reads the vault and reports with
``succeeded``, ``failed`` or ``abandoned``, whatever happens.

What makes answers right: reads of one key never overlap, so what a later one brings is never
older. A read that was under way during a write is not kept, and nobody joins it afterwards.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from safekv.cache._entry import Entry, Key, Reading, State
from safekv.cache._events import (
    CacheEvent,
    CacheInfo,
    RefreshFailed,
    SecretChange,
    SecretExpired,
    SecretNotYetValid,
    SecretRead,
    ServedStale,
)
from safekv.cache._singleflight import Flight, Flights
from safekv.cache._store import Store

if TYPE_CHECKING:
    from safekv._cache_settings import CacheSettings
    from safekv._clock import Random


class Do(str, Enum):
    """What a reader is to do."""

    SERVE = "serve"  # ``entry`` has the value
    DENY = "deny"  # ``entry`` has the error: there is no such secret
    LEAD = "lead"  # read the vault, and report how ``flight`` ended
    JOIN = "join"  # wait for ``flight``, its answer will do
    WAIT = "wait"  # wait for ``flight``, then ask again


class Step(NamedTuple):
    """One decision.

    :ivar entry: for SERVE and DENY. For LEAD and JOIN the value that may stand in, if there is one.
    :ivar refresh: somebody should have the key read in the background.
    """

    do: Do
    entry: Entry | None = None
    flight: Flight | None = None
    refresh: bool = False


class Call(NamedTuple):
    """One read as its caller wants it: how old the answer may be, and how long it may take (seconds)."""

    ticket: int
    began: float
    timeout: float
    max_age: float | None = None

    def takes(self, flight: Flight) -> bool:
        """Whether what this flight brings is young enough. It may be as old as the flight."""
        return flight.joinable and self._takes(flight.ticket, flight.began)

    def takes_entry(self, entry: Entry) -> bool:
        """Whether this entry is young enough."""
        return self._takes(entry.ticket, entry.began)

    def _takes(self, ticket: int, began: float) -> bool:
        # Tickets, not times: what began at the same moment may have begun before.
        if self.max_age is None or ticket > self.ticket:
            return True
        return self.max_age > 0 and began >= self.began - self.max_age


class Cache:
    """What one identity keeps of one vault. Thread-safe.

    :param now: a monotonic clock, in seconds.
    :param told: called with each event, never under the lock.
    """

    def __init__(
        self,
        vault: str,
        settings: CacheSettings,
        now: Callable[[], float],
        random: Random,
        told: Callable[[CacheEvent], object],
    ) -> None:
        self.vault = vault
        self.settings = settings
        self.now = now
        self._random = random
        self._told = told
        self._lock = threading.RLock()  # a signal handler may invalidate while its thread is in here
        self._store = Store(settings.max_entries)
        self._flights = Flights()
        self._misses = self._stale = self._denied = self._refreshes = 0
        self.entries = self._store.entries

    def call(self, timeout: float, max_age: float | None = None) -> Call:
        """Begin a read."""
        return Call(self._flights.ticket(), self.now(), timeout, max_age)

    def decide(self, key: Key, call: Call) -> Step:
        """What this reader is to do now. Asked again after each wait."""
        now = self.now()
        with self._lock:
            step = self._decide(key, call, now)
            event = self._stale_event(key, step.entry, now) if step.do is Do.SERVE else None
        self._tell(event)
        return step

    def _decide(self, key: Key, call: Call, now: float) -> Step:
        entry = self.entries.get(key)
        state = State.GONE if entry is None else entry.state(now)
        if entry is not None and call.takes_entry(entry):
            entry.used = now
            if state is State.NEGATIVE:
                self._denied += 1
                return Step(Do.DENY, entry)
            if state in _SERVED:
                return self._serve(key, entry, now, stale=state is State.STALE)
        if entry is not None and state is State.GONE:
            self._store.drop(key)
        spare = entry if entry is not None and state in _STANDS_IN and call.max_age is None else None
        flight = self._flights.of(key, now)
        if flight is None:
            return Step(Do.LEAD, spare, self._flights.begin(key, now, _patience(call, spare, self.settings)))
        return Step(Do.JOIN if call.takes(flight) else Do.WAIT, spare, flight)

    def _serve(self, key: Key, entry: Entry, now: float, *, stale: bool) -> Step:
        if stale:
            self._stale += 1
        else:
            entry.hits += 1
        refresh = entry.wants_refresh(now) and self._flights.of(key, now) is None
        if refresh:
            entry.hand_over(now)
        return Step(Do.SERVE, entry, refresh=refresh)

    def begin_refresh(self, key: Key, timeout: float, *, always: bool = False) -> Flight | None:
        """Begin a read in the background; None if it is under way, or (unless ``always``) not needed any more."""
        now = self.now()
        with self._lock:
            entry = self.entries.get(key)
            needed = entry is not None and entry.error is None and now >= entry.refresh_at
            if self._flights.of(key, now) or not (needed or always):
                return None
            self._refreshes += 1
            return self._flights.begin(key, now, timeout, background=True)

    def succeeded(self, flight: Flight, reading: Reading) -> SecretChange | None:
        """The vault has answered. Returns what changed since it was last asked for this secret."""
        now = self.now()
        key = flight.key
        entry = Entry.positive(flight, reading, now, self.settings, self._random)
        with self._lock:
            kept = self._flights.end(flight)
            change = self._change(key, reading.version) if kept else None
            if kept:
                self._store.put(key, entry)
            self._count(flight)
        flight.entry = entry
        flight.tell()
        if kept:
            self._tell(SecretRead(self.vault, key.name, reading.version, flight.background), *self._dates(key, reading))
        return change

    def failed(
        self,
        flight: Flight,
        error: BaseException,
        *,
        transient: bool,
        missing: bool = False,
        retry_in: float | None = None,
    ) -> SecretChange | None:
        """The vault could not be read, or refused.

        :param error: what other readers are to get; kept for a moment if ``missing``.
        :param transient: that will pass by itself: a kept value goes on, and may stand in for a while.
        :param missing: there is no such secret.
        """
        now = self.now()
        key = flight.key
        reason = type(error).__name__
        change = None
        with self._lock:
            kept = self._flights.end(flight)
            entry = self.entries.get(key)
            if transient:
                if kept and entry is not None and entry.error is None:
                    entry.failed(now, reason, retry_in, self._random)
            elif kept or not missing:  # what was written since may have made it
                change = self._change(key, None) if missing else None
                for each in [key] if key.version else self._store.keys_of(key.name):
                    self._store.drop(each)
                if missing and self.settings.negative_ttl > 0:
                    self._store.put(key, Entry.negative(flight, error, now, self.settings))
            self._count(flight)
        flight.error = error
        flight.transient = transient
        flight.tell()
        if flight.background:
            failures = entry.failures if transient and entry is not None else 1
            again = max(0.0, entry.retry_at - now) if transient and entry is not None else None
            self._told(RefreshFailed(self.vault, key.name, reason, failures, not transient, again))
        return change

    def abandoned(self, flight: Flight, reason: str | None = None) -> None:
        """Whoever read the vault was cancelled, or got what says nothing of the secret: another reader has to.

        :param reason: what went wrong, if anything did.
        """
        with self._lock:
            self._flights.end(flight)
            self._count(flight)
        flight.abandoned = True
        flight.tell()
        if flight.background and reason is not None:
            self._told(RefreshFailed(self.vault, flight.key.name, reason, 1, False, None))

    def stand_in(self, key: Key, call: Call, reason: str) -> Entry | None:
        """The value that may be served although it is past its time, when the vault could not be read just now."""
        now = self.now()
        with self._lock:
            entry = self.entries.get(key)
            if entry is None or call.max_age is not None or entry.state(now) in (State.NEGATIVE, State.GONE):
                return None
            entry.used = now
            entry.reason = entry.reason or reason
            if now < entry.fresh_until:
                entry.hits += 1
            else:
                self._stale += 1
            event = self._stale_event(key, entry, now)
        self._tell(event)
        return entry

    def joined(self) -> None:
        """Count a reader who waited for another's read."""
        with self._lock:
            self._misses += 1

    def written(self, name: str | None = None) -> None:
        """Something was written to the secret of this name (in lower case), or to any: forget what was kept."""
        with self._lock:
            self._flights.written(name)
            for key in self._store.keys_of(name):
                self._store.drop(key)

    def names(self) -> list[str]:
        """The secrets whose latest version is kept."""
        with self._lock:
            return [key.name for key, entry in self.entries.items() if key.version is None and entry.error is None]

    def last_read(self, name: str) -> SecretRead | None:
        """The read that brought what is kept of this secret's latest version."""
        entry = self.entries.get(Key(name))
        if entry is None or entry.version is None:
            return None
        return SecretRead(self.vault, name, entry.version, entry.background)

    def kept_version(self, name: str) -> str | None:
        """The version of this secret that is kept as its latest."""
        entry = self.entries.get(Key(name))
        return None if entry is None else entry.version

    def info(self) -> CacheInfo:
        """What it has done so far."""
        with self._lock:
            return CacheInfo(
                hits=self._store.hits,
                misses=self._misses,
                stale_serves=self._stale,
                negative_hits=self._denied,
                refreshes=self._refreshes,
                evictions=self._store.evictions,
                entries=len(self.entries),
                max_entries=self.settings.max_entries,
            )

    def _dates(self, key: Key, reading: Reading) -> Iterator[CacheEvent]:
        if reading.expires_in is not None and reading.expires_in <= 0:
            yield SecretExpired(self.vault, key.name, reading.version, -reading.expires_in)
        if reading.valid_in is not None and reading.valid_in > 0:
            yield SecretNotYetValid(self.vault, key.name, reading.version, reading.valid_in)

    def _count(self, flight: Flight) -> None:
        if not flight.background:
            self._misses += 1

    def _change(self, key: Key, version: str | None) -> SecretChange | None:
        if key.version is not None:
            return None
        known, before = self._store.last_version(key.name)
        return SecretChange(self.vault, key.name, before, version) if known and before != version else None

    def _stale_event(self, key: Key, entry: Entry | None, now: float) -> ServedStale | None:
        """Once for each time that a value begins to stand in."""
        if entry is None or entry.told or now < entry.fresh_until:
            return None
        entry.told = True
        return ServedStale(self.vault, key.name, entry.version, now - entry.began, entry.reason)

    def _tell(self, *events: CacheEvent | None) -> None:
        for event in events:
            if event is not None:
                self._told(event)


_SERVED = frozenset({State.FRESH, State.REFRESHING, State.PINNED, State.STALE})
_STANDS_IN = frozenset({State.FRESH, State.REFRESHING, State.PINNED, State.STALE, State.EXPIRED})


def _patience(call: Call, spare: Entry | None, settings: CacheSettings) -> float:
    return call.timeout if spare is None else min(call.timeout, settings.patience)
