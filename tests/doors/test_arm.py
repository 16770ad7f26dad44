"""The control plane of the emulator, with Microsoft's own clients."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from safekv.errors import MissingPermission
from safekv.testing import LocalKeyVault

pytest.importorskip("azure.mgmt.keyvault")

OTHER = "00000000-0000-4000-8000-00000000000a"


@pytest.fixture
def local() -> LocalKeyVault:
    return LocalKeyVault()


def body(local: LocalKeyVault, *policies: dict[str, Any], **properties: Any) -> dict[str, Any]:
    """What a template says of a vault."""
    tenant = local.emulator.settings.tenant
    own = {"tenantId": tenant, "sku": {"family": "A", "name": "standard"}, "accessPolicies": list(policies)}
    return {"location": "westeurope", "properties": {**own, "enableRbacAuthorization": False, **properties}}


def policy(local: LocalKeyVault, oid: str, **permissions: list[str]) -> dict[str, Any]:
    return {"tenantId": local.emulator.settings.tenant, "objectId": oid, "permissions": permissions}


def refused(call: Any, status: int, code: str) -> str:
    with pytest.raises(HttpResponseError) as caught:
        call()
    assert caught.value.status_code == status
    assert caught.value.error is not None
    assert caught.value.error.code == code
    return str(caught.value.error.message)


def test_a_new_vault_registers_its_name_first(local: LocalKeyVault) -> None:
    vaults = local.arm.keyvault().vaults
    poller = vaults.begin_create_or_update("emulator", "fresh", body(local), polling=False)
    made = poller.result()
    assert made.properties.provisioning_state == "RegisteringDns"
    assert made.properties.vault_uri == "https://fresh.vault.azure.net/"
    local.advance(seconds=5)
    assert vaults.get("emulator", "fresh").properties.provisioning_state == "Succeeded"


def test_deploying_again_replaces_all_access_policies(local: LocalKeyVault) -> None:
    app, other = local.credential("app"), local.credential("other")
    door = local.vault("my", enforce=True, credential=app)
    local.set_secret("name", "v", vault="my")
    with pytest.raises(MissingPermission):
        door.secrets.get_secret("name", max_age=0)
    vaults = local.arm.keyvault().vaults
    both = [policy(local, each.principal.oid, secrets=["get"]) for each in (app, other)]
    vaults.begin_create_or_update("emulator", "my", body(local, *both)).result()
    assert door.secrets.get_secret("name", max_age=0).name == "name"
    vaults.begin_create_or_update("emulator", "my", body(local, both[1])).result()
    with pytest.raises(MissingPermission):
        door.secrets.get_secret("name", max_age=0)
    assert [each.object_id for each in vaults.get("emulator", "my").properties.access_policies] == [other.principal.oid]
