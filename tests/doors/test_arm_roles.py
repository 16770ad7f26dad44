"""Role definitions and assignments in the emulator's control plane, with Microsoft's own client."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

from safekv.errors import MissingPermission
from safekv.testing import LocalCredential, LocalKeyVault

pytest.importorskip("azure.mgmt.authorization")

SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
OTHER = "00000000-0000-4000-8000-00000000000a"


@pytest.fixture
def local() -> LocalKeyVault:
    local = LocalKeyVault()
    for name in ("a", "b"):
        local.set_secret(name, "v", vault="my")
    return local


def role_id(local: LocalKeyVault, role: str = SECRETS_USER) -> str:
    return f"/subscriptions/{local.arm.subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"


def granted(local: LocalKeyVault, who: LocalCredential, scope: str, role: str = SECRETS_USER) -> Any:
    given = {"properties": {"roleDefinitionId": role_id(local, role), "principalId": who.principal.oid}}
    return local.arm.authorization().role_assignments.create(scope, str(uuid4()), given)


def readable(local: LocalKeyVault, who: LocalCredential) -> list[str]:
    """Which of the secrets this identity can read."""
    found = []
    client = local.vault("my", enforce=True, rbac=True, credential=who).secrets
    for name in ("a", "b"):
        try:
            client.get_secret(name, max_age=0)
        except MissingPermission:
            continue
        found.append(name)
    return found


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        ("/subscriptions/{subscription}", ["a", "b"]),
        ("/subscriptions/{subscription}/resourceGroups/Emulator", ["a", "b"]),
        ("/subscriptions/{subscription}/resourceGroups/other", []),
        ("{vault}", ["a", "b"]),
        ("{vault}/secrets/A", ["a"]),
        ("{vault}/keys/a", []),
        ("/providers/Microsoft.Management/managementGroups/root", ["a", "b"]),
    ],
)
def test_a_role_counts_on_its_scope_and_below(local: LocalKeyVault, scope: str, names: list[str]) -> None:
    local.emulator.add_vault("elsewhere", resource_group="other")
    app = local.credential("app")
    assert readable(local, app) == []
    made = granted(local, app, scope.format(subscription=local.arm.subscription, vault=local.arm.vault_id("my")))
    assert readable(local, app) == names
    local.arm.authorization().role_assignments.delete_by_id(made.id)
    assert readable(local, app) == []


def test_an_assignment(local: LocalKeyVault) -> None:
    client, app = local.arm.authorization(), local.credential("app")
    scope = local.arm.vault_id("my")
    made = granted(local, app, scope)
    assert (made.scope, made.principal_id, made.principal_type) == (scope, app.principal.oid, "ServicePrincipal")
    assert made.role_definition_id == role_id(local)
    again = client.role_assignments.get(scope, made.name)
    assert (again.id, again.name) == (made.id, made.name)
    assert client.role_assignments.get_by_id(made.id).name == made.name
    same = {"properties": {"roleDefinitionId": role_id(local), "principalId": app.principal.oid}}
    assert client.role_assignments.create(scope, made.name, same).id == made.id
    with pytest.raises(ResourceExistsError, match="already exists"):
        granted(local, app, scope)
    with pytest.raises(HttpResponseError, match="not allowed to be updated"):
        client.role_assignments.create(scope, made.name, {"properties": {**same["properties"], "principalId": OTHER}})
    assert client.role_assignments.delete(scope, made.name).id == made.id
    assert client.role_assignments.delete(scope, made.name) is None
    with pytest.raises(ResourceNotFoundError, match="is not found"):
        client.role_assignments.get(scope, made.name)


def test_which_assignments_are_listed(local: LocalKeyVault) -> None:
    client = local.arm.authorization().role_assignments
    person = local.credential("alice", user=True, groups=["readers"])
    vault = local.arm.vault_id("my")
    group = local.emulator.directory.find("alice").groups[0]
    local.assign("readers", "Key Vault Reader", vault="my")
    on_group = client.list_for_scope(vault, filter=f"principalId eq '{group}'")
    assert [each.principal_id for each in on_group] == [group]
    granted(local, person, f"{vault}/secrets/a")
    owner = local.credential().principal.oid  # of the subscription
    listed = list(client.list_for_scope(vault))
    assert {each.principal_id for each in listed} == {owner, group, person.principal.oid}
    assert {each.principal_type for each in listed} == {"ServicePrincipal", "User"}
    above = client.list_for_scope(vault, filter="atScope()")
    assert {each.principal_id for each in above} == {owner, group}
    hers = client.list_for_scope(vault, filter=f"assignedTo('{person.principal.oid}')")
    assert {each.principal_id for each in hers} == {group, person.principal.oid}
    assert len(list(client.list_for_subscription())) == 3
    assert len(list(client.list_for_resource_group("emulator"))) == 3
    assert len(list(client.list_for_resource("emulator", "Microsoft.KeyVault", "vaults", "my"))) == 3


def test_definitions(local: LocalKeyVault) -> None:
    client = local.arm.authorization().role_definitions
    scope = local.arm.vault_id("my")
    (found,) = client.list(scope, filter="roleName eq 'Key Vault Secrets User'")
    assert (found.name, found.role_type, found.id) == (SECRETS_USER, "BuiltInRole", role_id(local))
    assert "Microsoft.KeyVault/vaults/secrets/getSecret/action" in found.permissions[0].data_actions
    assert client.get(scope, SECRETS_USER).role_name == "Key Vault Secrets User"
    assert client.get_by_id(role_id(local)).name == SECRETS_USER
    names = {each.role_name for each in client.list(scope)}
    assert {"Owner", "Key Vault Administrator", "Key Vault Crypto Officer", "Key Vault Reader"} <= names
    with pytest.raises(ResourceNotFoundError, match="does not exist"):
        client.get(scope, OTHER)


def test_a_role_of_ones_own(local: LocalKeyVault) -> None:
    client, app = local.arm.authorization(), local.credential("app")
    subscription = f"/subscriptions/{local.arm.subscription}"
    wanted = {
        "role_name": "Reads all but names",
        "role_type": "CustomRole",
        "assignable_scopes": [subscription],
        "permissions": [
            {
                "data_actions": ["Microsoft.KeyVault/vaults/secrets/*"],
                "not_data_actions": ["Microsoft.KeyVault/vaults/secrets/readMetadata/action"],
            }
        ],
    }
    models = client.models("2022-04-01")
    permission = models.Permission(**wanted.pop("permissions")[0])
    made = client.role_definitions.create_or_update(
        subscription, OTHER, models.RoleDefinition(permissions=[permission], **wanted)
    )
    assert (made.role_name, made.role_type) == ("Reads all but names", "CustomRole")
    assigned = granted(local, app, local.arm.vault_id("my"), OTHER)
    assert readable(local, app) == ["a", "b"]
    with pytest.raises(MissingPermission):
        list(local.vault("my", credential=app).secrets.list_properties_of_secrets())
    with pytest.raises(HttpResponseError, match="existing role assignments"):
        client.role_definitions.delete(subscription, OTHER)
    client.role_assignments.delete_by_id(assigned.id)
    assert client.role_definitions.delete(subscription, OTHER).name == OTHER
    assert client.role_definitions.delete(subscription, OTHER) is None
    taken = models.RoleDefinition(role_name="owner", role_type="CustomRole", assignable_scopes=["/"], permissions=[])
    with pytest.raises(ResourceExistsError, match="same name"):
        client.role_definitions.create_or_update(subscription, str(uuid4()), taken)
    with pytest.raises(HttpResponseError):
        client.role_definitions.create_or_update(subscription, SECRETS_USER, taken)


def test_what_is_refused(local: LocalKeyVault) -> None:
    create = local.arm.authorization().role_assignments.create
    vault, good = local.arm.vault_id("my"), {"roleDefinitionId": role_id(local), "principalId": OTHER}

    def code(scope: str, name: str, **changes: Any) -> str:
        with pytest.raises(HttpResponseError) as caught:
            create(scope, name, {"properties": {**good, **changes}})
        assert caught.value.error is not None
        return str(caught.value.error.code)

    name = str(uuid4())
    assert code(vault, "no guid") == "InvalidRoleAssignmentId"
    assert code(vault, name, roleDefinitionId=role_id(local, OTHER)) == "RoleDefinitionDoesNotExist"
    assert code(vault, name, principalId="no guid") == "BadRequest"
    assert code(vault, name, principalType="Robot") == "BadRequest"
    assert code(f"{vault}x", name) == "ResourceNotFound"
    assert code(f"/subscriptions/{OTHER}", name) == "SubscriptionNotFound"
    assert code(f"/subscriptions/{local.arm.subscription}/resourceGroups/none", name) == "ResourceGroupNotFound"
    assert code("/tenants/x", name) == "NotFound"
