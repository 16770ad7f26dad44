"""Keys: what only they have, and their routes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from safekv.emulator._answers import Refused
from safekv.emulator._base64url import encode
from safekv.emulator._call import Call, Route
from safekv.emulator._messages import Response
from safekv.emulator.keys import _material, _operations, _release, _rotation, _rules
from safekv.emulator.keys._costs import charge
from safekv.emulator.objects import _attributes
from safekv.emulator.objects._common import CommonOperations, add_version, append, bundle
from safekv.emulator.objects._objects import Kind, StoredObject, Version

if TYPE_CHECKING:
    from safekv.emulator._vault import Vault

_MOST_RANDOM = 128
_WITHOUT_EXPORTABLE = ("2016-10-01", "7.0", "7.1", "7.2")


def create_key(call: Call) -> Response:
    document = _attributes.read_json(call.request.body)
    kty = _type(document.get("kty"), hsm=call.vault.hsm)
    content = _content(document, document, kty)
    # Last, so that nothing is made in vain.
    size, curve, exponent = (document.get(name) for name in ("key_size", "crv", "public_exponent"))
    content["material"] = _material.generate(kty, size, curve, exponent)
    return _stored(call, document, content)


def import_key(call: Call) -> Response:
    document = _attributes.read_json(call.request.body)
    jwk = document.get("key")
    if not isinstance(jwk, dict):
        raise Refused("400_value")
    kty = _type(jwk.get("kty"), hsm=call.vault.hsm or document.get("Hsm") is True)
    content = _content(document, jwk, kty)
    content["material"] = _material.from_jwk({**jwk, "kty": kty})
    return _stored(call, document, content)


def get_key(call: Call) -> Response:
    return Response.json(200, bundle(call, KIND, *_found(call)))


def update_key(call: Call) -> Response:
    stored, version = _found(call)
    document = _attributes.read_json(call.request.body)
    operations = _rules.given_operations(document)
    content = version.content
    before = content["release_policy"]
    policy = _release.read_policy(document, exportable=content["exportable"], before=before)
    _attributes.update(version, document, KIND.longest_tag)
    content["release_policy"] = policy
    if operations is not None:
        content["key_ops"] = operations
    version.updated = int(call.now)
    call.vault.collection(KIND).expect(stored)
    return Response.json(200, bundle(call, KIND, stored, version))


def rotate_key(call: Call) -> Response:
    keys = call.vault.collection(KIND)
    stored = keys.active(call.name, call.now)
    keys.refuse_managed(stored)
    return Response.json(200, bundle(call, KIND, stored, rotate(call.vault, stored, int(call.now))))


def get_rotation_policy(call: Call) -> Response:
    stored = call.vault.collection(KIND).active(call.name, call.now)
    return _policy_response(call, stored)


def update_rotation_policy(call: Call) -> Response:
    keys = call.vault.collection(KIND)
    stored = keys.active(call.name, call.now)
    document = _attributes.read_json(call.request.body)
    before = stored.details["rotation"]
    stored.details["rotation"] = _rotation.read(document, before, call.now, hsm=call.vault.hsm)
    keys.expect(stored)
    return _policy_response(call, stored)


def get_random_bytes(call: Call) -> Response:
    count = _attributes.read_json(call.request.body).get("count")
    if type(count) is not int or not 1 <= count <= _MOST_RANDOM:
        raise Refused("400_mhsm_rng", guid=call.vault.new_id())
    return Response.json(200, {"value": encode(call.vault.surroundings.random.randbytes(count))})


def release_key(call: Call) -> Response:
    stored, version = _found(call)
    _rules.check(version, "release", call.now)
    document = _attributes.read_json(call.request.body)
    shown = bundle(call, KIND, stored, version)
    return Response.json(200, {"value": _release.release(version.content, shown, document)})


def get_attestation(call: Call) -> Response:
    stored, version = _found(call)
    shown = bundle(call, KIND, stored, version)
    parts = {
        name: encode(hashlib.sha512(f"{name} {version.content['material']}".encode()).digest())
        for name in ("certificatePemFile", "privateKeyAttestation", "publicKeyAttestation")
    }
    shown["attributes"]["attestation"] = {**parts, "version": "1.0"}
    return Response.json(200, shown)


def rotate(vault: Vault, stored: StoredObject, created: int) -> Version:
    """A new version with new material, and everything else as the latest one has it."""
    latest, policy = stored.latest, stored.details["rotation"]
    content = latest.content
    shape = _material.shape(content)
    size, curve = (shape, None) if isinstance(shape, int) else (None, shape)
    content = {**content, "material": _material.generate(content["kty"], size, curve)}
    expires = _rotation.expiry(policy, created)
    version = replace(
        latest, id=vault.new_id(), created=created, updated=created, content=content, not_before=None, expires=expires
    )
    append(vault, KIND, stored, version)
    return version


def rotate_overdue(vault: Vault, stored: StoredObject, now: float) -> None:
    for moment in _rotation.overdue(stored, now):
        rotate(vault, stored, moment)


def _found(call: Call) -> tuple[StoredObject, Version]:
    return call.vault.collection(KIND).version(call.name, call.version, call.now)


def _stored(call: Call, document: Mapping[str, Any], content: dict[str, Any]) -> Response:
    stored, version = add_version(call.vault, KIND, call.name, document, content, call.now)
    return Response.json(200, bundle(call, KIND, stored, version))


def _type(given: object, *, hsm: bool) -> str:
    """A Managed HSM has only keys of the types that end in -HSM."""
    known = {each.lower(): each for each in _material.TYPES}
    kty = known.get(given.lower()) if isinstance(given, str) else None
    if kty is None:
        raise Refused("400_value")
    return f"{_material.family(kty)}-HSM" if hsm else kty


def _content(document: Mapping[str, Any], jwk: Mapping[str, Any], kty: str) -> dict[str, Any]:
    """All but the material."""
    attributes = document.get("attributes")
    exportable = attributes.get("exportable") or False if isinstance(attributes, dict) else False
    if type(exportable) is not bool:
        raise Refused("400_value")
    policy = _release.read_policy(document, exportable=exportable, before=None)
    if exportable and policy is None:
        raise Refused("400_skr1004")
    operations = _rules.read_operations(jwk, kty)
    return {"kty": kty, "key_ops": operations, "exportable": exportable, "release_policy": policy}


def _policy_response(call: Call, stored: StoredObject) -> Response:
    policy = stored.details["rotation"] or _rotation.default(hsm=call.vault.hsm)
    return Response.json(200, {"id": f"{call.vault.url}/keys/{stored.name}/rotationpolicy", **policy})


def _bundle(stored: StoredObject, version: Version, identifier: str) -> dict[str, Any]:
    content = version.content
    key = {"kid": identifier, "kty": content["kty"], "key_ops": content["key_ops"]}
    policy = content["release_policy"]
    shown = {"key": {**key, **_material.public_jwk(content)}}
    return {**shown, "release_policy": policy} if policy else shown


def _item(version: Version, identifier: str) -> dict[str, Any]:
    return {"kid": identifier}


def _own_attributes(version: Version, api_version: str) -> dict[str, Any]:
    if api_version in _WITHOUT_EXPORTABLE:
        return {}
    shape, hsm = _material.shape(version.content), version.content["kty"].endswith("-HSM")
    size = {"key_size": shape} if isinstance(shape, int) else {}
    return {**size, "exportable": version.content["exportable"], "hsmPlatform": "2" if hsm else "0"}


KIND = Kind(
    noun="Key",
    segment="keys",
    bundle=_bundle,
    item=_item,
    content={
        "kty": str,
        "material": str,
        "key_ops": list,
        "exportable": bool,
        "release_policy": (dict, type(None)),
    },
    longest_tag=256,
    not_found="404_key_named",
    not_found_to_recover="404_key",
    deleted_not_found="404_deleted_key",
    deleted_disabled=None,
    being_deleted="409_being_deleted_key",
    being_recovered="409_being_recovered_key",
    recoverable="409_recoverable_key",
    restore_conflict="409_restore_key",
    managed="403_managed_key",
    on_hsm=True,
    details={"rotation": (dict, type(None))},
    attributes=_own_attributes,
    is_usable=_material.is_usable,
    cost=charge,
    due=_rotation.due_of,
    happen=rotate_overdue,
)


def _route(operation: str, method: str, path: str, handler: Any, limit: str = "key", **where: bool) -> Route:
    return Route(operation, method, path, handler, limit, cost=charge, **{"on_hsm": True, **where})


ROUTES = (
    _route("create_key", "POST", "/keys/{name}/create", create_key, "key_create"),
    _route("import_key", "PUT", "/keys/{name}", import_key, "key_create"),
    _route("get_key", "GET", "/keys/{name}", get_key),
    _route("get_key", "GET", "/keys/{name}/{version}", get_key),
    _route("update_key_properties", "PATCH", "/keys/{name}", update_key),
    _route("update_key_properties", "PATCH", "/keys/{name}/{version}", update_key),
    _route("rotate_key", "POST", "/keys/{name}/rotate", rotate_key, "key_create"),
    _route("get_key_rotation_policy", "GET", "/keys/{name}/rotationpolicy", get_rotation_policy),
    _route("update_key_rotation_policy", "PUT", "/keys/{name}/rotationpolicy", update_rotation_policy),
    _route("release_key", "POST", "/keys/{name}/release", release_key),
    _route("release_key", "POST", "/keys/{name}/{version}/release", release_key),
    _route("get_key_attestation", "GET", "/keys/{name}/attestation", get_attestation, on_vault=False),
    _route("get_key_attestation", "GET", "/keys/{name}/{version}/attestation", get_attestation, on_vault=False),
    Route("get_random_bytes", "POST", "/rng", get_random_bytes, on_hsm=True, on_vault=False),
    *_operations.routes(KIND),
    *CommonOperations(KIND).routes(),
)
