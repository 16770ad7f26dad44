"""Certificates that are being made: pending operations, and how they end.

An operation is a JSON-able dict, kept with its certificate. Those of the issuer ``Unknown``
wait for a merge; others end by themselves at ``ready``, on the emulator's clock.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from safekv.emulator._answers import Refused
from safekv.emulator.certificates import _x509
from safekv.emulator.certificates._parts import made, store
from safekv.emulator.certificates._policy import SELF, UNKNOWN, Policy
from safekv.emulator.keys import _keys
from safekv.emulator.keys._material import generate, load
from safekv.emulator.objects._objects import StoredObject
from safekv.errors._catalogue import by_id

if TYPE_CHECKING:
    from safekv.emulator._vault import Vault

_NEVER = float("inf")
_WORKING = (
    "Pending certificate created. Certificate request is in progress. "
    "This may take some time based on the issuer provider. Please check again later."
)
_TO_MERGE = "Pending certificate created. Please Perform Merge to complete the request."
_SHOWN = ("cancellation_requested", "status", "status_details", "error", "target", "request_id")
PROGRESS, COMPLETED, CANCELLED, FAILED = "inProgress", "completed", "cancelled", "failed"


def begin(
    vault: Vault, name: str, policy: Policy, document: Mapping[str, Any], version_id: str, now: float
) -> dict[str, Any]:
    """A new operation, from the body of a request. Refused if the names of the policy cannot stand in one."""
    issuer = policy["issuer"]["name"]
    material = _material(vault, name, policy, now)
    key = load(policy["key_props"]["kty"], material)
    assert not isinstance(key, bytes)  # a policy has no symmetric keys
    try:
        request = _x509.request(policy, key)
        _x509.validity(policy, now)
    except (ValueError, OverflowError):
        raise Refused("400_value") from None
    ready = None if issuer == UNKNOWN else now + vault.surroundings.settings.issue_delay
    return {
        **made(document, version_id, material),
        "issuer": issuer,
        "csr": base64.b64encode(request.public_bytes(Encoding.DER)).decode(),
        "ready": ready,
        "cancellation_requested": False,
        "status": PROGRESS,
        "status_details": _TO_MERGE if ready is None else _WORKING,
        "error": None,
        "request_id": vault.new_id(),
    }


def shown(pending: Mapping[str, Any], url: str) -> dict[str, Any]:
    """An operation as the service shows it; ``url`` is the certificate's."""
    first = {"id": f"{url}/pending", "issuer": {"name": pending["issuer"]}, "csr": pending["csr"]}
    target = url if pending["status"] == COMPLETED else None
    members = {**pending, "target": target}
    return {**first, **{name: members[name] for name in _SHOWN if members[name] is not None}}


def due(stored: StoredObject) -> float:
    pending = stored.details["pending"]
    if pending is None or pending["status"] != PROGRESS or pending["ready"] is None:
        return _NEVER
    ready: float = pending["ready"]
    return ready


def finish(vault: Vault, stored: StoredObject, now: float) -> None:
    """The issuer is done."""
    pending = stored.details["pending"]
    if pending["cancellation_requested"]:
        end(pending, CANCELLED)
        return
    problem = _refusal(vault, pending["issuer"])
    if problem is not None:
        fail(pending, *problem)
        return
    policy = stored.details["policy"]
    key = load(policy["key_props"]["kty"], pending["material"])
    assert not isinstance(key, bytes)
    make = _x509.self_signed if pending["issuer"] == SELF else _x509.issued
    complete(vault, stored, make(policy, key, pending["ready"]), pending["ready"])


def complete(vault: Vault, stored: StoredObject, chain: list[x509.Certificate], now: float) -> None:
    """The certificate is there: it and its parts are stored, and the operation ends."""
    pending = stored.details["pending"]
    try:
        store(vault, stored, pending, chain, now)
    except Refused as refused:  # somebody has taken, or deleted, the name of a part meanwhile
        row = by_id(refused.row_id)
        fail(pending, row.code or "", f"The certificate could not be stored: {row.inner_code or row.code}.")
        return
    end(pending)


def fail(pending: dict[str, Any], code: str, message: str) -> None:
    pending["error"] = {"code": code, "message": message}
    end(pending, FAILED)
    pending["status_details"] = message


def end(pending: dict[str, Any], status: str = COMPLETED) -> None:
    pending["status"], pending["status_details"] = status, None


def _refusal(vault: Vault, issuer: str) -> tuple[str, str] | None:
    """Why an issuer gives no certificate, as a code and a message."""
    if issuer == SELF:
        return None
    registered = vault.issuers.get(issuer.lower())
    if registered is None:
        return "CertificateIssuerNotFound", "Issuer not found"
    if not registered["attributes"]["enabled"]:
        return "IssuerDisabled", f"The issuer {issuer} is disabled."
    return ("IssuerRefused", vault.issuer_error) if vault.issuer_error else None


def _material(vault: Vault, name: str, policy: Policy, now: float) -> str:
    props = policy["key_props"]
    if props["reuse_key"]:
        key = vault.collection(_keys.KIND).find(name, now)
        if key is not None and key.latest.content["kty"] == props["kty"]:
            material: str = key.latest.content["material"]
            return material
    return generate(props["kty"], props.get("key_size"), props.get("crv"))
