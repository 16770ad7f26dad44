"""What may be done with a key: its operations, its times, and whether it is enabled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safekv.emulator._answers import Refused
from safekv.emulator.keys._material import family
from safekv.emulator.objects._objects import Version

OPERATIONS = ("encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey", "import", "export")
_DEFAULTS = {
    "RSA": ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"],
    "EC": ["sign", "verify"],
    "oct": ["encrypt", "decrypt", "wrapKey", "unwrapKey"],
}
#: What undoes or checks something that was done before; it stays possible outside of nbf and exp.
_AT_ANY_TIME = ("decrypt", "release", "unwrapKey", "verify")


def read_operations(document: Mapping[str, Any], kty: str) -> list[str]:
    """The ``key_ops`` of a new key."""
    given = given_operations(document)
    return list(_DEFAULTS[family(kty)]) if given is None else given


def given_operations(document: Mapping[str, Any]) -> list[str] | None:
    given = document.get("key_ops")
    if given is None:
        return None
    if not isinstance(given, list) or not all(operation in OPERATIONS for operation in given):
        raise Refused("400_value")
    return list(dict.fromkeys(given))


def check(version: Version, operation: str, now: float) -> None:
    """Refuse an operation that this key is not for, or not now."""
    if not version.enabled:
        raise Refused("403_key_disabled", operation=operation)
    if operation not in _AT_ANY_TIME:
        if version.expires is not None and now >= version.expires:
            raise Refused("403_key_expired", operation=operation)
        if version.not_before is not None and now < version.not_before:
            raise Refused("403_key_not_yet_valid", operation=operation)
    if operation != "release" and operation not in version.content["key_ops"]:
        raise Refused("403_key_ops", operation=operation)
