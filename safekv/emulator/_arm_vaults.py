"""The control plane's endpoints for vaults.

A PUT replaces the vault's properties, access policies included: what the body does not list is gone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from safekv.emulator import _arm_paging, _arm_policies
from safekv.emulator._answers import Refused
from safekv.emulator._arm_call import ArmCall, ArmRoute, member, moment, wrong
from safekv.emulator._arm_resource import Rules, VaultResource, changed
from safekv.emulator._arm_wanted import Wanted, read
from safekv.emulator._messages import Response
from safekv.emulator._seeding import EmulatedVault

GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
PROVIDER = "/providers/Microsoft.KeyVault"
ONE = f"{GROUP}{PROVIDER}/vaults/{{vault}}"
_ACTION = "Microsoft.KeyVault/vaults/"
NAME = re.compile(r"(?!.*--)[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]")
_TYPE = re.compile(r"resourceType eq '([^']*)'", re.IGNORECASE)
_MOST = 1_000
_RBAC_BY_DEFAULT = "2026-02-01"  # the first api-version with which a new vault uses roles


def vault_of(call: ArmCall) -> EmulatedVault:
    """The vault that the path names, unless it is deleted; refused if there is none."""
    check_group(call)
    vault = named(call, call.places["vault"])
    if vault is None or not is_here(vault, call):
        raise Refused("arm_404_resource", name=call.places["vault"], group=call.places["group"])
    return vault


def check_group(call: ArmCall) -> None:
    if call.places["group"].lower() not in call.estate.groups:
        raise Refused("arm_404_group", group=call.places["group"])


def get(call: ArmCall) -> Response:
    return Response.json(200, written(vault_of(call), call.now))


def put(call: ArmCall) -> Response:
    """Make a vault, recover a deleted one, or give one that is there other properties."""
    check_group(call)
    name, document = call.places["vault"], call.document()
    vault = named(call, name, deleted=True)
    if vault is None and not NAME.fullmatch(name):  # the emulator's own may have names that a new one may not
        raise Refused("arm_name", name=name)
    wanted = read(document)
    if vault is None:
        return _create(call, wanted)
    resource = resource_of(vault)
    if resource.group.lower() != call.places["group"].lower() and resource.deleted is None:
        raise Refused("arm_exists", name=name)
    if resource.deleted is not None:
        return _recover(call, vault, document)
    if resource.location != wanted.location:
        raise Refused(
            "arm_409_location", name=name, location=resource.location, group=resource.group, asked=wanted.location
        )
    if wanted.recover:  # there is nothing to recover, and what is there stays
        return Response.json(200, written(vault, call.now))
    rbac = resource.rules.current.rbac if wanted.rbac is None else wanted.rbac
    if wanted.policies is None and not rbac:
        raise Refused("arm_400_policies")
    _apply(call, vault, wanted, Rules(rbac, wanted.policies or ()))
    resource.properties, resource.tags = wanted.properties, wanted.tags or {}
    return Response.json(200, written(vault, call.now))


def patch(call: ArmCall) -> Response:
    """Change what the body has; access policies that it has replace all."""
    vault = vault_of(call)
    resource = resource_of(vault)
    wanted = read(call.document(), whole=False)
    before = resource.rules.current
    rbac = before.rbac if wanted.rbac is None else wanted.rbac
    _apply(call, vault, wanted, Rules(rbac, before.policies if wanted.policies is None else wanted.policies))
    resource.properties = {**resource.properties, **wanted.properties}
    resource.tags = resource.tags if wanted.tags is None else wanted.tags
    return Response.json(200, written(vault, call.now))


def delete(call: ArmCall) -> Response:
    """The vault can be recovered, or purged; its role assignments are lost."""
    try:
        vault = vault_of(call)
    except Refused as missing:
        if missing.row_id == "arm_404_resource":
            return Response(204)
        raise
    resource = resource_of(vault)
    resource.deleted, resource.purged = call.now, call.now + vault.policy.retention_days * 86_400
    call.estate.grants.forget_below(resource.id, call.now)
    return Response(200)


def list_in_group(call: ArmCall) -> Response:
    check_group(call)
    return _list(call, [each for each in present(call) if is_here(each, call)])


def list_all(call: ArmCall) -> Response:
    return _list(call, present(call))


def list_resources(call: ArmCall) -> Response:
    """The subscription's resources; there are only vaults."""
    wanted = _TYPE.search(call.request.query.get("$filter", ""))
    if wanted and wanted[1].lower() != "microsoft.keyvault/vaults":
        return _arm_paging.page(call, [])
    shown = [{**written(each, call.now), "properties": None} for each in present(call)]
    return _arm_paging.page(call, [{name: value for name, value in each.items() if value} for each in shown])


def update_policies(call: ArmCall) -> Response:
    vault = vault_of(call)
    kind = call.places["kind"].lower()
    if kind not in ("add", "replace", "remove"):
        raise wrong("operationKind")
    properties = member(call.document(), "properties", dict) or {}
    given = _arm_policies.read(properties.get("accessPolicies"))
    rules = resource_of(vault).rules
    policies = changed(kind, rules.current.policies, given)
    if len(policies) > _arm_policies.MOST:
        raise wrong("accessPolicies")
    rules.set(rules.current._replace(policies=policies), call.now)
    shown = {"accessPolicies": _arm_policies.written(policies)}
    document = {
        "id": f"{resource_of(vault).id}/accessPolicies/",
        "type": f"{_ACTION}accessPolicies",
        "properties": shown,
    }
    return Response.json(200, document)


