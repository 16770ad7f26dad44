"""Secrets: what only they have, and their routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from safekv.emulator._answers import Refused
from safekv.emulator._call import Call, Route
from safekv.emulator._messages import Response
from safekv.emulator.objects import _attributes
from safekv.emulator.objects._common import CommonOperations, add_version, bundle
from safekv.emulator.objects._objects import Kind, StoredObject, Version

if TYPE_CHECKING:
    from safekv.emulator._vault import Vault

MOST_BYTES = 25_600
_LONGEST_CONTENT_TYPE = 255


def set_secret(call: Call) -> Response:
    stored, version = store(call.vault, call.name, _attributes.read_json(call.request.body), call.now)
    return _with_value(call, stored, version)


def get_secret(call: Call) -> Response:
    stored, version = call.vault.collection(KIND).version(call.name, call.version, call.now)
    if not version.enabled:
        raise Refused("403_secret_disabled")
    return _with_value(call, stored, version)  # whatever its nbf and exp: for secrets these only inform


def update_secret(call: Call) -> Response:
    stored, version = call.vault.collection(KIND).version(call.name, call.version, call.now)
    document = _attributes.read_json(call.request.body)
    content_type = _content_type(document)
    _attributes.update(version, document, KIND.longest_tag)
    if content_type is not None:
        version.content["contentType"] = content_type
    version.updated = int(call.now)
    return Response.json(200, bundle(call, KIND, stored, version))


def store(
    vault: Vault, name: str, document: Mapping[str, Any], now: float, *, managed: bool = False
) -> tuple[StoredObject, Version]:
    """Add a version to a secret, or a secret to the vault, from the body of a PUT."""
    value = document.get("value")
    if not isinstance(value, str) or not _attributes.is_text(value) or len(value.encode()) > MOST_BYTES:
        raise Refused("400_value")
    content = {"value": value, "contentType": _content_type(document)}
    return add_version(vault, KIND, name, document, content, now, managed=managed)


def _with_value(call: Call, stored: StoredObject, version: Version) -> Response:
    return Response.json(200, {"value": version.content["value"], **bundle(call, KIND, stored, version)})


def _content_type(document: Mapping[str, Any]) -> str | None:
    return _attributes.text(document, "contentType", _LONGEST_CONTENT_TYPE)


def _bundle(stored: StoredObject, version: Version, identifier: str) -> dict[str, Any]:
    own = _item(version, identifier)
    # The secret of a certificate names the key.
    return {**own, "kid": identifier.replace("/secrets/", "/keys/")} if version.managed else own


def _item(version: Version, identifier: str) -> dict[str, Any]:
    content_type = version.content["contentType"]
    return {"id": identifier} if content_type is None else {"contentType": content_type, "id": identifier}


KIND = Kind(
    noun="Secret",
    segment="secrets",
    bundle=_bundle,
    item=_item,
    content={"value": str, "contentType": (str, type(None))},
    longest_tag=512,
    not_found="404_secret",
    not_found_to_recover="404_secret_short",
    deleted_not_found="404_deleted_secret",
    deleted_disabled="403_deleted_secret_disabled",
    being_deleted="409_being_deleted",
    being_recovered="409_being_recovered",
    recoverable="409_recoverable",
    restore_conflict="409_restore",
    managed="403_managed_secret",
)

ROUTES = (
    Route("set_secret", "PUT", "/secrets/{name}", set_secret, limit="secret_create"),
    Route("get_secret", "GET", "/secrets/{name}", get_secret),
    Route("get_secret", "GET", "/secrets/{name}/{version}", get_secret),
    Route("update_secret_properties", "PATCH", "/secrets/{name}", update_secret),
    Route("update_secret_properties", "PATCH", "/secrets/{name}/{version}", update_secret),
    *CommonOperations(KIND).routes(),
)
