"""403 where neither an access policy nor a role allows what is asked, in the service's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safekv.emulator._access import Decision, Identity, Reason, decide
from safekv.emulator._answers import error, reworded
from safekv.emulator._messages import Response
from safekv.emulator._vault import Vault
from safekv.errors._catalogue import by_id

_ISSUER = "iss=https://sts.windows.net/<tenant>/"


def identity_of(payload: Mapping[str, Any]) -> Identity:
    """Who a token is for. What it does not say is empty, and matches nothing."""
    groups = payload.get("groups")
    return Identity(
        oid=_text(payload.get("oid")),
        appid=_text(payload.get("appid") or payload.get("azp")),
        tenant=_text(payload.get("tid")),
        groups=tuple(filter(None, map(_text, groups))) if isinstance(groups, list) else (),
        delegated=bool(payload.get("scp")),
    )


def refuse(vault: Vault, payload: Mapping[str, Any], operation: str, name: str, now: float) -> Response | None:
    """The 403 that an operation gets; None if it is allowed."""
    identity = identity_of(payload)
    decision = decide(vault.access(now), identity, operation, name)
    return None if decision.allowed else _forbidden(vault, identity, decision)


def _forbidden(vault: Vault, identity: Identity, decision: Decision) -> Response:
    need = decision.need
    assert need is not None  # what needs nothing is allowed
    places = {"appid": identity.appid, "vault": vault.name, "region": vault.region}
    if decision.reason is Reason.ON_BEHALF_OF:
        return error(by_id("403_obo"), places)
    caller = f"appid={identity.appid};oid={identity.oid};{_groups(identity)}{_ISSUER}"
    caller = caller.replace("<tenant>", identity.tenant)
    who = {f"appid=<appid>;oid=<oid>;{_ISSUER}": caller}
    if decision.reason is Reason.NO_POLICY:
        permission = {"secrets get permission": f"{need.collection} {need.permission} permission"}
        return error(reworded("403_policy", {**who, **permission}), places)
    resource = decision.resource.replace("/Microsoft.KeyVault/", "/microsoft.keyvault/")
    example = "/subscriptions/<...>/providers/microsoft.keyvault/vaults/<vault>/secrets/<name>"
    action = {"Microsoft.KeyVault/vaults/secrets/getSecret/action": need.full_action}
    return error(reworded("403_rbac", {**who, **action, example: resource}), places)


def _groups(identity: Identity) -> str:
    return f"numgroups={len(identity.groups)};" if identity.groups else ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= 256 and value.isprintable() else ""
