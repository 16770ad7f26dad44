"""The entries of one cache: at most so many, the least recently used goes first."""

from __future__ import annotations

from cachetools import LRUCache

from safekv.cache._entry import Entry, Key


class Store:
    """Entries by key. Reading ``entries`` needs no lock; the methods need the cache's.

    cachetools' LRUCache takes a lock and a move to the end at every hit. Here a hit only
    leaves its time in the entry, and whoever needs room (and has just waited for the vault)
    looks for the oldest.
    """

    __slots__ = ("_gone", "_most", "entries", "evictions", "hits_of_the_gone")

    def __init__(self, most: int) -> None:
        self.entries: dict[Key, Entry] = {}
        self.evictions = 0
        self.hits_of_the_gone = 0
        self._most = most
        #: The last version of the latest entries that are gone; None: there was no such secret.
        self._gone: LRUCache[str, str | None] = LRUCache(most)

    def put(self, key: Key, entry: Entry) -> None:
        """Keep this entry, in place of the one that was there or of the least recently used."""
        self.drop(key)
        while len(self.entries) >= self._most:
            self.drop(min(list(self.entries), key=self._used))
            self.evictions += 1
        self.entries[key] = entry
        if key.version is None:
            self._gone.pop(key.name, None)

    def drop(self, key: Key) -> Entry | None:
        """Forget one entry; returns it."""
        entry = self.entries.pop(key, None)
        if entry is not None:
            self.hits_of_the_gone += entry.hits
            if key.version is None:
                self._gone[key.name] = entry.version
        return entry

    def last_version(self, name: str) -> tuple[bool, str | None]:
        """Whether this secret was read before, and the version that it had (None: there was none)."""
        entry = self.entries.get(Key(name))
        if entry is not None:
            return True, entry.version
        return name in self._gone, self._gone.get(name)

    def keys_of(self, name: str | None) -> list[Key]:
        """The keys of all versions of a secret, or of all secrets."""
        return [key for key in list(self.entries) if name is None or key.name == name]

    @property
    def hits(self) -> int:
        """How often an entry was served, counting those that are gone."""
        return self.hits_of_the_gone + sum(entry.hits for entry in list(self.entries.values()))

    def _used(self, key: Key) -> float:
        entry = self.entries.get(key)
        return 0.0 if entry is None else entry.used
