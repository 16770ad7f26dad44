"""Rotation: noticing that a secret has a new version, and telling those who use it. Both colours share this."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.keyvault.secrets import SecretProperties

from safekv._identifiers import object_name
from safekv._seconds import positive
from safekv.cache._entry import Key
from safekv.errors import InvalidArgument
from safekv.secrets._cache import NoCache, SecretCache
from safekv.secrets._many import listed

if TYPE_CHECKING:
    from safekv._clock import Random

NEW_VERSION = "microsoft.keyvault.secretnewversioncreated"
#: Seconds that this machine's clock and the vault's may differ by, and a bit: times of change are whole seconds.
SETTLED = 60.0


def with_cache(reads: SecretCache | NoCache, what: str) -> SecretCache:
    """The client's cache.

    :raises InvalidArgument: if it has none.
    """
    if isinstance(reads, SecretCache):
        return reads
    raise InvalidArgument(
        f"{what} needs a client with a cache; this one has none, or is closed.",
        hint="Construct it without cache=None (and without SAFEKV_CACHE=off).",
    )


def new_version(event: Any, host: str) -> Key | None:
    """The secret and version that an event says is new, if it is such an event of this vault."""
    if isinstance(event, str | bytes):
        try:
            event = json.loads(event)
        except ValueError:
            raise _no_event("a text that is no JSON") from None
    if isinstance(event, list) and len(event) == 1:  # as Event Grid posts them
        event = event[0]
    kind = _part(event, "type", "eventType", "event_type")
    data = _part(event, "data")
    if not isinstance(kind, str) or not isinstance(data, Mapping):
        raise _no_event(f"a {type(event).__name__} without a type and data")
    if kind.lower() != NEW_VERSION:
        return None
    said = {str(key).lower(): value for key, value in data.items()}
    address = urlsplit(str(said.get("id", "")))
    vault, name = str(said.get("vaultname", "")), said.get("objectname")
    here = address.netloc.lower() == host if address.netloc else vault.lower() == host.partition(".")[0]
    if not here or not isinstance(name, str):
        return None
    return Key(object_name(name).lower(), str(said["version"]) if said.get("version") else None)


def _part(event: Any, *names: str) -> Any:
    for name in names:
        value = event.get(name) if isinstance(event, Mapping) else getattr(event, name, None)
        if value is not None:
            return value
    return None


def _no_event(what: str) -> InvalidArgument:
    return InvalidArgument(
        f"handle_event was given {what}.",
        hint="Pass one event of Event Grid, schema CloudEvents or Event Grid; filter validation requests out before.",
    )


class Rounds:
    """When a watch is due, and which secrets it has to read: decisions of both colours' watches.

    Listing costs a request for each 25 secrets of the vault, whoever's they are; reading costs
    one for each secret that is watched. It does what costs less, and reads where it may not list.
    """

    def __init__(
        self, reads: SecretCache, names: Iterable[str] | None, interval: float, jitter: float, random: Random
    ) -> None:
        self.reads = reads
        self._names = None if names is None else sorted({name.lower() for name in listed("names", names)})
        self._interval = positive("interval", interval)
        self._jitter = jitter
        self._random = random
        self._may_list = True
        self._pages_at_least = 2
        self.begin()

    def begin(self) -> None:
        """A round begins: the next is due an interval later, or a bit earlier."""
        self._due = self.reads.now() + self._interval * (1.0 - self._jitter * self._random.random())

    def remaining(self) -> float:
        """Seconds until the next round is due."""
        return self._due - self.reads.now()

    def names(self) -> list[str]:
        """The secrets that are watched: those given, or those that are kept."""
        return self.reads.cache.names() if self._names is None else self._names

    def lists(self, names: list[str]) -> bool:
        """Whether to list rather than to read."""
        return self._may_list and len(names) >= self._pages_at_least

    def forbidden(self) -> None:
        """The identity may not list."""
        self._may_list = False

    def too_long(self, names: list[str], pages: int) -> bool:
        """Whether so many pages are as many requests as there are secrets to read: then it reads."""
        self._pages_at_least = max(self._pages_at_least, pages + 1)
        return pages >= len(names)

    def changed(self, names: list[str], listed: Mapping[str, SecretProperties]) -> list[str]:
        """Which of the secrets have to be read, by what the list says of them."""
        return [name for name in names if not self._is_known(name, listed.get(name))]

    def _is_known(self, name: str, listed: SecretProperties | None) -> bool:
        entry = self.reads.entries.get((name, None))
        if entry is None or entry.error is not None or listed is None or listed.updated_on is None:
            return False
        kept = entry.value.properties
        if (kept.updated_on, kept.created_on, kept.enabled) != (listed.updated_on, listed.created_on, listed.enabled):
            return False
        # It may have changed again in the second in which we read it.
        read_at: float = self.reads.clock.time() - (self.reads.now() - entry.began)
        return read_at - listed.updated_on.timestamp() >= SETTLED
