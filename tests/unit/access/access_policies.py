"""Vaults, policies and templates that the tests of access are about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safekv.access import Identity, PermissionModel, Permissions, Policy, Template, VaultAccess

DATA = Path(__file__).parent / "data"
TENANT = "72f9a1c4-5b0e-4d37-9c86-1e2d3f4a5b6c"
GROUP = "/subscriptions/5b5c0de0-0000-4000-8000-000000000000/resourceGroups/emulator"
VAULT_ID = f"{GROUP}/providers/Microsoft.KeyVault/vaults/my-vault"


def oid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def entry(number: int, application: int | None = None, **words: Any) -> dict[str, Any]:
    """An entry as a template has it."""
    found: dict[str, Any] = {"tenantId": TENANT, "objectId": oid(number), "permissions": words}
    return found if application is None else {**found, "applicationId": oid(application)}


def policy(number: int, application: int | None = None, **words: list[str]) -> Policy:
    identity = Identity.of(oid(number), TENANT, None if application is None else oid(application))
    return Policy(identity, Permissions.of(**words))


def present(*policies: Policy, **fields: Any) -> VaultAccess:
    known = {"resource_id": VAULT_ID, "name": "my-vault", "tenant_id": TENANT, "model": PermissionModel.POLICIES}
    return VaultAccess(**{**known, "policies": policies, **fields})


def vault(*policies: Any, **properties: Any) -> dict[str, Any]:
    """A vault as a template has it; ``accessPolicies=None`` leaves them out."""
    listed = {"accessPolicies": list(policies), **properties}
    kept = {name: value for name, value in listed.items() if value is not None}
    return {
        "type": "Microsoft.KeyVault/vaults",
        "apiVersion": "2023-07-01",
        "name": "my-vault",
        "properties": {"tenantId": TENANT, **kept},
    }


def child(operation: str, *policies: Any) -> dict[str, Any]:
    return {
        "type": "Microsoft.KeyVault/vaults/accessPolicies",
        "apiVersion": "2023-07-01",
        "name": f"my-vault/{operation}",
        "properties": {"accessPolicies": list(policies)},
    }


def template(*resources: Any, values: dict[str, Any] | None = None, **parts: Any) -> Template:
    """A template with these resources; ``values`` are those of its parameters."""
    return Template.parse(json.dumps({**parts, "resources": list(resources)}, indent=2), values)
