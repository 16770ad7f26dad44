"""What a vault keeps, whatever the kind of object: named objects with versions, live or deleted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from safekv.emulator._call import Call
    from safekv.emulator._vault import Vault


class State(Enum):
    """Where an object is in its life. Both transitions take time on the clock."""

    ACTIVE = "active"
    BEING_DELETED = "being deleted"
    DELETED = "deleted"
    BEING_RECOVERED = "being recovered"


@dataclass(slots=True)
class Version:
    """One version. ``content`` is what its kind stores (JSON-able); times are in seconds since 1970."""

    id: str
    created: int
    updated: int
    content: dict[str, Any] = field(repr=False)
    enabled: bool = True
    not_before: int | None = None
    expires: int | None = None
    tags: dict[str, str] | None = field(default=None, repr=False)
    managed: bool = False


@dataclass(frozen=True, slots=True)
class Deletion:
    """When a deletion began, when it was or will be complete, and when the object is purged by itself."""

    started: float
    done: float
    purge: float


@dataclass(slots=True)
class StoredObject:
    """A name and its versions, oldest first."""

    name: str
    versions: dict[str, Version]
    deletion: Deletion | None = None
    recovered: float = 0.0  # when its last recovery was or will be complete
    details: dict[str, Any] = field(default_factory=dict, repr=False)  # what its kind keeps for all versions

    def state(self, now: float) -> State:
        if self.deletion is None:
            return State.ACTIVE if now >= self.recovered else State.BEING_RECOVERED
        return State.DELETED if now >= self.deletion.done else State.BEING_DELETED

    @property
    def latest(self) -> Version:
        return self.versions[next(reversed(self.versions))]


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """A kind of object: its place in URLs, how it is shown, and the error rows that speak of it.

    ``bundle`` and ``item`` give the members that only this kind has, in an answer about one
    version and in a list, from the version and its identifier (a URL). They never give what
    is secret. ``listed`` says whether a list with this query has a version. ``parts`` are the
    kinds that have an object of the same name, which lives and dies with this one. ``due``
    says when something will next happen to an object by itself (never: ``inf``), in seconds
    since 1970, and ``happen`` does all of it that is due.
    """

    noun: str  # "Secret"
    segment: str  # "secrets"
    bundle: Callable[[StoredObject, Version, str], dict[str, Any]]
    item: Callable[[Version, str], dict[str, Any]]
    content: Mapping[str, Any]  # members of ``Version.content`` and their types
    longest_tag: int
    not_found: str
    not_found_to_recover: str
    deleted_not_found: str
    deleted_disabled: str | None  # None: a deleted object can be read although it is disabled
    being_deleted: str
    being_recovered: str
    recoverable: str
    restore_conflict: str
    managed: str
    on_hsm: bool = False  # whether a Managed HSM has this kind
    details: Mapping[str, Any] = field(default_factory=dict)  # members of ``StoredObject.details``; all may be None
    attributes: Callable[[Version, str], dict[str, Any]] = lambda version, api_version: {}  # beyond the common ones
    is_usable: Callable[[Mapping[str, Any]], bool] = lambda content: True  # a content that is read from a file
    listed: Callable[[Version, Mapping[str, str]], bool] = lambda version, query: True
    parts: tuple[Kind, ...] = ()
    cost: Callable[[Call], tuple[str, int]] | None = None  # see ``Route``
    due: Callable[[StoredObject], float] = lambda stored: float("inf")
    happen: Callable[[Vault, StoredObject, float], None] = lambda vault, stored, now: None

    @property
    def deleted_segment(self) -> str:
        return f"deleted{self.segment}"
