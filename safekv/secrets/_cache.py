"""The cache that clients of one connection share: the decisions of ``safekv.cache`` joined to the SDK's secrets.

``_reads`` and ``aio/_reads`` wait and read; all else is here.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from azure.core.exceptions import AzureError
from azure.keyvault.secrets import KeyVaultSecret
from cachetools import LRUCache

from safekv import _events
from safekv._advice import MANY, WITHIN, CallCounter, warn
from safekv._cache_settings import CacheSettings
from safekv._clock import SYSTEM_CLOCK, SYSTEM_RANDOM, Clock
from safekv._fork import on_fork
from safekv._seconds import limit
from safekv.cache._cache import Cache, Call, Do, Step
from safekv.cache._entry import Key
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
from safekv.cache._singleflight import Flight
from safekv.connection import _emulation, _registry
from safekv.connection.wire._writes import on_write
from safekv.errors import DeadlineExceeded, InvalidArgument, UncachedReadsWarning
from safekv.secrets._every import EVERY, Done
from safekv.secrets._kept import is_missing, is_transient, reading, twin

if TYPE_CHECKING:
    from safekv.connection._connection import Connection

logger = logging.getLogger("safekv")

#: Keywords of ``get_secret`` that leave the answer as it is; with any other the vault is read.
_CACHEABLE = frozenset({"max_age", "timeout"})

_NUMBERS = itertools.count(1)

Listener = Callable[[SecretChange], object]


class SecretCache:
    """What clients of one connection with the same settings keep. It is made again in a forked child.

    :ivar number: tells it from others, and from itself before a fork.
    :ivar entries: by name in lower case and version, for a reader in a hurry.
    :ivar now: the monotonic clock that they are measured by.
    """

    #: Whether a callback may be a coroutine function.
    awaits = False

    def __init__(self, connection: Connection, settings: CacheSettings) -> None:
        self.url = connection.url
        self.host = urlsplit(connection.url).netloc
        self.settings = settings
        self.listeners: tuple[tuple[Listener, frozenset[str] | None], ...] = ()
        self._connection = connection
        self.after_fork()
        on_fork(self)
        _emulation.on_change(self)
        self._count = EVERY.add(self)

    def start_again(self) -> None:
        """Forget everything. What is being read now will not be kept."""
        EVERY.start_again(self, self._count)

    def __del__(self) -> None:
        with suppress(Exception):  # at the end of the process there may be nothing to count with any more
            self._count.over = Done.of(self.info())

    def after_fork(self) -> None:
        """Begin with nothing; what the parent has done is not this one's."""
        self.number = next(_NUMBERS)
        self.clock: Clock = self._connection.clock
        self.now = time.monotonic if self.clock is SYSTEM_CLOCK else self.clock.monotonic
        self.cache = Cache(self.host, self.settings, self.now, SYSTEM_RANDOM, self.told)
        self.entries: dict[Any, Any] = self.cache.entries  # readers index it with a plain pair
        self._lock = threading.RLock()
        self._last: LRUCache[str, CacheEvent] = LRUCache(self.settings.max_entries)

    def noted(self, connection: Connection, name: str, now: float) -> None:
        """A read that the cache has no part in: that is for the caller to decide."""

    def may_answer(self, out_content_type: Any, kwargs: Mapping[str, Any]) -> bool:
        """Whether a call with these keywords may be answered with what is kept.

        :raises InvalidArgument: if ``max_age`` is no number of seconds.
        """
        _check_age(kwargs.get("max_age"))
        return out_content_type is None and kwargs.keys() <= _CACHEABLE

    def landed(self, flight: Flight, secret: Any) -> tuple[KeyVaultSecret, SecretChange | None]:
        """The vault has answered: keep it. Returns the answer, and what changed."""
        try:
            read = reading(secret, self.clock)
        except Exception:  # a date that is none: nothing to keep, and no reason to hide the answer
            read = None
        if read is None:
            self.cache.abandoned(flight)
            return secret, None
        return secret, self.cache.succeeded(flight, read)

    def crashed(self, flight: Flight, error: BaseException) -> SecretChange | None:
        """The read failed: decide what becomes of the value that is kept. Returns what changed."""
        if not isinstance(error, AzureError):
            # Something about this client or call; another reader may have more luck.
            self.cache.abandoned(flight, type(error).__name__ if isinstance(error, Exception) else None)
            return None
        return self.cache.failed(
            flight,
            twin(error),
            transient=is_transient(error),
            missing=is_missing(error),
            retry_in=getattr(error, "retry_in", None),
        )

    def patience(self, call: Call, step: Step) -> float:
        """Seconds that this reader waits for another's read."""
        left = max(0.0, self.left(call))
        return left if step.entry is None else min(left, self.settings.patience)

    def left(self, call: Call) -> float:
        """Seconds that are left of a call's timeout."""
        return call.began + call.timeout - self.now()

    def after_waiting(self, key: Key, call: Call, step: Step, *, ended: bool) -> KeyVaultSecret | None:
        """What a reader makes of another's read, or of its taking too long. None: ask the cache again.

        :raises Exception: what the read failed with; ``DeadlineExceeded`` if there is no time left.
        """
        flight = step.flight
        assert flight is not None
        if ended and (step.do is Do.WAIT or flight.abandoned):
            return None
        if ended and flight.entry is not None:
            self.cache.joined()
            return flight.entry.value.secret()  # type: ignore[no-any-return]
        error = flight.error if ended else None
        if error is None or flight.transient:
            entry = self.cache.stand_in(key, call, "timeout" if error is None else type(error).__name__)
            if entry is not None:
                return entry.value.secret()  # type: ignore[no-any-return]
        if error is None:
            raise too_late(self.host)
        if flight.transient and flight.timeout < call.timeout and self.left(call) > 0:
            return None  # it had less time than we have
        self.cache.joined()
        raise twin(error)

    def told(self, event: CacheEvent) -> None:
        """Pass on what the cache has to tell."""
        with self._lock:
            if isinstance(event, SecretRead):  # the entry says it, with less memory
                self._last.pop(event.name, None)
            else:
                self._last[event.name] = event
        _log(event)
        _events.emit(event)

    def last_event(self, name: str) -> CacheEvent | None:
        """What was told last of this secret."""
        name = name.lower()
        with self._lock:
            return self._last.get(name) or self.cache.last_read(name)

    def info(self) -> CacheInfo:
        """What the cache has done so far."""
        return self.cache.info()

    def kept_version(self, name: str) -> str | None:
        """The version of this secret that is kept as its latest."""
        return self.cache.kept_version(name)

    def listen(self, callback: Listener, names: frozenset[str] | None) -> Callable[[], None]:
        """Have ``callback`` called with each change; the answer ends that."""
        mine = (callback, names)
        self.listeners = (*self.listeners, mine)

        def stop() -> None:
            self.listeners = tuple(each for each in self.listeners if each is not mine)

        return stop

    def answers(self, change: SecretChange | None) -> Iterator[Any]:
        """What each callback for this change returns; those that raise are reported."""
        for callback, names in self.listeners if change is not None else ():
            if change is None or (names is not None and change.name not in names):
                continue
            try:
                yield callback(change)
            except Exception:
                report(change.name)


