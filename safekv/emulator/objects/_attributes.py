"""Request bodies: what may be in them, and how attributes, tags and times are shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from safekv.emulator._answers import LAST_SECOND, Refused
from safekv.emulator.objects._objects import Version

MOST_TAGS = 15
_WITHOUT_RECOVERABLE_DAYS = ("2016-10-01", "7.0")


def read_json(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; no body at all is an empty one."""
    if not body:
        return {}
    try:
        document = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise Refused("400_json")
    return document


def text(document: Mapping[str, Any], name: str, longest: int) -> str | None:
    """A member that is a text of at most ``longest`` characters, if it is there."""
    value = document.get(name)
    if value is not None and not (is_text(value) and len(value) <= longest):
        raise Refused("400_value")
    return value


def is_text(value: object) -> bool:
    """Whether a value is a text that UTF-8 can carry (JSON can hold half a surrogate pair)."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_tags(document: Mapping[str, Any], longest: int) -> dict[str, str] | None:
    tags = document.get("tags")
    if tags is None:
        return None
    if not isinstance(tags, dict) or len(tags) > MOST_TAGS:
        raise Refused("400_value")
    if not all(is_text(part) and len(part) <= longest for pair in tags.items() for part in pair):
        raise Refused("400_value")
    return dict(tags)


def update(version: Version, document: Mapping[str, Any], longest_tag: int) -> None:
    """Put the attributes and tags of a body into a version; what the body lacks stays. All or nothing."""
    given = document.get("attributes")
    if given is None:
        given = {}
    if not isinstance(given, dict):
        raise Refused("400_value")
    enabled = given.get("enabled")
    not_before = _time(given, "nbf", version.not_before)
    expires = _time(given, "exp", version.expires)
    if enabled is not None and type(enabled) is not bool:
        raise Refused("400_value")
    if not_before is not None and expires is not None and not_before > expires:
        raise Refused("400_value")
    tags = read_tags(document, longest_tag)
    version.not_before, version.expires = not_before, expires
    version.enabled = version.enabled if enabled is None else enabled
    version.tags = version.tags if tags is None else tags


def shown(version: Version, recovery_level: str, retention_days: int, api_version: str) -> dict[str, Any]:
    """The ``attributes`` of an answer."""
    attributes: dict[str, Any] = {"enabled": version.enabled}
    if version.not_before is not None:
        attributes["nbf"] = version.not_before
    if version.expires is not None:
        attributes["exp"] = version.expires
    attributes["created"] = version.created
    attributes["updated"] = version.updated
    attributes["recoveryLevel"] = recovery_level
    if api_version not in _WITHOUT_RECOVERABLE_DAYS:
        attributes["recoverableDays"] = retention_days
    return attributes


def _time(attributes: Mapping[str, Any], name: str, otherwise: int | None) -> int | None:
    """Seconds since 1970; a fraction is cut off."""
    value = attributes.get(name)
    if value is None:
        return otherwise
    if type(value) not in (int, float) or not 0 <= value <= LAST_SECOND:
        raise Refused("400_value")
    return int(value)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
