"""What the cache has to tell. Its events name the secret and its versions, never the value."""

from __future__ import annotations

from dataclasses import dataclass

from safekv._events import Event


@dataclass(frozen=True, slots=True)
class CacheEvent(Event):
    """Something happened to what is kept of the secret ``name``."""

    name: str


@dataclass(frozen=True, slots=True)
class SecretRead(CacheEvent):
    """The vault was read and the answer is kept. ``background``: nobody waited for it."""

    version: str
    background: bool


@dataclass(frozen=True, slots=True)
class ServedStale(CacheEvent):
    """Readers get a value past its time, ``age`` seconds old, because the vault cannot be reached."""

    version: str | None
    age: float
    reason: str


@dataclass(frozen=True, slots=True)
class RefreshFailed(CacheEvent):
    """A read in the background failed.

    :ivar failures: how many have failed in a row.
    :ivar dropped: it will not pass by itself, so the value is not served any more.
    :ivar retry_in: seconds until the next try, otherwise.
    """

    reason: str
    failures: int
    dropped: bool
    retry_in: float | None


@dataclass(frozen=True, slots=True)
class WatchFailed(Event):
    """A watch could not list the vault's secrets; it tries again at its next turn."""

    reason: str


@dataclass(frozen=True, slots=True)
class SecretExpired(CacheEvent):
    """The vault gives out a secret whose ``expires_on`` was ``seconds`` ago."""

    version: str
    seconds: float


@dataclass(frozen=True, slots=True)
class SecretNotYetValid(CacheEvent):
    """The vault gives out a secret that is not valid for another ``seconds``."""

    version: str
    seconds: float


@dataclass(frozen=True, slots=True)
class SecretChange:
    """A secret has another version than when it was last read.

    :ivar vault: the vault's host name.
    :ivar old_version: None if it was not there.
    :ivar new_version: None if it is not there any more.
    """

    vault: str
    name: str
    old_version: str | None
    new_version: str | None


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """What a cache has done so far.

    :ivar hits: reads that were answered with a kept value in its time.
    :ivar misses: reads that had to wait for the vault.
    :ivar stale_serves: reads that were answered with a value past its time.
    :ivar negative_hits: reads that were answered "there is no such secret" without asking.
    :ivar refreshes: reads of the vault in the background.
    :ivar evictions: entries that went for want of room.
    :ivar entries: what is kept now.
    """

    hits: int = 0
    misses: int = 0
    stale_serves: int = 0
    negative_hits: int = 0
    refreshes: int = 0
    evictions: int = 0
    entries: int = 0
    max_entries: int = 0
