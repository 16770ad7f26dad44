"""The control plane's endpoints for the subscription and its resource groups."""

from __future__ import annotations

import re
from typing import Any

from safekv.emulator import _arm_paging
from safekv.emulator._arm_call import ArmCall, ArmRoute, member, wrong
from safekv.emulator._arm_vaults import GROUP, check_group
from safekv.emulator._messages import Response

GROUP_NAME = re.compile(r"[-\w.()]{0,89}[-\w()]", re.ASCII)
_MOST = 980
_READ = "Microsoft.Resources/subscriptions/resourceGroups/read"


def get_group(call: ArmCall) -> Response:
    check_group(call)
    return Response.json(200, _group(call, call.places["group"]))


def put_group(call: ArmCall) -> Response:
    member(call.document(), "location", str)
    new = call.places["group"].lower() not in call.estate.groups
    if new and not (GROUP_NAME.fullmatch(call.places["group"]) and len(call.estate.groups) < _MOST):
        raise wrong("resourceGroupName")
    call.estate.groups.add(call.places["group"].lower())
    return Response.json(201 if new else 200, _group(call, call.places["group"]))


def list_groups(call: ArmCall) -> Response:
    return _arm_paging.page(call, [_group(call, each) for each in sorted(call.estate.groups)])


def get_subscription(call: ArmCall) -> Response:
    return Response.json(200, _subscription(call))


def list_subscriptions(call: ArmCall) -> Response:
    return _arm_paging.page(call, [_subscription(call)])


def _group(call: ArmCall, name: str) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{call.subscription}/resourceGroups/{name}",
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": call.estate.settings.region,
        "properties": {"provisioningState": "Succeeded"},
    }


def _subscription(call: ArmCall) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{call.subscription}",
        "subscriptionId": call.subscription,
        "tenantId": call.estate.settings.tenant,
        "displayName": "safekv emulator",
        "state": "Enabled",
    }


ROUTES = (
    ArmRoute("GET", GROUP, _READ, get_group),
    ArmRoute("PUT", GROUP, "Microsoft.Resources/subscriptions/resourceGroups/write", put_group),
    ArmRoute("GET", "/subscriptions/{subscription}/resourceGroups", _READ, list_groups),
    ArmRoute("GET", "/subscriptions/{subscription}", "Microsoft.Resources/subscriptions/read", get_subscription),
    ArmRoute("GET", "/subscriptions", "", list_subscriptions),
)
