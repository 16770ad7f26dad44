"""All objects of one kind in one vault: soft delete, recovery and purge, on the clock.

Nothing runs in the background: an object's state follows from the time of the request, and
what has outlived its retention is swept away by the next request.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safekv.emulator._answers import Refused
from safekv.emulator._objects import Deletion, Kind, State, StoredObject, Version

if TYPE_CHECKING:
    from safekv.emulator._vault import Vault

_DAY = 86_400
_NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Policy:
    """What a vault promises about deletion. Delays are in seconds."""

    purge_protection: bool
    retention_days: int
    delete_delay: float
    recover_delay: float

    def __post_init__(self) -> None:
        if type(self.retention_days) is not int or not 7 <= self.retention_days <= 90:
            raise ValueError(f"retention_days must be 7 to 90, such as 90, not {self.retention_days!r}")

    @property
    def recovery_level(self) -> str:
        level = "Recoverable" if self.retention_days == 90 else "CustomizedRecoverable"
        return level if self.purge_protection else f"{level}+Purgeable"


class Collection:
    """Objects by name; names are compared without regard to case. Iterating gives every object, by name."""

    def __init__(self, kind: Kind, policy: Policy) -> None:
        self.kind = kind
        self.policy = policy
        self._objects: dict[str, StoredObject] = {}
        self._keys: list[str] = []  # sorted, so that a page costs no more than its length
        self._next_purge = self._next_event = _NEVER

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[StoredObject]:
        return (self._objects[key] for key in self._keys)

    def clear(self) -> None:
        self._objects.clear()
        self._keys.clear()
        self._next_purge = self._next_event = _NEVER

    def add(self, stored: StoredObject) -> None:
        """Put an object whose name is free."""
        key = stored.name.lower()
        self._objects[key] = stored
        insort(self._keys, key)
        if stored.deletion:
            self._next_purge = min(self._next_purge, stored.deletion.purge)
        self.expect(stored)

    def replace(self, stored: StoredObject) -> None:
        """Put an object in the place of what has its name, in whatever state."""
        before = self._objects.get(stored.name.lower())
        if before is not None:
            self._remove(before)
        self.add(stored)

    def expect(self, stored: StoredObject) -> None:
        """Something about an object has changed: what happens to it by itself may happen sooner."""
        self._next_event = min(self._next_event, self._due(stored))

    def settle(self, vault: Vault, now: float) -> None:
        """Let everything happen that was to happen by itself until now."""
        if now < self._next_event:
            return
        for stored in [each for each in self if self._due(each) <= now]:
            self.kind.happen(vault, stored, now)
        self._next_event = min(map(self._due, self), default=_NEVER)

    def find(self, name: str, now: float) -> StoredObject | None:
        """The object of this name in whatever state."""
        self._sweep(now)
        return self._objects.get(name.lower())

    def active(self, name: str, now: float) -> StoredObject:
        stored = self.find(name, now)
        if stored is None or stored.state(now) is not State.ACTIVE:
            raise Refused(self.kind.not_found, name=name)
        return stored

    def version(self, name: str, version: str | None, now: float) -> tuple[StoredObject, Version]:
        """An active object with the version of this id, or with its latest one."""
        stored = self.active(name, now)
        found = stored.versions.get(version.lower()) if version else stored.latest
        if found is None:
            raise Refused(self.kind.not_found, name=f"{name}/{version}")
        return stored, found

    def writable(self, name: str, now: float) -> StoredObject | None:
        """The active object of this name, None if the name is free; refused if it is neither."""
        stored = self.find(name, now)
        if stored is not None:
            self._refuse_transition(stored, now)
            if stored.state(now) is State.DELETED:
                raise Refused(self.kind.recoverable, name=name)
        return stored

    def deleted(self, name: str, now: float) -> StoredObject:
        stored = self.find(name, now)
        if stored is None or stored.state(now) is not State.DELETED:
            raise Refused(self.kind.deleted_not_found, name=name)
        return stored

    def delete(self, name: str, now: float, *, with_owner: bool = False) -> StoredObject:
        """Begin a deletion: the object leaves at once and joins the deleted ones after the delay.

        ``with_owner``: the certificate goes that it belongs to.
        """
        stored = self.find(name, now)
        if stored is not None:
            self._refuse_transition(stored, now)
        stored = self.active(name, now)
        if not with_owner:
            self.refuse_managed(stored)
        purge = int(now) + self.policy.retention_days * _DAY
        stored.deletion = Deletion(started=now, done=now + self.policy.delete_delay, purge=purge)
        self._next_purge = min(self._next_purge, purge)
        return stored

    def recover(self, name: str, now: float, *, with_owner: bool = False) -> StoredObject:
        """Begin a recovery: the object leaves the deleted ones at once and is active after the delay."""
        stored = self.in_bin(name, now, self.kind.not_found_to_recover)
        if not with_owner:
            self.refuse_managed(stored)
        stored.deletion = None
        stored.recovered = now + self.policy.recover_delay
        self.expect(stored)
        return stored

    def purge(self, name: str, now: float, *, with_owner: bool = False) -> None:
        """Remove a deleted object for ever. The vault's purge protection is the caller's concern."""
        stored = self.in_bin(name, now, self.kind.deleted_not_found)
        if not with_owner:
            self.refuse_managed(stored)
        self._remove(stored)

    def refuse_managed(self, stored: StoredObject) -> None:
        """What belongs to a certificate can only be changed through the certificate."""
        if stored.latest.managed:
            raise Refused(self.kind.managed)

    def page(
        self, state: State, now: float, query: Mapping[str, str], *, after: str, size: int
    ) -> tuple[list[StoredObject], str | None]:
        """Up to ``size`` objects in this state after the key ``after``, and the key to go on after."""
        self._sweep(now)
        found: list[StoredObject] = []
        for index in range(bisect_right(self._keys, after), len(self._keys)):
            stored = self._objects[self._keys[index]]
            if stored.state(now) is state and self.kind.listed(stored.latest, query):
                if len(found) == size:
                    return found, found[-1].name.lower()
                found.append(stored)
        return found, None

    def in_bin(self, name: str, now: float, not_found: str) -> StoredObject:
        """A deleted object that may be recovered or purged now."""
        stored = self.find(name, now)
        if stored is not None:
            self._refuse_transition(stored, now)
        if stored is None or stored.state(now) is not State.DELETED:
            raise Refused(not_found, name=name)
        return stored

    def _refuse_transition(self, stored: StoredObject, now: float) -> None:
        state = stored.state(now)
        if state is State.BEING_DELETED:
            raise Refused(self.kind.being_deleted)
        if state is State.BEING_RECOVERED:
            raise Refused(self.kind.being_recovered, name=stored.name)

    def _due(self, stored: StoredObject) -> float:
        """Nothing happens by itself to what is deleted, but for its purge."""
        return _NEVER if stored.deletion else self.kind.due(stored)

    def _sweep(self, now: float) -> None:
        """Purge what has been deleted for longer than the vault retains it."""
        if now < self._next_purge:
            return
        for stored in [each for each in self if each.deletion and each.deletion.purge <= now]:
            self._remove(stored)
        self._next_purge = min((each.deletion.purge for each in self if each.deletion), default=_NEVER)

    def _remove(self, stored: StoredObject) -> None:
        key = stored.name.lower()
        del self._objects[key]
        self._keys.remove(key)
