"""Who may, by what, and what to change; and present access as text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from access_policies import DATA, GROUP, VAULT_ID, oid, policy, present
from hypothesis import given
from hypothesis import strategies as st

from safekv import access
from safekv.access import Firewall, PermissionModel, Role, RoleAssignment, Template, VaultAccess, Verdict
from safekv.access import _reading as reading
from safekv.errors import InvalidArgument
from safekv.errors._permissions import NEEDS, full_action, role_for

GET = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
USER = Role("user", "Key Vault Secrets User", (GET,))
OFFICER = Role("officer", "Key Vault Secrets Officer", ("Microsoft.KeyVault/vaults/secrets/*",))
UNREAD = Role("custom", "custom")


def roles(*held: RoleAssignment, **fields: Any) -> VaultAccess:
    return present(model=PermissionModel.RBAC, **{"assignments": held, **fields})


def given_to(number: int, role: Role, scope: str = VAULT_ID, **fields: Any) -> RoleAssignment:
    return RoleAssignment(oid(number), role, scope, **fields)


def test_a_policy_allows_by_name_or_by_all() -> None:
    held = present(policy(1, secrets=["get"]), policy(2, secrets=["all"]))
    for number in (1, 2):
        found = access.check(held, oid(number), "get_secret", "db")
        assert (found.allowed, found.change) == (True, None)
        assert oid(number) in found.by[0]
    assert access.check(held, oid(2), "begin_delete_secret").allowed
    assert not access.check(held, oid(2), "purge_deleted_secret").allowed


def test_the_smallest_change_of_a_policy_keeps_the_words_that_are_there() -> None:
    found = access.check(present(policy(1, secrets=["list", "get"])), oid(1), "set_secret", groups=())
    assert (found.allowed, found.perhaps) == (False, ())
    assert found.command == (
        f"az keyvault set-policy --name my-vault --object-id {oid(1)} --secret-permissions get list set"
    )
    assert "within seconds" in found.takes


def test_groups_are_named_as_unknown_where_nobody_asked() -> None:
    held = present(policy(8, secrets=["get"]), policy(1, 7, secrets=["get"]))
    unknown = access.check(held, oid(1), "get_secret")
    assert not unknown.allowed
    assert any(oid(8) in each and "directory was not asked" in each for each in unknown.perhaps)
    assert any("on behalf of" in each for each in unknown.perhaps)
    assert access.check(held, oid(1), "get_secret", groups=[oid(8)]).allowed


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        (VAULT_ID, True),
        (GROUP.upper(), True),
        ("/", True),
        ("/providers/Microsoft.Management/managementGroups/root", True),
        (f"{VAULT_ID}/secrets/db", True),
        (f"{VAULT_ID}/secrets/other", False),
        (f"{GROUP}/providers/Microsoft.KeyVault/vaults/my-vault2", False),
        (f"{GROUP}x", False),
    ],
)
def test_a_role_allows_at_its_scope_and_below(scope: str, allowed: bool) -> None:
    assert access.check(roles(given_to(1, USER, scope)), oid(1), "get_secret", "db").allowed is allowed


def test_the_smallest_change_of_roles_is_the_smallest_role_at_the_smallest_scope() -> None:
    one = access.check(roles(), oid(1), "get_secret", "db")
    assert one.command == (
        f"az role assignment create --role 'Key Vault Secrets User' --assignee-object-id {oid(1)} "
        f"--scope {VAULT_ID}/secrets/db"
    )
    assert "10 minutes" in one.takes
    versions = access.check(roles(), oid(1), "list_properties_of_secret_versions", "db")
    assert versions.command is not None
    assert versions.command.endswith(f"--scope {VAULT_ID}/secrets/db")
    every = access.check(roles(), oid(1), "list_properties_of_secrets", "db")
    assert every.command is not None
    assert every.command.endswith(f"--scope {VAULT_ID}")


def test_groups_conditions_unread_roles_and_unread_assignments_are_perhaps() -> None:
    held = roles(
        given_to(8, USER, principal_type="Group"),
        given_to(9, USER, principal_type="ServicePrincipal"),
        given_to(1, USER, condition="@Resource[x] StringEquals 'y'"),
        given_to(1, UNREAD),
    )
    found = access.check(held, oid(1), "get_secret", "db")
    assert not found.allowed
    assert [
        next(word for word in ("group", "condition", "could not be read") if word in each) for each in found.perhaps
    ] == [
        "group",
        "condition",
        "could not be read",
    ]
    assert access.check(held, oid(1), "get_secret", "db", groups=[oid(8).upper()]).allowed
    unread = roles(assignments=None, unread="the caller may not read them")
    assert "may not read them" in access.check(unread, oid(1), "get_secret").perhaps[0]


def test_a_role_of_several_parts_is_not_denied_by_one_of_them() -> None:
    parts = [{"dataActions": ["Microsoft.KeyVault/vaults/*"], "notDataActions": [GET]}, {"dataActions": [GET]}]
    held = reading.role({"id": "r", "roleName": "ours", "permissions": parts})
    found = access.check(roles(given_to(1, held)), oid(1), "get_secret")
    assert (found.allowed, len(found.perhaps)) == (False, 1)
    plain = reading.role({"id": "r", "roleName": "ours", "permissions": [{"dataActions": ["x/*"]}, parts[1]]})
    assert access.check(roles(given_to(1, plain)), oid(1), "get_secret").allowed


def test_what_is_not_data_actions_is_not_allowed() -> None:
    less = Role(
        "less", "less", ("Microsoft.KeyVault/vaults/*",), ("Microsoft.KeyVault/vaults/secrets/getSecret/action",)
    )
    held = roles(given_to(1, less))
    assert not access.check(held, oid(1), "get_secret").allowed
    assert access.check(held, oid(1), "set_secret").allowed
    assert access.check(roles(given_to(1, OFFICER)), oid(1), "purge_deleted_secret").allowed


@pytest.mark.parametrize("operation", sorted(NEEDS))
def test_every_operation_is_allowed_by_exactly_the_change_that_is_named(operation: str) -> None:
    need = NEEDS[operation]
    denied = access.check(present(), oid(1), operation, groups=())
    assert not denied.allowed
    assert need.permission in str(denied.command)
    words = {need.collection: [need.permission]}
    assert access.check(present(policy(1, **words)), oid(1), operation).allowed
    by_role = access.check(roles(), oid(1), operation, groups=())
    assert str(role_for(full_action(need))) in str(by_role.command)
    assert access.check(roles(given_to(1, Role("r", "r", (full_action(need),)))), oid(1), operation).allowed


def test_what_else_stands_in_the_way_is_told() -> None:
    closed = present(policy(1, secrets=["get"]), firewall=Firewall(default_allow=False, addresses=("203.0.113.7/32",)))
    assert any("lets in 203.0.113.7/32" in note for note in access.check(closed, oid(1), "get_secret").notes)
    private = present(firewall=Firewall(public_access=False))
    assert any("private endpoints only" in note for note in access.check(private, oid(1), "get_secret").notes)
    assert any("Deny assignments" in note for note in access.check(roles(), oid(1), "get_secret").notes)


def test_questions_that_nobody_can_answer_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="no operation") as caught:
        access.check(present(), oid(1), "get_secrets")
    assert "get_secret" in str(caught.value)
    with pytest.raises(InvalidArgument, match="not a valid secret name"):
        access.check(present(), oid(1), "get_secret", "db_password")
    with pytest.raises(InvalidArgument, match="object id"):
        access.check(present(), "", "get_secret")
    with pytest.raises(InvalidArgument, match="'secret' is no kind"):
        access.Permissions.of(secret=["get"])
    assert isinstance(access.check(present(), oid(1), "get_secret"), Verdict)


def test_a_section_states_the_model_and_never_says_false_of_purge_protection() -> None:
    section = json.loads(access.export(present(policy(1, keys=["get"]))))
    assert section["enableRbacAuthorization"] is False
    assert "enablePurgeProtection" not in section
    assert section["accessPolicies"][0]["permissions"] == {"keys": ["get"]}
    assert json.loads(access.export(present(purge_protection=True)))["enablePurgeProtection"] is True
    bicep = access.export(present(policy(1, keys=["get"])), "bicep")
    assert bicep.startswith("enableRbacAuthorization: false\naccessPolicies: [\n  {\n    tenantId: '")
    with pytest.raises(InvalidArgument, match="no format"):
        access.export(present(), "yaml")


def test_a_child_adds_all_and_takes_nothing_away() -> None:
    held = access.load(DATA / "twelve.json")
    text = json.dumps({"resources": [json.loads(access.export(held, "arm", child=True))]})
    assert access.diff(Template.parse(text), held).is_safe()
    empty = present(name=held.name, tenant_id=held.tenant_id)
    assert len(access.diff(Template.parse(text), empty).gained) == 12
    assert "parent: vault\n  name: 'add'" in access.export(held, "bicep", child=True)
    with pytest.raises(InvalidArgument, match="no access policies"):
        access.export(empty, child=True)


@given(st.text(max_size=30))
def test_a_text_in_bicep_is_one_literal(text: str) -> None:
    from safekv.access._export import _bicep

    inside = _bicep(text, "")[1:-1].replace("\\\\", "").replace("\\'", "").replace("\\$", "")
    assert "'" not in inside
    assert "${" not in inside


def test_what_is_saved_is_what_was_read(tmp_path: Any) -> None:
    held = VaultAccess(
        VAULT_ID,
        "my-vault",
        policy(1).identity.tenant_id,
        PermissionModel.RBAC,
        (policy(1, 7, keys=["all"], storage=["get"]),),
        (given_to(1, USER, condition="c", principal_type="Group", id="/x"), given_to(2, UNREAD)),
        Firewall(False, False, "None", ("192.0.2.1",), ("/subnet",), ("/endpoint",)),
        7,
        True,
        ("deployment",),
        "westeurope",
        "https://my-vault.vault.azure.net/",
        "Succeeded",
    )
    (tmp_path / "saved.json").write_text(access.export(held, "json"), "utf-8")
    assert access.load(tmp_path / "saved.json") == held
