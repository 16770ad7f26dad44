"""The control plane of the emulator, with Microsoft's own clients."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import azure.identity
import azure.keyvault.secrets
import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceResponseError,
)

from safekv.emulator import EmulatorSettings, Request, Response
from safekv.errors import AccessDenied, MissingPermission, SecretNotFound, VaultNotFound
from safekv.testing import LocalCredential, LocalKeyVault

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


def test_what_a_vault_is(local: LocalKeyVault) -> None:
    vaults = local.arm.keyvault().vaults
    local.url("one")
    given = body(local, policy(local, OTHER, keys=["wrapKey", "UnwrapKey"], secrets=["get"]), enabledForDeployment=True)
    made = vaults.begin_create_or_update("emulator", "two-3", {**given, "tags": {"env": "test"}}).result()
    assert made.id == local.arm.vault_id("two-3")
    assert (made.location, made.tags, made.type) == ("westeurope", {"env": "test"}, "Microsoft.KeyVault/vaults")
    shown = made.properties
    assert shown.access_policies[0].permissions.keys_property == ["wrapKey", "UnwrapKey"]
    assert (shown.enabled_for_deployment, shown.enable_rbac_authorization, shown.enable_soft_delete) == (
        True,
        False,
        True,
    )
    assert (shown.soft_delete_retention_in_days, shown.enable_purge_protection) == (90, None)
    assert made.system_data.created_by == local.credential().principal.oid
    assert [each.name for each in vaults.list_by_subscription()] == ["one", "two-3"]
    assert [each.name for each in vaults.list_by_subscription(top=1)] == ["one", "two-3"]
    assert [each.name for each in vaults.list_by_resource_group("EMULATOR")] == ["one", "two-3"]
    assert [each.name for each in vaults.list()] == ["one", "two-3"]


def test_pages_come_in_order(local: LocalKeyVault) -> None:
    names = [f"vault-{number:02}" for number in range(7)]
    for name in names:
        local.url(name)
    pages = list(local.arm.keyvault().vaults.list_by_subscription(top=3).by_page())
    assert [[each.name for each in page] for page in pages] == [names[:3], names[3:6], names[6:]]


@pytest.mark.parametrize("kind", ["add", "replace", "remove"])
def test_changing_some_policies(local: LocalKeyVault, kind: str) -> None:
    vault, vaults = local.emulator.add_vault("my"), local.arm.keyvault().vaults
    vault.allow(OTHER, {"secrets": ["get", "list"], "keys": ["get"]})
    vault.allow("00000000-0000-4000-8000-00000000000b", {"secrets": ["get"]})
    given = {"properties": {"accessPolicies": [policy(local, OTHER, secrets=["Get", "set"])]}}
    after = vaults.update_access_policy("emulator", "my", kind, given)
    assert after.type == "Microsoft.KeyVault/vaults/accessPolicies"
    there = {each.object_id: each.permissions.as_dict() for each in after.properties.access_policies}
    expected = {
        "add": {"secrets": ["get", "list", "set"], "keys": ["get"]},
        "replace": {"secrets": ["Get", "set"]},
        "remove": {"secrets": ["list"], "keys": ["get"]},
    }
    assert there == {OTHER: expected[kind], "00000000-0000-4000-8000-00000000000b": {"secrets": ["get"]}}
    shown = vaults.get("emulator", "my").properties.access_policies
    assert [each.as_dict() for each in shown] == [each.as_dict() for each in after.properties.access_policies]


def test_removing_all_of_a_policy_removes_it(local: LocalKeyVault) -> None:
    local.emulator.add_vault("my").allow(OTHER, {"secrets": ["get"]})
    given = {"properties": {"accessPolicies": [policy(local, OTHER, secrets=["get"])]}}
    after = local.arm.keyvault().vaults.update_access_policy("emulator", "my", "remove", given)
    assert after.properties.access_policies == []


def test_patch_changes_what_it_names(local: LocalKeyVault) -> None:
    local.emulator.add_vault("my").allow(OTHER, {"secrets": ["get"]})
    vaults = local.arm.keyvault().vaults
    vaults.update("emulator", "my", {"tags": {"a": "b"}, "properties": {"publicNetworkAccess": "Disabled"}})
    after = vaults.update("emulator", "my", {"properties": {"enableRbacAuthorization": True}})
    assert (after.tags, after.properties.public_network_access) == ({"a": "b"}, "Disabled")
    assert after.properties.enable_rbac_authorization
    assert len(after.properties.access_policies) == 1  # kept, though it decides nothing now
    assert not vaults.update("emulator", "my", {"properties": {"accessPolicies": []}}).properties.access_policies


@pytest.mark.parametrize(("version", "rbac"), [("2023-07-01", False), ("2026-02-01", True), ("2026-05-15", True)])
def test_what_a_new_vault_uses_that_does_not_say(local: LocalKeyVault, version: str, rbac: bool) -> None:
    given = body(local)
    del given["properties"]["enableRbacAuthorization"]
    vaults = local.arm.keyvault(api_version=version).vaults
    assert (
        vaults.begin_create_or_update("emulator", "fresh", given).result().properties.enable_rbac_authorization is rbac
    )
    kept = local.arm.keyvault(api_version="2026-05-15").vaults.begin_create_or_update("emulator", "fresh", given)
    assert kept.result().properties.enable_rbac_authorization is rbac


def test_what_cannot_be_taken_back(local: LocalKeyVault) -> None:
    vault, vaults = local.emulator.add_vault("my"), local.arm.keyvault().vaults

    def put(**properties: Any) -> Any:
        return vaults.begin_create_or_update("emulator", "my", body(local, **properties)).result()

    assert put(enablePurgeProtection=True).properties.enable_purge_protection
    assert put().properties.enable_purge_protection  # leaving it out takes nothing back
    text = refused(lambda: put(enablePurgeProtection=False), 400, "BadRequest")
    assert text.startswith('The property "enablePurgeProtection" cannot be set to false.')
    assert "irreversible" in refused(lambda: put(enableSoftDelete=False), 400, "BadRequest")
    assert "can't be modified" in refused(lambda: put(softDeleteRetentionInDays=7), 400, "BadRequest")
    vault.set_secret("name", "v")
    client = local.vault("my").secrets
    client.begin_delete_secret("name").wait()
    with pytest.raises(AccessDenied, match="purge"):
        client.purge_deleted_secret("name")


def test_a_body_that_makes_no_sense(local: LocalKeyVault) -> None:
    vaults = local.arm.keyvault().vaults

    def put(given: Any, name: str = "fresh", group: str = "emulator") -> Any:
        return lambda: vaults.begin_create_or_update(group, name, given)

    no_policies = body(local)
    del no_policies["properties"]["accessPolicies"]
    assert refused(put(no_policies), 400, "BadRequest") == "The parameter accessPolicies is not specified."
    assert refused(put({"properties": {}}), 400, "LocationRequired")
    for wrong in ({"tenantId": "t"}, {"sku": {"name": "x"}}, {"softDeleteRetentionInDays": 6}, {"networkAcls": 7}):
        assert next(iter(wrong)) in refused(put(body(local, **wrong)), 400, "BadRequest")
    for each in (policy(local, "not a guid"), policy(local, OTHER, secrets=["fly"]), {"objectId": OTHER}, 7):
        assert "accessPolicies[0]" in refused(put(body(local, each)), 400, "BadRequest")
    twice = policy(local, OTHER, secrets=["get"])
    refused(put(body(local, twice, twice)), 400, "BadRequest")
    refused(lambda: vaults.begin_create_or_update("emulator", "fresh", b"{"), 400, "InvalidRequestContent")
    text = refused(put(body(local), name="9-lives"), 400, "VaultNameNotValid")
    assert text.startswith("The vault name '9-lives' is invalid. A vault's name must be between 3-24")
    refused(put(body(local), group="elsewhere"), 404, "ResourceGroupNotFound")
    assert not list(vaults.list_by_subscription())


def test_a_name_is_taken_everywhere(local: LocalKeyVault) -> None:
    local.emulator.add_vault("mine", resource_group="first")
    vaults = local.arm.keyvault().vaults
    text = refused(lambda: vaults.begin_create_or_update("emulator", "MINE", body(local)), 409, "VaultAlreadyExists")
    assert "already in use" in text
    taken = vaults.check_name_availability({"name": "mine", "type": "Microsoft.KeyVault/vaults"})
    assert (taken.name_available, taken.reason) == (False, "AlreadyExists")
    wrong = vaults.check_name_availability({"name": "a--b", "type": "Microsoft.KeyVault/vaults"})
    assert (wrong.name_available, wrong.reason) == (False, "AccountNameInvalid")
    assert vaults.check_name_availability({"name": "free", "type": "Microsoft.KeyVault/vaults"}).name_available
    moved = {**body(local), "location": "North Europe"}
    refused(lambda: vaults.begin_create_or_update("first", "mine", moved), 409, "InvalidResourceLocation")
    refused(lambda: vaults.get("emulator", "mine"), 404, "ResourceNotFound")


def test_deleting_a_vault_and_what_comes_after(local: LocalKeyVault) -> None:
    door, vaults = local.vault("mine", enforce=True, rbac=True), local.arm.keyvault().vaults
    local.set_secret("name", "v", vault="mine")
    local.assign(local.credential(), "Key Vault Secrets User", vault="mine")
    assert door.secrets.get_secret("name", max_age=0).name == "name"
    vaults.delete("emulator", "mine")
    vaults.delete("emulator", "mine")  # 204
    with pytest.raises(ResourceNotFoundError):
        vaults.get("emulator", "mine")
    with pytest.raises(VaultNotFound):
        door.secrets.get_secret("name", max_age=0, timeout=1)
    (deleted,) = vaults.list_deleted()
    assert deleted.properties.vault_id == local.arm.vault_id("mine")
    assert vaults.get_deleted("mine", "westeurope").properties.scheduled_purge_date > deleted.properties.deletion_date
    refused(lambda: vaults.get_deleted("mine", "northeurope"), 404, "ResourceNotFound")
    with pytest.raises(ResourceExistsError, match="exists in deleted state"):
        vaults.begin_create_or_update("emulator", "mine", body(local))
    back = vaults.begin_create_or_update("emulator", "mine", body(local, createMode="recover")).result()
    assert back.properties.enable_rbac_authorization  # as it was
    local.advance(seconds=60)
    with pytest.raises(MissingPermission):  # a recovered vault has lost its assignments
        door.secrets.get_secret("name", max_age=0)
    vaults.delete("emulator", "mine")
    vaults.begin_purge_deleted("mine", "westeurope").result()
    assert not list(vaults.list_deleted())
    assert "mine" not in {each.name for each in local.emulator.vaults.values()}


def test_recovering_a_vault_that_is_there_takes_no_policy_away(local: LocalKeyVault) -> None:
    vaults = local.arm.keyvault().vaults
    held = body(local, policy(local, OTHER, secrets=["get"]))
    vaults.begin_create_or_update("emulator", "held", held).result()
    again = vaults.begin_create_or_update("emulator", "held", body(local, createMode="recover")).result()
    assert [each.object_id for each in again.properties.access_policies] == [OTHER]


def test_purge_protection_keeps_a_vault_until_its_time(local: LocalKeyVault) -> None:
    local.emulator.add_vault("mine", purge_protection=True, retention_days=7)
    vaults = local.arm.keyvault().vaults
    vaults.delete("emulator", "mine")
    assert "DeletedVaultPurge" in refused(
        lambda: vaults.begin_purge_deleted("mine", "westeurope"), 405, "MethodNotAllowed"
    )
    local.advance(seconds=7 * 86_400 - 60)
    assert len(list(vaults.list_deleted())) == 1
    local.advance(seconds=60)
    assert not list(vaults.list_deleted())


def test_the_control_plane_wants_a_token_for_itself(local: LocalKeyVault) -> None:
    client = local.arm.keyvault(credential_scopes=["https://vault.azure.net/.default"])
    with pytest.raises(ClientAuthenticationError, match="wrong audience"):
        client.vaults.get("emulator", "my")
    reply = local.emulator.handle(Request("GET", "management.azure.com", "/subscriptions"))
    assert reply.status == 401
    assert reply.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")
    assert json.loads(reply.body)["error"]["code"] == "AuthenticationFailed"
    bearer = {"authorization": "Bearer any"}
    nowhere = Request("GET", "management.azure.com", "/nowhere", {"api-version": "1"}, bearer)
    assert local.emulator.handle(nowhere).status == 404
    refused(lambda: local.arm.keyvault(subscription=OTHER).vaults.get("emulator", "my"), 404, "SubscriptionNotFound")
    unversioned = Request("GET", "management.azure.com", "/subscriptions", {}, bearer)
    assert json.loads(local.emulator.handle(unversioned).body)["error"]["code"] == "MissingApiVersionParameter"


def test_where_the_emulator_enforces_the_control_plane_needs_a_role() -> None:
    local = LocalKeyVault(settings=EmulatorSettings(enforce=True))
    local.url("my")
    app = local.credential("app")
    mine = local.arm.keyvault(app).vaults
    text = refused(lambda: mine.get("emulator", "my"), 403, "AuthorizationFailed")
    who = f"The client '{app.principal.client_id}' with object id '{app.principal.oid}'"
    assert text.startswith(who)
    assert f"'Microsoft.KeyVault/vaults/read' over scope '{local.arm.vault_id('my')}'" in text
    local.assign(app, "Reader", scope=f"/subscriptions/{local.arm.subscription}")
    assert mine.get("emulator", "my").name == "my"
    refused(lambda: mine.update("emulator", "my", {"tags": {}}), 403, "AuthorizationFailed")
    assert local.arm.keyvault().vaults.update("emulator", "my", {"tags": {}}).tags == {}  # its maker is the Owner
    with pytest.raises(MissingPermission):  # which opens nothing
        local.vault("my").secrets.get_secret("name")


def test_changes_may_take_their_time() -> None:
    local = LocalKeyVault(settings=EmulatorSettings(propagation=30.0))
    app = local.credential("app")
    door = local.vault("my", enforce=True, credential=app).secrets
    local.set_secret("name", "v", vault="my")
    given = {"properties": {"accessPolicies": [policy(local, app.principal.oid, secrets=["get"])]}}
    shown = local.arm.keyvault().vaults.update_access_policy("emulator", "my", "add", given)
    assert len(shown.properties.access_policies) == 1
    with pytest.raises(MissingPermission):
        door.get_secret("name")
    local.advance(seconds=30)
    assert door.get_secret("name").name == "name"
    local.arm.keyvault().vaults.update_access_policy("emulator", "my", "remove", given)
    assert door.get_secret("name", max_age=0).name == "name"
    local.advance(seconds=30)
    with pytest.raises(MissingPermission):
        door.get_secret("name", max_age=0)


def test_a_name_that_is_not_registered_yet_does_not_resolve(local: LocalKeyVault) -> None:
    vaults = local.arm.keyvault().vaults
    vaults.begin_create_or_update("emulator", "fresh", body(local), polling=False)
    with pytest.raises(VaultNotFound):
        local.vault("fresh").secrets.get_secret("name", timeout=1)
    local.advance(seconds=60)
    with pytest.raises(SecretNotFound):
        local.vault("fresh").secrets.get_secret("name")


def test_faults_meet_the_control_plane_by_their_path(local: LocalKeyVault) -> None:
    local.url("my")
    vaults = local.arm.keyvault(retry_total=0).vaults
    everything = local.fail(status=503, count=None)
    assert vaults.get("emulator", "my").name == "my"
    everything.remove()
    local.fail(path="Microsoft.KeyVault/vaults", status=429, retry_after=1)
    with pytest.raises(HttpResponseError) as caught:
        vaults.get("emulator", "my")
    assert (caught.value.status_code, caught.value.response.headers["Retry-After"]) == (429, "1")
    local.fail(path="Microsoft.KeyVault/vaults", network="reset-after")
    with pytest.raises(ServiceResponseError):
        vaults.delete("emulator", "my")
    assert len(list(vaults.list_deleted())) == 1
    assert [(each.status, each.fault) for each in local.journal][-3:] == [
        (429, "429"),
        (None, "reset-after"),
        (200, None),
    ]


def test_resource_groups(local: LocalKeyVault) -> None:
    token = LocalCredential(local.emulator).get_token("https://management.azure.com/.default").token

    def ask(method: str, path: str, given: Any = None, query: Any = None) -> tuple[int, Any]:
        headers, data = {"authorization": f"Bearer {token}"}, json.dumps(given or {}).encode()
        full = f"/subscriptions/{local.arm.subscription}{path}"
        query = {"api-version": "1", **(query or {})}
        reply = local.emulator.handle(Request(method, "management.azure.com", full, query, headers, data))
        assert isinstance(reply, Response)
        return reply.status, json.loads(reply.body)

    assert ask("GET", "/resourcegroups/new")[0] == 404
    assert ask("PUT", "/resourcegroups/new", {"location": "westeurope"})[0] == 201
    assert ask("PUT", "/resourcegroups/new", {"location": "westeurope"})[0] == 200
    assert [each["name"] for each in ask("GET", "/resourceGroups")[1]["value"]] == ["emulator", "new"]
    assert ask("PUT", "/resourcegroups/a%20b", {})[0] == 400
    assert ask("GET", "/resources")[1]["value"] == []
    local.url("my")
    for kind, found in (("Microsoft.KeyVault/vaults", 1), ("Microsoft.Web/sites", 0)):
        assert len(ask("GET", "/resources", query={"$filter": f"resourceType eq '{kind}'"})[1]["value"]) == found
    assert ask("GET", "")[1]["subscriptionId"] == local.arm.subscription
    made = local.arm.keyvault().vaults.begin_create_or_update("New", "fresh", body(local)).result()
    assert "/resourceGroups/New/" in made.id


def test_the_aio_client_works_as_well(local: LocalKeyVault) -> None:
    local.url("my")

    async def ask() -> str:
        from azure.mgmt.keyvault.aio import KeyVaultManagementClient

        credential, transport = local.aio_credential(), local.transport("aio")
        async with KeyVaultManagementClient(credential, local.arm.subscription, transport=transport) as client:
            made = await client.vaults.begin_create_or_update("emulator", "fresh", body(local))
            await made.result()
            return ",".join([each.name async for each in client.vaults.list_by_subscription()])

    assert asyncio.run(ask()) == "fresh,my"


def test_credentials_of_azure_identity_work_in_process(local: LocalKeyVault) -> None:
    tenant, client_id = local.emulator.settings.tenant, "aaaaaaaa-0000-4000-8000-000000000001"
    local.emulator.directory.add("app", client_id=client_id, groups=["readers"])
    credential = azure.identity.ClientSecretCredential(
        tenant,
        client_id,
        "emulator-client-secret",
        disable_instance_discovery=True,
        transport=local.transport(),
    )
    url = local.vault("my", enforce=True).vault_url
    local.set_secret("name", "v", vault="my")
    client = azure.keyvault.secrets.SecretClient(url, credential, transport=local.transport())
    with pytest.raises(HttpResponseError, match=f"oid={local.emulator.directory.find('app').oid};numgroups=1"):
        client.get_secret("name")
    local.allow("readers", vault="my", secrets=["get"])
    assert client.get_secret("name").name == "name"


def test_a_vault_answers_from_where_it_is(local: LocalKeyVault) -> None:
    given = {**body(local), "location": "North Europe"}
    local.arm.keyvault().vaults.begin_create_or_update("emulator", "fresh", given).result()
    with pytest.raises(MissingPermission, match="location=northeurope"):
        local.vault("fresh", enforce=True).secrets.get_secret("name")