class NoCache:
    """What a client without a cache, or a closed one, has in place of one."""

    def __init__(self) -> None:
        self.entries: dict[Any, Any] = {}
        self.now = time.monotonic
        self.after_fork()
        on_fork(self)

    def after_fork(self) -> None:
        self._lock = threading.Lock()
        self._counters: WeakKeyDictionary[Connection, CallCounter] = WeakKeyDictionary()

    def noted(self, connection: Connection, name: str, now: float) -> None:
        """A secret is read: say so, once, if it is read all the time."""
        with self._lock:
            often = self._counters.setdefault(connection, CallCounter()).count(name.lower(), now)
        if often:
            _events.emit(_events.UncachedReads(urlsplit(connection.url).netloc))
            warn(
                f"The secret {name!r} was read more than {MANY} times in {WITHIN:.0f} s by a client without a cache. "
                "Each is a request, and counts against the vault's limit: leave cache=None away, and it is one in "
                "five minutes.",
                UncachedReadsWarning,
            )

    def may_answer(self, out_content_type: Any, kwargs: Mapping[str, Any]) -> bool:
        _check_age(kwargs.get("max_age"))
        return False

    def info(self) -> CacheInfo:
        return CacheInfo()

    def last_event(self, name: str) -> None:
        return None

    def kept_version(self, name: str) -> None:
        return None


NO_CACHE = NoCache()
C = TypeVar("C", bound=SecretCache)


def forget(url: str, name: str | None = None) -> None:
    """A secret of this vault was written, or all may have been: no cache of this process is to serve what was."""
    for cache in EVERY.of(url):
        cache.cache.written(None if name is None else name.lower())


on_write(forget)


def prepared(connection: Connection, kind: type[C], own: Mapping[str, Any]) -> tuple[C | NoCache, tuple[float, float]]:
    """The cache of a client with these options, and the timeouts of its calls and of its bulk calls in seconds."""
    settings = own["cache"] if "cache" in own else _registry.current().cache_settings
    timeout = limit("timeout", own.get("timeout"))
    knobs = connection.settings.changed(own)
    return (
        NO_CACHE if settings is None or "pipeline" in own else cache_of(connection, kind, settings),
        (knobs.timeout, knobs.bulk_timeout) if timeout is None else (timeout, timeout),
    )


def cache_of(connection: Connection, kind: type[C], settings: CacheSettings) -> C:
    """The connection's cache with these settings; made where there is none."""
    cache: C | None = connection.caches.get(settings)
    if cache is None:
        cache = kind(connection, settings)
        connection.caches[settings] = cache
    return cache


def too_late(host: str) -> DeadlineExceeded:
    """The error for a call whose time was over while it waited for another's read."""
    return DeadlineExceeded(
        f"get_secret on {host} was not sent: its timeout was over while another call read the same secret.",
        hint="Give the call more time (timeout=, in seconds).",
        vault=host,
        operation="get_secret",
    )


def _check_age(given: Any) -> None:
    if given is None or (isinstance(given, int | float) and not isinstance(given, bool) and given >= 0):
        return
    raise InvalidArgument(
        f"max_age={given!r} must be a number of seconds, at least 0.",
        hint="max_age=0 reads the vault; max_age=60 accepts a value that was read in the last minute.",
    )


def report(name: str) -> None:
    """A callback failed; nothing else is to."""
    logger.warning("A callback failed on a change of secret %s", name, exc_info=True)


def _log(event: CacheEvent) -> None:
    if isinstance(event, ServedStale):
        text = "cannot be read (%s); a value of %.0f s ago stands in"
        logger.warning("Secret %s of %s " + text, event.name, event.vault, event.reason, event.age)
    elif isinstance(event, RefreshFailed):
        level = logging.WARNING if event.failures == 1 else logging.DEBUG
        text = "and is not served any more" if event.dropped else "and is tried again"
        logger.log(level, "Secret %s of %s could not be refreshed (%s) %s", event.name, event.vault, event.reason, text)
    elif isinstance(event, SecretExpired):
        logger.warning("Secret %s of %s expired %.0f s ago", event.name, event.vault, event.seconds)
    elif isinstance(event, SecretNotYetValid):
        logger.warning("Secret %s of %s is valid in %.0f s only", event.name, event.vault, event.seconds)
