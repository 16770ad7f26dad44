"""Access policies as JSON and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from safekv.emulator._access import AccessPolicy
from safekv.emulator._access_needs import PERMISSIONS
from safekv.emulator._answers import Refused
from safekv.emulator._arm_call import is_guid, member, wrong
from safekv.emulator._arm_resource import union

MOST = 1_024
_Policies = tuple[AccessPolicy, ...]
_KNOWN = {collection: {each.lower() for each in known} for collection, known in PERMISSIONS.items()}


def read(given: Any) -> _Policies:
    """The policies of a body; two for the same identity are refused."""
    if not isinstance(given, list) or len(given) > MOST:
        raise wrong("accessPolicies")
    policies = tuple(_read_one(each, f"accessPolicies[{index}].") for index, each in enumerate(given))
    if len({each.key for each in policies}) != len(policies):
        raise wrong("accessPolicies")
    return policies


def written(policies: Iterable[AccessPolicy]) -> list[dict[str, Any]]:
    return [_written_one(each) for each in policies]


def _read_one(given: Any, place: str) -> AccessPolicy:
    if not isinstance(given, Mapping):
        raise wrong(place.rstrip("."))
    for name in ("tenantId", "objectId"):
        if not is_guid(given.get(name)):
            raise wrong(place + name)
    application = given.get("applicationId")
    if application is not None and not is_guid(application):
        raise wrong(f"{place}applicationId")
    permissions = member(given, "permissions", dict, within=place)
    if permissions is None:
        raise wrong(f"{place}permissions")
    return AccessPolicy(given["tenantId"], given["objectId"], _read_permissions(permissions, place), application)


def _read_permissions(given: Mapping[str, Any], place: str) -> dict[str, tuple[str, ...]]:
    found = {}
    for collection, known in _KNOWN.items():
        listed = given.get(collection)
        if listed is None:
            continue
        if not isinstance(listed, list) or not all(isinstance(each, str) and each.lower() in known for each in listed):
            raise Refused("arm_400_value", property=f"{place}permissions.{collection}")
        found[collection] = union((), tuple(listed))
    return found


def _written_one(policy: AccessPolicy) -> dict[str, Any]:
    application = {"applicationId": policy.application_id} if policy.application_id else {}
    permissions = {collection: list(listed) for collection, listed in policy.permissions.items()}
    return {"tenantId": policy.tenant, "objectId": policy.object_id, **application, "permissions": permissions}
