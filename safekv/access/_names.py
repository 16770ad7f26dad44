"""The words of access policies, and what ``all`` stands for. Source: the enumerations of Microsoft.KeyVault/vaults."""

from __future__ import annotations

from collections.abc import Iterable

ALL = "all"
PURGE = "purge"

_OBJECTS = "get list delete recover backup restore purge"
#: By kind of object, every permission that a policy can name, as Azure spells it.
PERMISSIONS: dict[str, tuple[str, ...]] = {
    "keys": (
        *f"{_OBJECTS} create import update encrypt decrypt sign verify wrapKey unwrapKey release rotate".split(),
        "getrotationpolicy",
        "setrotationpolicy",
    ),
    "secrets": (*_OBJECTS.split(), "set"),
    "certificates": (
        *f"{_OBJECTS} create import update managecontacts getissuers listissuers setissuers deleteissuers".split(),
        "manageissuers",
    ),
    "storage": (*f"{_OBJECTS} set update regeneratekey setsas listsas getsas deletesas".split(),),
}
COLLECTIONS = tuple(PERMISSIONS)
_SPELLED = {collection: {name.lower(): name for name in (ALL, *names)} for collection, names in PERMISSIONS.items()}
#: What else a permission allows: ``manageissuers`` is the older word for the four below it.
_IMPLIES = {"manageissuers": ("getissuers", "listissuers", "setissuers", "deleteissuers")}


def spelled(collection: str, word: str) -> str:
    """A permission as Azure spells it; case does not matter. One that is not known stays as it is, in lower case."""
    return _SPELLED[collection].get(word.lower(), word.lower())


def in_order(collection: str, words: Iterable[str]) -> tuple[str, ...]:
    """Permissions without duplicates, in the order of the table; others after them."""
    given = {spelled(collection, word) for word in words}
    known = [word for word in (ALL, *PERMISSIONS[collection]) if word in given]
    return (*known, *sorted(given.difference(known)))


def meant(collection: str, words: frozenset[str]) -> frozenset[str]:
    """What permissions certainly allow, each by its name. ``all`` does not promise ``purge``."""
    found = set(words)
    if ALL in found:
        found.discard(ALL)
        found.update(name for name in PERMISSIONS[collection] if name != PURGE)
    for word, more in _IMPLIES.items():
        if word in found:
            found.update(more)
    return frozenset(found)


def missing(collection: str, before: frozenset[str], after: frozenset[str]) -> tuple[str, ...]:
    """What ``before`` may allow and ``after`` does not promise, in order.

    Whether ``all`` includes ``purge`` is not said anywhere: so it counts as had, and not as given.
    """
    found = set(meant(collection, before) - meant(collection, after))
    if ALL in before and not after & {ALL, PURGE}:
        found.add(PURGE)
    return in_order(collection, found)
