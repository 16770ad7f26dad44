"""Stored objects as JSON-able data and back: in a backup, and in a snapshot.

Loading is strict: a member that is missing, unknown or of another type is refused with its place.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from safekv.emulator.objects._objects import Deletion, Kind, StoredObject, Version

NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")
_VERSION_ID = re.compile(r"[0-9a-f]{32}")
_OPTIONAL_TIME = (int, type(None))
_OBJECT = {
    "name": str,
    "versions": list,
    "deletion": (dict, type(None)),
    "recovered": (int, float),
    "details": dict,
}
_DELETION = {"started": (int, float), "done": (int, float), "purge": (int, float)}
_VERSION = {
    "id": str,
    "created": int,
    "updated": int,
    "content": dict,
    "enabled": bool,
    "not_before": _OPTIONAL_TIME,
    "expires": _OPTIONAL_TIME,
    "tags": (dict, type(None)),
    "managed": bool,
}


def dump(stored: StoredObject) -> dict[str, Any]:
    """An object with all its versions, oldest first."""
    return {
        "name": stored.name,
        "versions": [asdict(version) for version in stored.versions.values()],
        "deletion": stored.deletion and asdict(stored.deletion),
        "recovered": stored.recovered,
        "details": stored.details,
    }


def load(kind: Kind, document: Any, place: str) -> StoredObject:
    """What :func:`dump` gave. ``ValueError`` names the place of what is wrong, never a value."""
    if isinstance(document, dict):
        document = {"details": dict.fromkeys(kind.details), **document}  # older snapshots have none
    members = check(document, _OBJECT, place)
    if not NAME.fullmatch(members["name"]):
        raise ValueError(f"{place}.name must be 1 to 127 letters, digits and hyphens")
    if not members["versions"]:
        raise ValueError(f"{place}.versions must have at least one version")
    versions = [_load_version(kind, each, f"{place}.versions[{i}]") for i, each in enumerate(members["versions"])]
    by_id = {version.id: version for version in versions}
    if len(by_id) != len(versions):
        raise ValueError(f"{place}.versions must all have different ids")
    deletion = members["deletion"]
    if deletion is not None:
        deletion = Deletion(**check(deletion, _DELETION, f"{place}.deletion"))
    details = check(members["details"], kind.details, f"{place}.details")
    return StoredObject(members["name"], by_id, deletion, members["recovered"], copy.deepcopy(details))


def check(document: Any, members: Mapping[str, Any], place: str) -> dict[str, Any]:
    """``document``, if it is an object with exactly these members of these types."""
    if not isinstance(document, dict):
        raise ValueError(f"{place} must be an object, not {type(document).__name__}")
    wrong = set(document) ^ set(members)
    if wrong:
        raise ValueError(f"{place} must have exactly the members {', '.join(members)}; differs in {sorted(wrong)}")
    for name, kinds in members.items():
        value = document[name]
        # bool is an int to isinstance, and never what a number's place wants
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
            raise ValueError(f"{place}.{name} is of the wrong type: {type(value).__name__}")
    return document


def _load_version(kind: Kind, document: Any, place: str) -> Version:
    members = check(document, _VERSION, place)
    if not _VERSION_ID.fullmatch(members["id"]):
        raise ValueError(f"{place}.id must be 32 hexadecimal digits")
    if not all(isinstance(part, str) for pair in (members["tags"] or {}).items() for part in pair):
        raise ValueError(f"{place}.tags must be texts")
    check(members["content"], kind.content, f"{place}.content")
    if not kind.is_usable(members["content"]):
        raise ValueError(f"{place}.content cannot be used")
    return Version(**copy.deepcopy(members))
