"""The control plane's endpoints for deleted vaults, and for names that are to be taken."""

from __future__ import annotations

from typing import Any

from safekv.emulator import _arm_paging
from safekv.emulator._answers import Refused
from safekv.emulator._arm_call import ArmCall, ArmRoute, Estate, member, moment
from safekv.emulator._arm_vaults import NAME, PROVIDER, named, resource_of
from safekv.emulator._messages import Response
from safekv.emulator._seeding import EmulatedVault

_SUBSCRIPTION = f"/subscriptions/{{subscription}}{PROVIDER}"
_PLACE = f"{_SUBSCRIPTION}/locations/{{location}}"
_READ = "Microsoft.KeyVault/deletedVaults/read"
_LOCATIONS = "Microsoft.KeyVault/locations/"
_PURGE_SECONDS = 1


def sweep(estate: Estate, now: float) -> None:
    """Let go for ever what was deleted longer ago than it is retained."""
    for vault in list(estate.vaults.values()):
        if vault.arm is not None and vault.arm.deleted is not None and vault.arm.purged <= now:
            estate.remove_vault(vault)


def list_deleted(call: ArmCall) -> Response:
    found = [each for each in call.estate.vaults.values() if each.arm is not None and each.arm.deleted is not None]
    return _arm_paging.page(call, [_written(each) for each in sorted(found, key=lambda each: each.name.lower())])


def get_deleted(call: ArmCall) -> Response:
    return Response.json(200, _written(_deleted(call)))


def purge(call: ArmCall) -> Response:
    vault = _deleted(call)
    if vault.policy.purge_protection:
        raise Refused("arm_405_purge")
    call.estate.remove_vault(vault)
    places = call.places
    path = f"/subscriptions/{places['subscription']}{PROVIDER}/locations/{places['location']}/operationResults/purge"
    location = call.url(path, f"api-version={call.api_version}")
    return Response(202, {"Location": location, "Retry-After": str(_PURGE_SECONDS)})


def operation_result(call: ArmCall) -> Response:
    """What was begun has been done by the time that somebody asks."""
    return Response(200)


def check_name(call: ArmCall) -> Response:
    name = member(call.document(), "name", str) or ""
    if not NAME.fullmatch(name):
        return _taken("AccountNameInvalid", f"The vault name '{name}' is invalid.")
    if named(call, name, deleted=True) is not None:
        return _taken("AlreadyExists", f"The name '{name}' is already in use.")
    return Response.json(200, {"nameAvailable": True})


def _taken(reason: str, message: str) -> Response:
    return Response.json(200, {"nameAvailable": False, "reason": reason, "message": message})


def _deleted(call: ArmCall) -> EmulatedVault:
    vault = named(call, call.places["vault"], deleted=True)
    location = call.places["location"].replace(" ", "").lower()
    if vault is None or resource_of(vault).deleted is None or resource_of(vault).location != location:
        raise Refused("arm_404_deleted", name=call.places["vault"])
    return vault


def _written(vault: EmulatedVault) -> dict[str, Any]:
    resource = resource_of(vault)
    where = f"/subscriptions/{resource.subscription}{PROVIDER}/locations/{resource.location}"
    return {
        "id": f"{where}/deletedVaults/{resource.name}",
        "name": resource.name,
        "type": "Microsoft.KeyVault/deletedVaults",
        "properties": {
            "vaultId": resource.id,
            "location": resource.location,
            "tags": resource.tags,
            "deletionDate": moment(resource.deleted or 0.0),
            "scheduledPurgeDate": moment(resource.purged),
            **({"purgeProtectionEnabled": True} if vault.policy.purge_protection else {}),
        },
    }


ROUTES = (
    ArmRoute("GET", f"{_SUBSCRIPTION}/deletedVaults", _READ, list_deleted),
    ArmRoute("GET", f"{_PLACE}/deletedVaults/{{vault}}", f"{_LOCATIONS}deletedVaults/read", get_deleted),
    ArmRoute(
        "POST",
        f"{_PLACE}/deletedVaults/{{vault}}/purge",
        f"{_LOCATIONS}deletedVaults/purge/action",
        purge,
    ),
    ArmRoute("GET", f"{_PLACE}/operationResults/{{operation}}", f"{_LOCATIONS}operationResults/read", operation_result),
    ArmRoute(
        "POST",
        f"{_SUBSCRIPTION}/checkNameAvailability",
        "Microsoft.KeyVault/checkNameAvailability/read",
        check_name,
    ),
)
