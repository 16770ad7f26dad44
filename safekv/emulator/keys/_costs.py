"""What a request about a key counts against: the limit of its class, and by how much."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from safekv.emulator._rates import RSA_WEIGHTS
from safekv.emulator.keys._material import TYPES, family, shape

if TYPE_CHECKING:
    from safekv.emulator._call import Call
    from safekv.emulator.objects._objects import Version

_OTHER = ("other", 1)
_CREATE = ("create_key", "import_key", "rotate_key")
_RARE = {
    "delete_key": "mhsm_delete",
    "purge_deleted_key": "mhsm_purge",
    "backup_key": "mhsm_backup",
    "restore_key_backup": "mhsm_restore",
    "get_key": "mhsm_get",
}
_PUBLIC = ("encrypt", "wrap_key", "verify")
_PRIVATE = ("decrypt", "unwrap_key", "sign")


def charge(call: Call) -> tuple[str, int]:
    """The class (of ``Limits``, or of a Managed HSM's rates) and the weight."""
    version = _version(call)
    if call.vault.hsm:
        return _on_hsm(call.operation or "", version), 1
    if call.operation in _CREATE:
        kty = version.content["kty"] if call.operation == "rotate_key" and version else _asked_type(call)
        return ("key_create_hsm" if kty.endswith("-HSM") else "key_create"), 1
    if version is None:
        return _OTHER
    size = shape(version.content)
    weight = RSA_WEIGHTS.get(size, 1) if isinstance(size, int) else 1
    return ("key_hsm" if version.content["kty"].endswith("-HSM") else "key"), weight


def _on_hsm(operation: str, version: Version | None) -> str:
    if operation in _CREATE:
        return "mhsm_create"
    if operation in _RARE:
        return _RARE[operation]
    if version is None or operation not in (*_PUBLIC, *_PRIVATE):
        return "other"
    if family(version.content["kty"]) == "oct":
        return "mhsm_aes_wrap" if operation.endswith("wrap_key") else "mhsm_aes_encrypt"
    half = "public" if operation in _PUBLIC else "private"
    return f"mhsm_{family(version.content['kty']).lower()}_{shape(version.content)}_{half}"


def _version(call: Call) -> Version | None:
    """The version that is meant, whatever state it is in."""
    keys = call.vault.collections.get("keys")
    stored = keys.find(call.name, call.now) if keys and call.name else None
    if stored is None:
        return None
    return stored.versions.get((call.version or "").lower(), stored.latest)


def _asked_type(call: Call) -> str:
    """The type of key that a request to make or import one asks for; an ordinary one if it makes no sense."""
    try:
        document = json.loads(call.request.body)
        if document.get("Hsm") is True:
            return "RSA-HSM"
        kty = document["kty"] if call.operation == "create_key" else document["key"]["kty"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        kty = ""
    return kty if kty in TYPES else "RSA"
