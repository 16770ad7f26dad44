"""Rotation policies: what they say, and when a key is to be rotated by them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from safekv.emulator._answers import Refused
from safekv.emulator._duration import Duration
from safekv.emulator.objects._objects import StoredObject

Policy = Mapping[str, Any]

_NEVER = float("inf")
_TRIGGERS = ("timeAfterCreate", "timeBeforeExpiry")
_NOTIFY = {"trigger": {"timeBeforeExpiry": "P30D"}, "action": {"type": "Notify"}}
_MOST_ACTIONS = 10
_SHORTEST_LIFE = 28 * 86_400
_SOONEST = 7 * 86_400  # after it was made, a key can be rotated by itself
#: Of the rotations that became due while nobody looked, only so many are made up for.
MOST_OVERDUE = 100


def default(*, hsm: bool) -> Policy:
    """What holds for a key whose policy was never set. A vault notifies of an expiry, a Managed HSM does not."""
    return {"lifetimeActions": [] if hsm else [_NOTIFY], "attributes": {}}


def read(document: Mapping[str, Any], before: Policy | None, now: float, *, hsm: bool) -> dict[str, Any]:
    """The policy in the body of a PUT."""
    attributes = {} if document.get("attributes") is None else document["attributes"]
    actions = [] if document.get("lifetimeActions") is None else document["lifetimeActions"]
    if not isinstance(attributes, dict) or not isinstance(actions, list) or len(actions) > _MOST_ACTIONS:
        raise Refused("400_value")
    text = _duration(attributes, "expiryTime")
    read = [_action(action) for action in actions]
    if not hsm and not any(action["action"]["type"] == "Notify" for action in read):
        read.append(_NOTIFY)
    created = before["attributes"]["created"] if before else int(now)
    times = {"created": created, "updated": int(now)}
    policy = {"lifetimeActions": read, "attributes": {**({"expiryTime": text} if text else {}), **times}}
    _check(policy, now, hsm=hsm)
    return policy


def expiry(policy: Policy | None, created: float) -> int | None:
    """When a version expires that is made by a rotation."""
    text = policy["attributes"].get("expiryTime") if policy else None
    moment = Duration.parse(text).after(created) if text else _NEVER
    return None if moment == _NEVER else int(moment)


def due(policy: Policy | None, created: float, expires: float | None) -> float:
    """When a version that was made at ``created`` is to be rotated by itself; ``inf``: never."""
    return min(_dues(policy, created, expires), default=_NEVER)


def due_of(stored: StoredObject) -> float:
    return due(stored.details["rotation"], stored.latest.created, stored.latest.expires)


def overdue(stored: StoredObject, now: float) -> list[int]:
    """When a key should have been rotated until now, oldest first; at most ``MOST_OVERDUE`` times."""
    policy, latest = stored.details["rotation"], stored.latest
    found: deque[int] = deque(maxlen=MOST_OVERDUE)
    moment = due(policy, latest.created, latest.expires)
    while moment <= now:
        created = max(int(moment), found[-1] + 1 if found else latest.created + 1)
        found.append(created)
        moment = due(policy, created, expiry(policy, created))
    return list(found)


def _dues(policy: Policy | None, created: float, expires: float | None) -> Iterator[float]:
    for action in policy["lifetimeActions"] if policy else ():
        if action["action"]["type"] == "Rotate":
            after, before = (action["trigger"].get(name) for name in _TRIGGERS)
            if after:
                yield Duration.parse(after).after(created)
            if before and expires is not None:
                yield Duration.parse(before).before(expires)


def _check(policy: Policy, now: float, *, hsm: bool) -> None:
    expires = expiry(policy, now)
    rotates = [each["trigger"] for each in policy["lifetimeActions"] if each["action"]["type"] == "Rotate"]
    if expires is None and (hsm or any("timeBeforeExpiry" in trigger for trigger in rotates)):
        raise Refused("400_value")
    if expires is not None and expires < now + _SHORTEST_LIFE:
        raise Refused("400_value")
    if due(policy, now, expires) < now + _SOONEST:
        raise Refused("400_value")


def _action(given: object) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise Refused("400_value")
    action, trigger = given.get("action"), given.get("trigger")
    if not isinstance(action, dict) or not isinstance(trigger, dict):
        raise Refused("400_value")
    kind = str(action.get("type")).capitalize()
    times = {name: text for name in _TRIGGERS if (text := _duration(trigger, name))}
    if kind not in ("Rotate", "Notify") or len(times) != 1 or (kind == "Notify" and "timeAfterCreate" in times):
        raise Refused("400_value")
    return {"trigger": times, "action": {"type": kind}}


def _duration(document: Mapping[str, Any], name: str) -> str | None:
    text = document.get(name)
    if text is None:
        return None
    try:
        Duration.parse(text)
    except (TypeError, ValueError):
        raise Refused("400_value") from None
    return str(text)
