"""Certificate policies: what is in one, what it is by default, and which make no sense."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safekv.emulator._answers import Refused
from safekv.emulator.keys._material import CURVES, TYPES, family
from safekv.emulator.keys._rsa_pool import SIZES
from safekv.emulator.objects._attributes import is_text

Policy = Mapping[str, Any]

PEM, PKCS12 = "application/x-pem-file", "application/x-pkcs12"
USAGES = (
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
)
NAMES = ("emails", "dns_names", "upns", "uris", "ipAddresses")
SELF, UNKNOWN = "Self", "Unknown"
_MOST_MONTHS = 1_200
_MOST_ITEMS = 100
_LONGEST = 2_048
_RENEW = {"trigger": {"lifetime_percentage": 80}, "action": {"action_type": "AutoRenew"}}
_TRIGGERS = {"lifetime_percentage": 99, "days_before_expiry": 36_500}


def read(given: object, before: Policy | None, now: float) -> dict[str, Any]:
    """A policy from the body of a request; what it lacks is as it was ``before``, or as it is by default."""
    given = _members(given)
    before = before or {}
    policy = {
        "key_props": _key(_members(given.get("key_props")), before.get("key_props", {})),
        "secret_props": _secret(_members(given.get("secret_props")), before.get("secret_props", {})),
        "x509_props": _x509(_members(given.get("x509_props")), before.get("x509_props", {})),
        "lifetime_actions": _actions(given.get("lifetime_actions"), before.get("lifetime_actions", [_RENEW])),
        "issuer": _issuer(_members(given.get("issuer")), before.get("issuer", {})),
        "attributes": _attributes(_members(given.get("attributes")), before.get("attributes", {}), int(now)),
    }
    managed = given.get("platformManaged", before.get("platformManaged"))
    return {**policy, "platformManaged": _members(managed)} if managed is not None else policy


def names_somebody(policy: Policy) -> bool:
    """Whether a certificate can be made from it: it needs a subject, or an alternative name."""
    x509 = policy["x509_props"]
    return bool(x509["subject"] or any(x509["sans"].values()) or "platformManaged" in policy)


def _key(given: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    kty = _choice(given, "kty", TYPES[:4], before.get("kty", "RSA"))
    key: dict[str, Any] = {"exportable": _flag(given, "exportable", before.get("exportable", True)), "kty": kty}
    if family(kty) == "RSA":
        key["key_size"] = _choice(given, "key_size", SIZES, _size_before(before))
    else:
        curve = _choice(given, "crv", tuple(CURVES), before.get("crv") or "P-256")
        key |= {"key_size": CURVES[curve].key_size, "crv": curve}
    return {**key, "reuse_key": _flag(given, "reuse_key", before.get("reuse_key", False))}


def _size_before(before: Mapping[str, Any]) -> int:
    size: int = before.get("key_size", 2048)
    return size if size in SIZES else 2048  # it was an EC key


def _secret(given: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    return {"contentType": _choice(given, "contentType", (PKCS12, PEM), before.get("contentType", PKCS12))}


def _x509(given: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    months = given.get("validity_months")
    if months is not None and (type(months) is not int or not 1 <= months <= _MOST_MONTHS):
        raise Refused("400_value")
    sans = _members(given.get("sans"))
    names = {name: texts for name in NAMES if (texts := _texts(sans.get(name), None)) is not None}
    usage = _texts(given.get("key_usage"), before.get("key_usage", ["digitalSignature", "keyEncipherment"]))
    if not set(usage or ()) <= set(USAGES):
        raise Refused("400_value")
    subject = given.get("subject")
    return {
        "subject": before.get("subject", "") if subject is None else _texts([subject], None)[0],
        "sans": names if "sans" in given else before.get("sans", {}),
        "ekus": _texts(given.get("ekus"), before.get("ekus", ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"])),
        "key_usage": usage,
        "validity_months": months or before.get("validity_months", 12),
        "basic_constraints": {"ca": False},
    }


def _actions(given: object, before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if given is None:
        return before
    if not isinstance(given, list) or len(given) > _MOST_ITEMS:
        raise Refused("400_value")
    return [_action(_members(each)) for each in given]


def _action(given: Mapping[str, Any]) -> dict[str, Any]:
    action, trigger = _members(given.get("action")), _members(given.get("trigger"))
    kind = _choice(action, "action_type", ("AutoRenew", "EmailContacts"), None)
    when = {name: trigger[name] for name in _TRIGGERS if trigger.get(name) is not None}
    for name, number in when.items():
        if type(number) is not int or not 1 <= number <= _TRIGGERS[name]:
            raise Refused("400_value")
    if kind is None or len(when) != 1:
        raise Refused("400_value")
    return {"trigger": when, "action": {"action_type": kind}}


def _issuer(given: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    name = given.get("name")
    if name is not None and not (is_text(name) and 0 < len(name) <= _LONGEST):
        raise Refused("400_value")
    known = {kind.lower(): kind for kind in (SELF, UNKNOWN)}
    issuer = {"name": known.get(name.lower(), name) if name else before.get("name", UNKNOWN)}
    for member, wanted in (("cty", str), ("cert_transparency", bool)):
        value = given.get(member, before.get(member))
        if value is not None:
            if type(value) is not wanted:
                raise Refused("400_value")
            issuer[member] = value
    return issuer


def _attributes(given: Mapping[str, Any], before: Mapping[str, Any], now: int) -> dict[str, Any]:
    enabled = _flag(given, "enabled", before.get("enabled", True))
    return {"enabled": enabled, "created": before.get("created", now), "updated": now}


def _members(given: object) -> Mapping[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise Refused("400_value")
    return given


def _texts(given: object, otherwise: Any) -> Any:
    if given is None:
        return otherwise
    if not isinstance(given, list) or len(given) > _MOST_ITEMS:
        raise Refused("400_value")
    if not all(is_text(each) and len(each) <= _LONGEST for each in given):
        raise Refused("400_value")
    return list(given)


def _choice(given: Mapping[str, Any], name: str, known: tuple[Any, ...], otherwise: Any) -> Any:
    value = given.get(name)
    if value is None:
        return otherwise
    if type(value) is not type(known[0]) or value not in known:
        raise Refused("400_value")
    return value


def _flag(given: Mapping[str, Any], name: str, otherwise: bool) -> bool:
    flag: bool = _choice(given, name, (True, False), otherwise)
    return flag
