"""What a connection knows of keys: each is fetched once, whoever asks, and used for a while."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from azure.core.exceptions import HttpResponseError
from azure.keyvault.keys import KeyVaultKey

from safekv._advice import CallCounter
from safekv.connection import _emulation
from safekv.connection._connection import Connection
from safekv.connection._fork import on_fork
from safekv.errors import DeadlineExceeded
from safekv.keys.crypto._sizes import modulus_bytes

T = TypeVar("T")
MOST_KEYS = 1_024


class Name(NamedTuple):
    """A key, in one version or (``""``) the newest."""

    name: str
    version: str


class Known:
    """What is known of one version of a key.

    :ivar id: with the version; without one if we may not see the key and were not told a version.
    :ivar jwk: its public part, or all that its user has; None if we may not see it.
    :ivar since: when it was fetched, on the connection's monotonic clock.
    :ivar able: what is done with it in this process, by operation and algorithm, as far as anybody has asked.
    :ivar provider: what works with ``jwk`` in this process; False while nobody has looked, None if nothing does.
    """

    __slots__ = ("able", "enabled", "expires_on", "id", "jwk", "modulus", "not_before", "provider", "since")

    def __init__(self, key_id: str, since: float, key: KeyVaultKey | None = None) -> None:
        self.id = key_id
        self.since = since
        self.able: dict[Any, bool] = {}
        self.jwk: Any = None
        self.provider: Any = None
        self.modulus: int | None = None
        self.enabled: bool | None = None
        self.not_before: datetime | None = None
        self.expires_on: datetime | None = None
        if key is not None:
            self.jwk = key.key
            self.provider = False
            self.modulus = modulus_bytes(key.key)
            self.see(key)

    def see(self, key: KeyVaultKey) -> None:
        """Take over the state of the key as it is in the vault now."""
        self.enabled = key.properties.enabled
        self.not_before = key.properties.not_before
        self.expires_on = key.properties.expires_on

    @property
    def version(self) -> str:
        parts = self.id.partition("://")[2].split("/")
        return parts[3] if len(parts) > 3 else ""


class KeyStore(Generic[T]):
    """The keys of one connection. ``T`` is what waits for a key that somebody else is fetching."""

    def __init__(self) -> None:
        self.after_fork()
        on_fork(self)
        _emulation.on_change(self)

    def start_again(self) -> None:
        """A key of the real vault is none of an emulator's, nor the other way round."""
        with self.lock:
            self._known.clear()

    def after_fork(self) -> None:
        """A child knows nothing, and waits for no thread of its parent."""
        self.lock = threading.Lock()
        self.counter = CallCounter()
        self._known: OrderedDict[Name, Known] = OrderedDict()
        self.flights: dict[Any, T] = {}

    def look(self, name: Name, now: float, ttl: float) -> Known | None:
        """What is known and not older than ``ttl`` seconds."""
        known = self._known.get(name)
        return known if known is not None and now - known.since < ttl else None

    def keep(self, name: Name, known: Known) -> Known:
        """Keep what was fetched, for those who ask for the newest version and for those who ask for this one."""
        with self.lock:
            for each in {name, Name(name.name, known.version)}:
                self._known[each] = known
                self._known.move_to_end(each)
            while len(self._known) > MOST_KEYS:
                self._known.popitem(last=False)
        return known

    def counts_many(self, name: str, now: float) -> bool:
        """Whether one more call to the service is one too many."""
        with self.lock:
            return self.counter.count(name.lower(), now)


_STORES: weakref.WeakKeyDictionary[Connection, Any] = weakref.WeakKeyDictionary()
_LOCK = threading.Lock()


class _Fork:
    def after_fork(self) -> None:
        global _LOCK
        _LOCK = threading.Lock()


_FORK = _Fork()
on_fork(_FORK)


def store_of(connection: Connection) -> KeyStore[Any]:
    """The one store of a connection."""
    with _LOCK:
        store: KeyStore[Any] | None = _STORES.get(connection)
        if store is None:
            store = _STORES[connection] = KeyStore()
        return store


def refused(key_id: str, now: float, error: HttpResponseError) -> Known:
    """The vault does not let us see the key: remembered. Anything else is raised.

    :raises HttpResponseError: the error.
    """
    if error.status_code != 403:
        raise error
    return Known(key_id, now)


class Turn(NamedTuple):
    """What a caller waits at most for a key that somebody else fetches, in seconds, and what it says then."""

    timeout: float
    what: str

    def too_late(self) -> DeadlineExceeded:
        return DeadlineExceeded(
            f"{self.what}: its timeout of {self.timeout:g} s was over while another call was fetching the key.",
            hint="Give the call more time (timeout=, in seconds).",
            operation="get_key",
            transient=True,
        )
