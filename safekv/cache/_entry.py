"""What is kept of one secret, and what may be done with it at a given moment."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from safekv._cache_settings import CacheSettings
    from safekv._clock import Random

NEVER = float("-inf")
#: Seconds in which a refresh that was handed over is not handed over again.
HANDED_OVER = 1.0
#: Seconds until the next try after the first failed one, and the most that doubling makes of them.
FIRST_RETRY, LAST_RETRY = 1.0, 60.0
#: Seconds past that try in which the failure still excuses a value past its time: the try takes a while.
EXCUSE = 60.0


class Key(NamedTuple):
    """A secret's name in lower case, and a version or None for the latest."""

    name: str
    version: str | None = None


class State(str, Enum):
    """What an entry is good for.

    ============  ===========================================================================
    FRESH         served; nothing to do
    REFRESHING    served, and read again in the background
    PINNED        an explicit version: served; it cannot change, but it can be revoked
    STALE         past its time: served only because the vault cannot be reached
    NEGATIVE      there is no such secret: that answer is given again
    EXPIRED       past its time: has to be read, and may stand in if that fails
    GONE          of no use any more
    ============  ===========================================================================
    """

    FRESH = "fresh"
    REFRESHING = "refreshing"
    PINNED = "pinned"
    STALE = "stale"
    NEGATIVE = "negative"
    EXPIRED = "expired"
    GONE = "gone"


class Reading(NamedTuple):
    """What a read of the vault brought.

    :ivar value: whatever is to be kept; the cache does not look into it.
    :ivar version: the secret's version.
    :ivar expires_in: seconds until the secret expires, negative if it has; None if it does not.
    :ivar valid_in: seconds until it becomes valid, if that has a date.
    """

    value: Any
    version: str
    expires_in: float | None = None
    valid_in: float | None = None


class Read(Protocol):
    """The read of the vault that brought something; a ``Flight``."""

    @property
    def key(self) -> Key: ...
    @property
    def ticket(self) -> int: ...
    @property
    def began(self) -> float: ...
    @property
    def background(self) -> bool: ...


class Entry:
    """One kept answer. All times are of the cache's monotonic clock.

    :ivar look_at: until then a reader may have ``value`` without asking anything else.
    :ivar began: when the read that brought it was begun; its age counts from there.
    :ivar ticket: that read's place in the order of calls and reads.
    :ivar fresh_until: when it has to be read again; before, it is simply served.
    :ivar usable_until: until then it may stand in for a vault that cannot be reached.
    :ivar retry_at: after a failed refresh, the moment of the next.
    """

    __slots__ = (
        "background",
        "began",
        "error",
        "excused_until",
        "failures",
        "fresh_until",
        "handed_over",
        "hits",
        "look_at",
        "pinned",
        "reason",
        "refresh_at",
        "retry_at",
        "ticket",
        "told",
        "usable_until",
        "used",
        "value",
        "version",
    )

    def __init__(self, read: Read, now: float) -> None:
        self.began = read.began
        self.ticket = read.ticket
        self.background = read.background
        self.used = now
        self.hits = 0
        self.value: Any = None
        self.version: str | None = None
        self.error: BaseException | None = None
        self.pinned = False
        self.failures = 0
        self.reason = ""
        self.told = False  # whether anybody was told that it stands in
        self.handed_over = NEVER
        self.retry_at = NEVER
        self.excused_until = NEVER
        self.look_at = self.refresh_at = self.fresh_until = self.usable_until = NEVER

    @classmethod
    def positive(cls, read: Read, reading: Reading, now: float, settings: CacheSettings, random: Random) -> Entry:
        """The entry for a value that was read."""
        entry = cls(read, now)
        entry.value, entry.version = reading.value, reading.version
        entry.pinned = read.key.version is not None
        lifetime = settings.pinned_ttl if entry.pinned else settings.ttl
        if reading.expires_in is not None and reading.expires_in > 0:
            lifetime = min(lifetime, reading.expires_in)
        early = lifetime * (1.0 - settings.jitter * random.random())
        entry.refresh_at = read.began + (early if entry.pinned else early * settings.refresh_ahead)
        entry.fresh_until = read.began + lifetime
        entry.usable_until = entry.fresh_until + settings.max_stale
        if entry.pinned:  # it is still right, and only has to be read again to see whether we still may
            entry.fresh_until = entry.usable_until
        entry.look_at = min(entry.refresh_at, entry.fresh_until)
        return entry

    @classmethod
    def negative(cls, read: Read, error: BaseException, now: float, settings: CacheSettings) -> Entry:
        """The entry for a secret that there is not."""
        entry = cls(read, now)
        entry.error = error
        entry.fresh_until = entry.usable_until = now + settings.negative_ttl
        return entry

    def state(self, now: float) -> State:
        """What may be done with it now."""
        if self.error is not None:
            return State.NEGATIVE if now < self.fresh_until else State.GONE
        if now < self.fresh_until:
            if now >= self.refresh_at:
                return State.REFRESHING
            return State.PINNED if self.pinned else State.FRESH
        if now >= self.usable_until:
            return State.GONE
        return State.STALE if now < self.excused_until else State.EXPIRED

    def wants_refresh(self, now: float) -> bool:
        """Whether somebody should read it again in the background now."""
        return now >= self.refresh_at and now >= self.retry_at and now >= self.handed_over + HANDED_OVER

    def hand_over(self, now: float) -> None:
        """A refresh is on its way: readers need not look for a moment."""
        self.handed_over = now
        self.look_at = min(self.fresh_until, now + HANDED_OVER)

    def failed(self, now: float, reason: str, retry_in: float | None, random: Random) -> None:
        """A read to renew it failed, and that will pass: readers go on, and the next try waits its time."""
        self.failures += 1
        self.reason = reason
        pause = min(LAST_RETRY, FIRST_RETRY * 2.0 ** min(self.failures - 1, 16)) * (1.0 - 0.5 * random.random())
        if retry_in is not None:
            pause = max(pause, min(retry_in, LAST_RETRY))
        self.retry_at = now + pause
        self.handed_over = NEVER
        # An old failure is no excuse: the vault may have been back for long.
        self.excused_until = self.retry_at + EXCUSE
        self.look_at = min(self.fresh_until, self.retry_at)