def written(vault: EmulatedVault, now: float) -> dict[str, Any]:
    """A vault as the control plane shows it."""
    resource, rules = resource_of(vault), resource_of(vault).rules.current
    properties = {
        "sku": {"family": "A", "name": "standard"},
        "tenantId": vault.tenant,
        "accessPolicies": _arm_policies.written(rules.policies),
        "enabledForDeployment": False,
        **resource.properties,
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": vault.policy.retention_days,
        "enableRbacAuthorization": rules.rbac,
        **({"enablePurgeProtection": True} if vault.policy.purge_protection else {}),
        "vaultUri": f"{vault.url}/",
        "provisioningState": "Succeeded" if now >= resource.ready else "RegisteringDns",
    }
    return {
        "id": resource.id,
        "name": resource.name,
        "type": "Microsoft.KeyVault/vaults",
        "location": resource.location,
        "tags": resource.tags,
        "systemData": {
            "createdBy": resource.creator,
            "createdByType": "Application",
            "createdAt": moment(resource.created),
            "lastModifiedBy": resource.creator,
            "lastModifiedByType": "Application",
            "lastModifiedAt": moment(max(resource.changed, resource.created)),
        },
        "properties": {"publicNetworkAccess": "Enabled", **properties},
    }


def _create(call: ArmCall, wanted: Wanted) -> Response:
    if wanted.recover:
        raise Refused("arm_404_resource", name=call.places["vault"], group=call.places["group"])
    if len(call.estate.vaults) >= _MOST:
        raise wrong("vaultName")
    rbac = call.api_version >= _RBAC_BY_DEFAULT if wanted.rbac is None else wanted.rbac
    if wanted.policies is None and not rbac:
        raise Refused("arm_400_policies")
    vault = call.estate.new_vault(
        call.places["vault"],
        tenant=wanted.tenant,
        purge_protection=bool(wanted.purge_protection),
        retention_days=wanted.retention_days or 90,
        resource_group=call.places["group"],
    )
    resource = resource_of(vault)
    resource.location, resource.tags, resource.properties = wanted.location, wanted.tags or {}, wanted.properties
    resource.ready, resource.creator = call.now + call.estate.settings.dns_delay, call.caller.oid
    resource.rules.begin_with(Rules(rbac, wanted.policies or ()))
    return Response.json(200, written(vault, call.now))


def _recover(call: ArmCall, vault: EmulatedVault, document: Mapping[str, Any]) -> Response:
    """A deleted vault comes back as it was, but for its role assignments."""
    if (document.get("properties") or {}).get("createMode") != "recover":
        raise Refused("arm_409_deleted")
    resource_of(vault).deleted = None
    return Response.json(200, written(vault, call.now))


def _apply(call: ArmCall, vault: EmulatedVault, wanted: Wanted, rules: Rules) -> None:
    """What changes of a vault that is there, besides what is only shown."""
    resource = resource_of(vault)
    if wanted.retention_days not in (None, vault.policy.retention_days):
        raise Refused("arm_400_retention")
    if wanted.tenant is not None and wanted.tenant != vault.tenant:
        vault.tenant = wanted.tenant
    if wanted.purge_protection:
        vault.change_policy(replace(vault.policy, purge_protection=True))
    if rules != resource.rules.current:
        resource.rules.set(rules, call.now)
    resource.changed = call.now


def _list(call: ArmCall, vaults: list[EmulatedVault]) -> Response:
    return _arm_paging.page(call, [written(each, call.now) for each in vaults])


def present(call: ArmCall) -> list[EmulatedVault]:
    found = [each for each in call.estate.vaults.values() if each.arm is not None and each.arm.deleted is None]
    return sorted(found, key=lambda each: each.name.lower())


def named(call: ArmCall, name: str, *, deleted: bool = False) -> EmulatedVault | None:
    """The vault of this name in whatever group; a deleted one only if wanted."""
    for vault in call.estate.vaults.values():
        if vault.arm is not None and vault.name.lower() == name.lower() and (deleted or vault.arm.deleted is None):
            return vault
    return None


def is_here(vault: EmulatedVault, call: ArmCall) -> bool:
    return resource_of(vault).group.lower() == call.places["group"].lower()


def resource_of(vault: EmulatedVault) -> VaultResource:
    """What the control plane knows of a vault."""
    assert vault.arm is not None  # Managed HSMs are not listed here
    return vault.arm


ROUTES = (
    ArmRoute("GET", ONE, f"{_ACTION}read", get),
    ArmRoute("PUT", ONE, f"{_ACTION}write", put),
    ArmRoute("PATCH", ONE, f"{_ACTION}write", patch),
    ArmRoute("DELETE", ONE, f"{_ACTION}delete", delete),
    ArmRoute("PUT", f"{ONE}/accessPolicies/{{kind}}", f"{_ACTION}accessPolicies/write", update_policies),
    ArmRoute("GET", f"{GROUP}{PROVIDER}/vaults", f"{_ACTION}read", list_in_group),
    ArmRoute("GET", f"/subscriptions/{{subscription}}{PROVIDER}/vaults", f"{_ACTION}read", list_all),
    ArmRoute("GET", "/subscriptions/{subscription}/resources", f"{_ACTION}read", list_resources),
)
