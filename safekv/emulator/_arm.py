"""The control plane, ``management.azure.com``: vaults as resources, their access policies, and roles.

Tokens are for ``https://management.azure.com/``; as in vaults, any is let in unless it is one of ours that does not
fit. Where the emulator enforces, a role has to allow what is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safekv.emulator import _arm_deleted, _arm_groups, _arm_roles, _arm_vaults
from safekv.emulator._access import decide_management
from safekv.emulator._answers import Refused, error
from safekv.emulator._arm_call import ArmCall, ArmRoute, Estate, moment
from safekv.emulator._auth import bearer_token
from safekv.emulator._enforcement import identity_of
from safekv.emulator._messages import Request, Response
from safekv.emulator._tokens import read_token
from safekv.errors._catalogue import by_id

HOST = "management.azure.com"
AUDIENCES = tuple(f"https://{host}{end}" for host in ("management.core.windows.net", HOST) for end in ("/", ""))
ROUTES: tuple[ArmRoute, ...] = (
    *_arm_roles.ROUTES,
    *_arm_vaults.ROUTES,
    *_arm_deleted.ROUTES,
    *_arm_groups.ROUTES,
)
_CHALLENGE = (
    'Bearer authorization_uri="{login}/{tenant}", error="invalid_token", error_description="The authentication failed."'
)


def answer(estate: Estate, request: Request, now: float) -> Response:
    """The answer to any request to the control plane."""
    try:
        return _answer(estate, request, now)
    except Refused as problem:
        row = by_id(problem.row_id)
        settings = estate.settings
        challenge = _CHALLENGE.format(login=settings.login, tenant=settings.tenant)
        return error(row, problem.places, {"WWW-Authenticate": challenge} if row.status == 401 else None)


def _answer(estate: Estate, request: Request, now: float) -> Response:
    payload = _authenticated(estate, request, now)
    if not request.query.get("api-version"):
        raise Refused("arm_400_api_version")
    _arm_deleted.sweep(estate, now)
    path = f"/{request.path.strip('/')}"  # clients write a scope with and without a slash at its beginning
    for route in ROUTES:
        places = route.places(path) if route.method == request.method else None
        if places is not None:
            call = ArmCall(request, places, identity_of(payload), estate, now)
            _authorise(call, route)
            return route.handler(call)
    raise Refused("arm_404_path", method=request.method)


def _authenticated(estate: Estate, request: Request, now: float) -> Mapping[str, Any]:
    """What the token says; refused if there is none, or one that does not fit."""
    token = bearer_token(request)
    if token is None:
        raise Refused("arm_401_missing")
    payload = read_token(token)
    settings = estate.settings
    if payload is None:
        if settings.strict_tokens or settings.enforce:
            raise Refused("arm_401_token")
        return {}
    if settings.check_tokens:
        _check(payload, now, own=f"https://{request.authority}")
    return payload


def _check(payload: Mapping[str, Any], now: float, *, own: str) -> None:
    expires = payload.get("exp")
    if isinstance(expires, int | float) and expires <= now:
        raise Refused("arm_401_expired", expiry=moment(expires), now=moment(now))
    audience = payload.get("aud")
    if audience not in (*AUDIENCES, own, f"{own}/"):
        raise Refused("arm_401_audience", found=str(audience)[:200])


def _authorise(call: ArmCall, route: ArmRoute) -> None:
    subscription = call.places.get("subscription")
    if subscription is not None and subscription.lower() != call.subscription.lower():
        raise Refused("arm_404_subscription", subscription=subscription)
    if not call.estate.settings.enforce or not route.action:
        return
    grants, scope = call.estate.grants, _scope(call)
    assignments = grants.assignments.effective(call.now)
    if decide_management(assignments, grants.roles, call.caller, route.action, scope) is None:
        caller = call.caller
        raise Refused("arm_403", client=caller.appid, oid=caller.oid, action=route.action, scope=scope)


def _scope(call: ArmCall) -> str:
    """What the request is about: a vault, a group, the subscription, or the scope that it names."""
    places = call.places
    if "scope" in places:
        return places["scope"] or "/"
    scope = f"/subscriptions/{places['subscription']}"
    if "group" in places:
        scope += f"/resourceGroups/{places['group']}"
    return f"{scope}/providers/Microsoft.KeyVault/vaults/{places['vault']}" if "vault" in places else scope
