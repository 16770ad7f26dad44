"""What the doors of both colours offer beside the SDK's methods, where neither waits.

What only a constructed client needs is imported then: importing a door costs little more than
importing the SDK's.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from safekv._identifiers import object_name
from safekv.connection._bulk import is_bulk
from safekv.errors import InvalidArgument

if TYPE_CHECKING:
    from safekv.cache import CacheEvent, CacheInfo, SecretChange
    from safekv.connection._connection import Connection

#: How many secrets ``get_many`` reads at once.
CONCURRENCY = 16
#: Seconds between the rounds of a ``watch``, and the part by which each is earlier at random, at most.
INTERVAL, JITTER = 300.0, 0.2


class CacheMethods:
    """What the doors of both colours offer beside the SDK's methods."""

    _reads: Any
    _timeouts: tuple[float, float]
    _url: str

    @property
    def _call_timeout(self) -> float:
        """Seconds that a call has which is given no timeout of its own."""
        return self._timeouts[is_bulk()]

    def _begin_cache(self, kind: Any, connection: Connection, own: Mapping[str, Any]) -> None:
        """Find the cache that this client shares; ``own`` are its keywords."""
        from safekv.secrets._cache import prepared

        self._reads, self._timeouts = prepared(connection, kind, own)
        self._url = connection.url

    def _end_cache(self) -> None:
        """The client is closed: what was kept is not given out either."""
        from safekv.secrets._cache import NO_CACHE

        self._reads = NO_CACHE

    def cache_info(self) -> CacheInfo:
        """What the cache has done so far; all 0 without one."""
        info: CacheInfo = self._reads.info()
        return info

    def invalidate(self, name: str | None = None) -> None:
        """Forget what is kept of this secret, or of all: the next call reads the vault."""
        from safekv.secrets._cache import forget

        forget(self._url, None if name is None else object_name(name))

    def last_event(self, name: str) -> CacheEvent | None:
        """What the cache had to tell last of this secret; see ``safekv.cache``."""
        event: CacheEvent | None = self._reads.last_event(object_name(name))
        return event

    def on_change(
        self, callback: Callable[[SecretChange], object], names: Iterable[str] | None = None
    ) -> Callable[[], None]:
        """Have ``callback`` called with a ``SecretChange`` when a read brings another version than the one before.

        It is called by whoever reads: this is noticed when a secret is read, so use ``watch`` or
        ``handle_event`` to be told in time. What it raises is logged and stops nothing.

        :param names: the secrets that matter; all that are read by default.
        :returns: a function that ends it.
        """
        from safekv.secrets._many import listed
        from safekv.secrets._rotation import with_cache

        reads = with_cache(self._reads, "on_change")
        if not callable(callback):
            raise InvalidArgument(f"callback must be callable, not {type(callback).__name__}.")
        if inspect.iscoroutinefunction(callback) and not reads.awaits:
            raise InvalidArgument(
                "A sync client cannot await its callback.", hint="Use a plain function, or safekv.secrets.aio."
            )
        return reads.listen(callback, None if names is None else frozenset(map(str.lower, listed("names", names))))

    def handle_event(self, cloud_event: Any) -> bool:
        """Take an event of Event Grid: a new version of a secret makes this client read it again.

        :param cloud_event: an event, as azure-eventgrid or azure-core parse it, or as a dict, or as JSON text.
        :returns: whether it was such an event, for this vault, and of a version that is not the one kept.
        :raises InvalidArgument: if it is no event at all.
        """
        from safekv.secrets._cache import forget
        from safekv.secrets._rotation import new_version

        new = new_version(cloud_event, urlsplit(self._url).netloc)
        if new is None or (new.version is not None and self._reads.kept_version(new.name) == new.version):
            return False  # another event, or the same one again
        forget(self._url, new.name)
        return True
