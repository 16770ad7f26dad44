"""Certificates: what only they have, and their routes."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from safekv.emulator._answers import Refused
from safekv.emulator._base64url import encode
from safekv.emulator._call import Call, Route
from safekv.emulator._messages import Response
from safekv.emulator.certificates import _files, _issuance, _policy, _x509
from safekv.emulator.certificates._issuance import PROGRESS
from safekv.emulator.certificates._parts import LONGEST_TAG, PARTS, blank_version, check_names, made, store
from safekv.emulator.certificates._policy import UNKNOWN, Policy
from safekv.emulator.keys._material import dump, load, shape
from safekv.emulator.objects import _attributes
from safekv.emulator.objects._common import CommonOperations, bundle
from safekv.emulator.objects._objects import Kind, StoredObject, Version
from safekv.emulator.objects._paging import includes_pending

_RETRY_AFTER = {"Retry-After": "10"}
_LONGEST_CONTENT = 100_000


def create_certificate(call: Call) -> Response:
    document = _attributes.read_json(call.request.body)
    stored = _free(call)
    before = stored.details["policy"] if stored else None
    policy = _policy.read(document.get("policy"), before, call.now)
    if not _policy.names_somebody(policy):
        raise Refused("400_value")
    pending = _issuance.begin(call.vault, call.name, policy, document, _new_version_id(call, stored), call.now)
    if stored:
        _forget_failures(stored)
    if stored is None:
        stored = _add(call, blank_version(pending, call.now), policy)
    elif not stored.versions:
        stored.versions[pending["version"]] = blank_version(pending, call.now)
    stored.details.update(policy=policy, pending=pending)
    call.vault.collection(KIND).expect(stored)
    url = _url(call, stored)
    query = f"api-version={call.api_version}&request_id={pending['request_id']}"
    headers = {"Location": f"{url}/pending?{query}", **_RETRY_AFTER}
    return Response.json(202, _issuance.shown(pending, url), headers)


def import_certificate(call: Call) -> Response:
    document = _attributes.read_json(call.request.body)
    value = _attributes.text(document, "value", _LONGEST_CONTENT)
    if value is None:
        raise Refused("400_value")
    stored = _free(call)
    files = _files.read(value, _attributes.text(document, "pwd", 1_024))
    described = _policy_of(files)
    policy = _policy.read(document.get("policy"), described, call.now)
    # The key is what it is, whatever the policy says.
    for name in ("kty", "key_size", "crv"):
        policy["key_props"].pop(name, None)
    policy["key_props"] = {**policy["key_props"], **described["key_props"]}
    imported = made(document, _new_version_id(call, stored), dump(files.key))
    if stored:
        _forget_failures(stored)
    if stored is None:
        stored = _add(call, blank_version(imported, call.now), policy)
    stored.details["policy"] = policy
    version = store(call.vault, stored, imported, files.chain, call.now)
    return Response.json(200, bundle(call, KIND, stored, version))


def get_certificate(call: Call) -> Response:
    return Response.json(200, bundle(call, KIND, *_found(call)))


def update_certificate(call: Call) -> Response:
    stored, version = _found(call)
    document = _attributes.read_json(call.request.body)
    policy = stored.details["policy"]
    if document.get("policy") is not None:
        policy = _policy.read(document["policy"], policy, call.now)
    _attributes.update(version, document, LONGEST_TAG)
    version.updated = int(call.now)
    stored.details["policy"] = policy
    return Response.json(200, bundle(call, KIND, stored, version))


def get_policy(call: Call) -> Response:
    stored = _active(call)
    return Response.json(200, _shown_policy(stored, _url(call, stored)))


def update_policy(call: Call) -> Response:
    stored = _active(call)
    document = _attributes.read_json(call.request.body)
    stored.details["policy"] = _policy.read(document, stored.details["policy"], call.now)
    return Response.json(200, _shown_policy(stored, _url(call, stored)))


def get_operation(call: Call) -> Response:
    stored, pending = _pending(call)
    headers = _RETRY_AFTER if pending["status"] == PROGRESS else {}
    return Response.json(200, _issuance.shown(pending, _url(call, stored)), headers)


def cancel_operation(call: Call) -> Response:
    stored, pending = _pending(call)
    if _attributes.read_json(call.request.body).get("cancellation_requested") is not True:
        raise Refused("400_value")
    if pending["issuer"] == UNKNOWN or pending["status"] != PROGRESS:
        raise Refused("403_cancel", issuer=pending["issuer"])
    pending["cancellation_requested"] = True  # and when it would be ready, it is cancelled
    return Response.json(200, _issuance.shown(pending, _url(call, stored)))


def delete_operation(call: Call) -> Response:
    stored, pending = _pending(call)
    stored.details["pending"] = None
    return Response.json(200, _issuance.shown(pending, _url(call, stored)))


def merge_certificate(call: Call) -> Response:
    stored, pending = _pending(call)
    if pending["issuer"] != UNKNOWN or pending["status"] != PROGRESS:
        raise Refused("403_merge", issuer=pending["issuer"])
    document = _attributes.read_json(call.request.body)
    given = document.get("x5c")
    if not isinstance(given, list) or not 1 <= len(given) <= 100:
        raise Refused("400_value")
    chain = [_files.read_certificate(each) for each in given]
    key = load(stored.details["policy"]["key_props"]["kty"], pending["material"])
    if not _x509.public_bytes_match(chain[0], key):
        raise Refused("400_merge_key")
    document = {"tags": pending["tags"], "preserveCertOrder": pending["preserve"], **document}
    pending.update(made(document, pending["version"], pending["material"]))
    store(call.vault, stored, pending, chain, call.now)
    _issuance.end(pending)
    return Response.json(201, bundle(call, KIND, stored, stored.latest))


def _free(call: Call) -> StoredObject | None:
    """The certificate that gets a new version, if there is one. Refused while another one is being made."""
    stored = call.vault.collection(KIND).writable(call.name, call.now)
    if stored and stored.details["pending"] and stored.details["pending"]["status"] == PROGRESS:
        raise Refused("409_cert_pending")
    check_names(call.vault, call.name, call.now)
    return stored


def _forget_failures(stored: StoredObject) -> None:
    """Versions that never got a certificate: of operations that were cancelled, or failed."""
    for version in [each for each in stored.versions.values() if each.content["cer"] is None]:
        del stored.versions[version.id]


def _add(call: Call, version: Version, policy: Policy) -> StoredObject:
    stored = StoredObject(call.name, {version.id: version}, details={"policy": policy, "pending": None})
    call.vault.collection(KIND).add(stored)
    return stored


def _new_version_id(call: Call, stored: StoredObject | None) -> str:
    version_id = call.vault.new_id()
    while stored and version_id in stored.versions:  # the same seed gives the same ids again after a restart
        version_id = call.vault.new_id()
    return version_id


def _active(call: Call) -> StoredObject:
    return call.vault.collection(KIND).active(call.name, call.now)


def _found(call: Call) -> tuple[StoredObject, Version]:
    return call.vault.collection(KIND).version(call.name, call.version, call.now)


def _pending(call: Call) -> tuple[StoredObject, dict[str, Any]]:
    stored = call.vault.collection(KIND).find(call.name, call.now)
    pending = stored.details["pending"] if stored and not stored.deletion else None
    if stored is None or pending is None:
        raise Refused("404_pending", name=call.name)
    return stored, pending


def _url(call: Call, stored: StoredObject) -> str:
    return f"{call.vault.url}/certificates/{stored.name}"


def _policy_of(files: _files.Bundle) -> dict[str, Any]:
    """The policy that describes what somebody imports."""
    own = files.chain[0]
    kty = "RSA" if isinstance(files.key, rsa.RSAPrivateKey) else "EC"
    size = shape({"kty": kty, "material": dump(files.key)})
    months = round((own.not_valid_after_utc - own.not_valid_before_utc).days / 30.44)
    return {
        "key_props": {
            "kty": kty,
            **({"key_size": size} if kty == "RSA" else {"key_size": files.key.key_size, "crv": size}),
        },
        "secret_props": {"contentType": files.content_type},
        "x509_props": {
            "subject": _x509.subject_text(own.subject),
            "sans": _x509.alternative_names(own),
            "validity_months": min(max(months, 1), 1_200),
        },
        "issuer": {"name": UNKNOWN},
    }


def _shown_policy(stored: StoredObject, url: str) -> dict[str, Any]:
    return {"id": f"{url}/policy", **stored.details["policy"]}


def _bundle(stored: StoredObject, version: Version, identifier: str) -> dict[str, Any]:
    url = identifier.rpartition("/")[0]
    shown: dict[str, Any] = {"id": identifier}
    if version.content["cer"]:
        keys, secrets = (identifier.replace("/certificates/", f"/{kind.segment}/") for kind in PARTS)
        shown |= {"kid": keys, "sid": secrets, "x5t": _thumbprint(version), "cer": version.content["cer"]}
    shown["policy"] = _shown_policy(stored, url)
    if stored.details["pending"]:
        shown["pending"] = {"id": f"{url}/pending"}
    if version.content["preserve"] is not None:
        shown["preserveCertOrder"] = version.content["preserve"]
    return shown


def _item(version: Version, identifier: str) -> dict[str, Any]:
    return {"id": identifier, **({"x5t": _thumbprint(version)} if version.content["cer"] else {})}


def _thumbprint(version: Version) -> str:
    return encode(_x509.thumbprint(x509.load_der_x509_certificate(base64.b64decode(version.content["cer"]))))


def _listed(version: Version, query: Mapping[str, str]) -> bool:
    return version.content["cer"] is not None or includes_pending(query)


def _is_usable(content: Mapping[str, Any]) -> bool:
    try:
        return content["cer"] is None or bool(x509.load_der_x509_certificate(base64.b64decode(content["cer"])))
    except ValueError:
        return False


KIND = Kind(
    noun="Certificate",
    segment="certificates",
    bundle=_bundle,
    item=_item,
    content={"cer": (str, type(None)), "preserve": (bool, type(None))},
    longest_tag=LONGEST_TAG,
    not_found="404_cert_named",
    not_found_to_recover="404_cert",
    deleted_not_found="404_deleted_cert",
    deleted_disabled=None,
    being_deleted="409_being_deleted_cert",
    being_recovered="409_being_recovered_cert",
    recoverable="409_recoverable_cert",
    restore_conflict="409_restore_cert",
    managed="403_managed_key",  # never: a certificate belongs to nothing
    details={"policy": (dict, type(None)), "pending": (dict, type(None))},
    is_usable=_is_usable,
    listed=_listed,
    parts=PARTS,
    due=_issuance.due,
    happen=_issuance.finish,
)

_ONE = "/certificates/{name}"

ROUTES = (
    Route("create_certificate", "POST", f"{_ONE}/create", create_certificate),
    Route("import_certificate", "POST", f"{_ONE}/import", import_certificate),
    Route("get_certificate", "GET", _ONE, get_certificate),
    Route("get_certificate_version", "GET", f"{_ONE}/{{version}}", get_certificate),
    Route("update_certificate_properties", "PATCH", _ONE, update_certificate),
    Route("update_certificate_properties", "PATCH", f"{_ONE}/{{version}}", update_certificate),
    Route("get_certificate_policy", "GET", f"{_ONE}/policy", get_policy),
    Route("update_certificate_policy", "PATCH", f"{_ONE}/policy", update_policy),
    Route("get_certificate_operation", "GET", f"{_ONE}/pending", get_operation),
    Route("cancel_certificate_operation", "PATCH", f"{_ONE}/pending", cancel_operation),
    Route("delete_certificate_operation", "DELETE", f"{_ONE}/pending", delete_operation),
    Route("merge_certificate", "POST", f"{_ONE}/pending/merge", merge_certificate),
    *CommonOperations(KIND).routes(),
)
