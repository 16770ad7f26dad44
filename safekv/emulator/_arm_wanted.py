"""What a body says that a vault is to be: read and checked, nothing done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safekv.emulator import _arm_policies
from safekv.emulator._answers import Refused
from safekv.emulator._arm_call import is_guid, member, wrong
from safekv.emulator._arm_resource import Policies

_FLAGS = ("enabledForDeployment", "enabledForDiskEncryption", "enabledForTemplateDeployment")


class Wanted:
    """What a body says of a vault. None: nothing."""

    def __init__(self) -> None:
        self.location = ""
        self.tags: dict[str, str] | None = None
        self.rbac: bool | None = None
        self.policies: Policies | None = None
        self.purge_protection: bool | None = None
        self.retention_days: int | None = None
        self.tenant: str | None = None
        self.recover = False
        self.properties: dict[str, Any] = {}


def read(document: Mapping[str, Any], *, whole: bool = True) -> Wanted:
    wanted = Wanted()
    wanted.tags = _read_tags(document)
    properties = member(document, "properties", dict)
    if whole:
        location = member(document, "location", str)
        if not location:
            raise Refused("arm_400_location")
        wanted.location = location.replace(" ", "").lower()
        if properties is None:
            raise wrong("properties")
    properties = properties or {}
    wanted.recover = properties.get("createMode") == "recover"
    needed = whole and not wanted.recover
    wanted.tenant = _read_tenant(properties, needed=needed)
    wanted.properties = _read_shown(properties, needed=needed)
    _read_irreversible(properties, wanted)
    wanted.rbac = member(properties, "enableRbacAuthorization", bool)
    if properties.get("accessPolicies") is not None:
        wanted.policies = _arm_policies.read(properties["accessPolicies"])
    return wanted


def _read_tags(document: Mapping[str, Any]) -> dict[str, str] | None:
    tags = member(document, "tags", dict)
    if tags is not None and (len(tags) > 50 or not all(isinstance(each, str) for each in tags.values())):
        raise wrong("tags")
    return None if tags is None else dict(tags)


def _read_tenant(properties: Mapping[str, Any], *, needed: bool) -> str | None:
    tenant: str | None = member(properties, "tenantId", str)
    if (needed or tenant is not None) and not is_guid(tenant):
        raise wrong("tenantId")
    return tenant


def _read_shown(properties: Mapping[str, Any], *, needed: bool) -> dict[str, Any]:
    """The properties that are kept to be shown."""
    shown = {name: value for name in _FLAGS if (value := member(properties, name, bool)) is not None}
    sku = member(properties, "sku", dict)
    if needed or sku is not None:
        if not sku or sku.get("family") not in ("A", "B") or sku.get("name") not in ("standard", "premium"):
            raise wrong("sku")
        shown["sku"] = {"family": sku["family"], "name": sku["name"]}
    network = member(properties, "networkAcls", dict)
    public = member(properties, "publicNetworkAccess", str)
    return {
        **shown,
        **({"networkAcls": network} if network else {}),
        **({"publicNetworkAccess": public} if public else {}),
    }


def _read_irreversible(properties: Mapping[str, Any], wanted: Wanted) -> None:
    wanted.purge_protection = member(properties, "enablePurgeProtection", bool)
    if wanted.purge_protection is False:
        raise Refused("arm_400_purge_protection")
    if member(properties, "enableSoftDelete", bool) is False:
        raise Refused("arm_400_soft_delete")
    days = member(properties, "softDeleteRetentionInDays", int)
    if days is not None and not 7 <= days <= 90:
        raise wrong("softDeleteRetentionInDays")
    wanted.retention_days = days
