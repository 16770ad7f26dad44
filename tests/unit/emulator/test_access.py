"""Who may do what: the decisions alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safekv.emulator._access import (
    AccessModel,
    AccessPolicy,
    Identity,
    Reason,
    Rights,
    Role,
    RoleAssignment,
    decide,
    decide_management,
)
from safekv.emulator._access_needs import NEEDS, PERMISSIONS
from safekv.emulator._access_roles import BUILT_IN
from safekv.emulator._arm_resource import changed
from safekv.emulator._directory import Directory, group_id
from safekv.emulator._propagating import Propagating
from safekv.emulator._router import OPERATIONS
from safekv.errors import _permissions
from safekv.errors._hsm_roles import LOCAL_NEEDS

VAULT = "/subscriptions/S/resourceGroups/G/providers/Microsoft.KeyVault/vaults/V"
ME = Identity("oid-1", "app-1", "tenant-1", ("group-1",))
MODEL = AccessModel(VAULT, roles=BUILT_IN)


def policy(*permissions: str, on: str = "secrets", oid: str = "OID-1", tenant: str = "Tenant-1") -> AccessPolicy:
    return AccessPolicy(tenant, oid, {on: permissions})


def by_policy(*policies: AccessPolicy) -> AccessModel:
    return replace(MODEL, policies=policies)


def by_role(role: str, scope: str = VAULT, principal: str = "OID-1") -> AccessModel:
    (found,) = (each for each in BUILT_IN.values() if each.name == role)
    return replace(MODEL, rbac=True, assignments=(RoleAssignment("a", found.id, principal, scope),))


def test_both_tables_of_needs_agree() -> None:
    """The emulator has its own, and must not look at the client's."""
    ours = {name: (need.collection, need.permission, need.action) for name, need in NEEDS.items()}
    assert ours == {name: tuple(need) for name, need in _permissions.NEEDS.items()}
    assert set(OPERATIONS) - set(NEEDS) == set(LOCAL_NEEDS) - set(NEEDS)  # of a Managed HSM


@pytest.mark.parametrize("operation", NEEDS)
def test_nothing_but_the_permission_allows_an_operation(operation: str) -> None:
    need = NEEDS[operation]
    enough = {each.lower() for each in (need.permission, *need.instead, "all")}
    every = {collection: tuple(known) for collection, known in PERMISSIONS.items()}
    every[need.collection] = tuple(each for each in every[need.collection] if each.lower() not in enough)
    denied = decide(by_policy(AccessPolicy("tenant-1", "oid-1", every)), ME, operation, "name")
    assert (denied.allowed, denied.reason, denied.need) == (False, Reason.NO_POLICY, need)
    for permission in enough:
        exactly = policy(permission.upper(), on=need.collection)
        allowed = decide(by_policy(exactly), ME, operation, "name")
        assert (allowed.allowed, allowed.reason, allowed.by) == (True, Reason.POLICY, exactly)


@pytest.mark.parametrize("operation", NEEDS)
def test_the_role_that_is_named_as_the_smallest_is_enough(operation: str) -> None:
    need = NEEDS[operation]
    role = _permissions.role_for(need.full_action)
    assert role is not None
    allowed = decide(by_role(role), ME, operation, "name")
    assert (allowed.allowed, allowed.reason) == (True, Reason.ROLE)


@pytest.mark.parametrize("operation", NEEDS)
def test_no_smaller_role_would_do(operation: str) -> None:
    """Of the roles that allow the action, none allows less than the one that is named."""
    need = NEEDS[operation]
    actions = {each.full_action for each in NEEDS.values()}

    def allows(role: Role) -> set[str]:
        return {each for each in actions if role.allows_data(each)}

    (named,) = (each for each in BUILT_IN.values() if each.name == _permissions.role_for(need.full_action))
    enough = [each for each in BUILT_IN.values() if each.allows_data(need.full_action)]
    assert not [each.name for each in enough if allows(each) < allows(named)]


@pytest.mark.parametrize("operation", NEEDS)
def test_every_action_is_needed_exactly(operation: str) -> None:
    need = NEEDS[operation]
    others = Rights(data_actions=("*",), not_data_actions=(need.full_action.upper(),))
    but = Role("all-but", "All but one", (others,), built_in=False)
    exactly = Role("exactly", "One", (Rights(data_actions=(need.full_action,)),), built_in=False)
    for role, allowed in ((but, False), (exactly, True)):
        model = AccessModel(
            VAULT, rbac=True, assignments=(RoleAssignment("a", role.id, "oid-1", "/"),), roles={role.id: role}
        )
        decision = decide(model, ME, operation, "name")
        assert decision.allowed is allowed
        assert allowed or decision.reason is Reason.NO_ROLE


def test_whose_an_access_policy_is() -> None:
    assert decide(by_policy(policy("get", oid="group-1")), ME, "get_secret").allowed
    for other in (
        policy("get", oid="app-1"),
        policy("get", oid=""),
        policy("get", tenant="other"),
        policy("get", on="keys"),
    ):
        assert not decide(by_policy(other), ME, "get_secret").allowed
    assert not decide(by_policy(policy("get", oid="")), Identity("", "", "tenant-1"), "get_secret").allowed


def test_a_policy_for_an_application_that_acts_for_a_user() -> None:
    both = replace(policy("get"), application_id="APP-1")
    denied = decide(by_policy(both), ME, "get_secret")
    assert (denied.reason, denied.by) == (Reason.ON_BEHALF_OF, both)
    assert decide(by_policy(both), replace(ME, delegated=True), "get_secret").allowed
    other = decide(by_policy(both), replace(ME, delegated=True, appid="app-2"), "get_secret")
    assert other.reason is Reason.NO_POLICY
    assert decide(by_policy(both, policy("get")), ME, "get_secret").allowed


def test_each_model_ignores_the_other() -> None:
    policies = by_policy(policy("get"))
    assert not decide(replace(policies, rbac=True), ME, "get_secret").allowed
    assert not decide(replace(by_role("Key Vault Administrator"), rbac=False), ME, "get_secret").allowed


@pytest.mark.parametrize("role", ["Owner", "Contributor", "Reader", "Key Vault Contributor"])
def test_managing_is_no_access(role: str) -> None:
    model = by_role(role)
    assert not any(decide(model, ME, operation, "name").allowed for operation in NEEDS)
    found = decide_management(model.assignments, BUILT_IN, ME, "Microsoft.KeyVault/vaults/read", VAULT)
    assert found is model.assignments[0]


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        ("/", True),
        ("/subscriptions/s", True),
        ("/subscriptions/s/resourcegroups/g/", True),
        (VAULT.upper(), True),
        (f"{VAULT}/secrets/name", True),
        (f"{VAULT}/secrets/NAM", False),
        (f"{VAULT}/keys/name", False),
        ("/subscriptions/s2", False),
        (VAULT[:-1] + "Vv", False),
        ("/providers/Microsoft.Management/managementGroups/m", True),
    ],
)
def test_scopes(scope: str, covered: bool) -> None:
    assert decide(by_role("Key Vault Secrets User", scope), ME, "get_secret", "Name").allowed is covered


def test_what_belongs_to_the_vault_is_not_below_an_object() -> None:
    officer = by_role("Key Vault Certificates Officer", f"{VAULT}/certificates/digicert")
    assert decide(officer, ME, "get_certificate", "digicert").allowed
    assert not decide(officer, ME, "get_issuer", "digicert").allowed
    assert (
        decide(by_role("Key Vault Secrets User", f"{VAULT}/secrets/a"), ME, "list_properties_of_secrets").allowed
        is False
    )


def test_a_role_that_nobody_knows_any_more_gives_nothing() -> None:
    model = replace(by_role("Key Vault Administrator"), roles={})
    assert not decide(model, ME, "get_secret").allowed


def test_what_needs_nothing_is_free() -> None:
    assert decide(MODEL, ME, "get_random_bytes").reason is Reason.FREE


# Changes of access policies

_names = st.sampled_from(["get", "Get", "list", "set", "delete", "purge"])
_policies = st.dictionaries(st.sampled_from("ab"), st.lists(_names, max_size=4), max_size=2)


def _entries(given: dict[str, list[str]]) -> tuple[AccessPolicy, ...]:
    return tuple(policy(*listed, oid=oid) for oid, listed in given.items())


def _given(policies: Iterable[AccessPolicy]) -> dict[str, set[str]]:
    found = {each.object_id: {name.lower() for name in each.permissions.get("secrets", ())} for each in policies}
    return {oid: names for oid, names in found.items() if names}


@given(_policies, _policies)
def test_changing_policies_is_arithmetic_on_sets(before: dict[str, list[str]], change: dict[str, list[str]]) -> None:
    first, second = _given(_entries(before)), _given(_entries(change))
    present, asked = _entries(before), _entries(change)
    everybody = {*before, *change}
    sums = {oid: first.get(oid, set()) | second.get(oid, set()) for oid in everybody}
    assert _given(changed("add", present, asked)) == {oid: names for oid, names in sums.items() if names}
    left = {oid: first.get(oid, set()) - second.get(oid, set()) for oid in everybody}
    assert _given(changed("remove", present, asked)) == {oid: names for oid, names in left.items() if names}
    others = {
        oid: second[oid] if oid in second else (set() if oid in change else first.get(oid, set())) for oid in everybody
    }
    assert _given(changed("replace", present, asked)) == {oid: names for oid, names in others.items() if names}
    for kind in ("add", "replace", "remove"):
        assert changed(kind, present, ()) == present


# Propagation


def test_a_change_counts_after_its_delay() -> None:
    value = Propagating("a", 10.0)
    value.set("b", 100.0)
    value.set("c", 105.0)
    assert value.current == "c"
    assert [value.effective(now) for now in (100.0, 109.9, 110.0, 114.9, 115.0)] == ["a", "a", "b", "b", "c"]
    value.begin_with("d")
    assert (value.current, value.effective(0.0)) == ("d", "d")


def test_changes_do_not_pile_up() -> None:
    value = Propagating(0, 1e9)
    for number in range(5_000):
        value.set(number, float(number))
    assert len(value._changes) <= 1_001
    assert value.current == 4_999


# Identities


def test_identities() -> None:
    directory = Directory()
    app = directory.add("app", groups=["readers", "11111111-2222-4333-8444-555555555555"])
    assert app.oid != app.client_id
    assert app.groups == (group_id("readers"), "11111111-2222-4333-8444-555555555555")
    assert app.claims()["idtyp"] == "app"
    assert directory.find(app.client_id.upper()) == directory.find(app.oid) == directory.find("app") == app
    user = directory.add("alice", user=True)
    assert (user.claims()["upn"], user.claims()["scp"]) == ("alice", "user_impersonation")
    other = directory.add("bob", user=True)
    assert other.client_id == user.client_id
    assert directory.find(user.client_id).oid not in (user.oid, other.oid)
    stranger = directory.find("99999999-2222-4333-8444-555555555555")
    assert stranger == Directory().find("99999999-2222-4333-8444-555555555555")  # the same everywhere
    for wrong in ("", "x" * 257, "a\nb"):
        with pytest.raises(ValueError, match="name must be"):
            directory.add(wrong)
    with pytest.raises(ValueError, match="groups must be a list"):
        directory.add("x", groups="readers")
