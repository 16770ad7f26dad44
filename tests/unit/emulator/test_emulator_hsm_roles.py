"""Local roles and settings of a Managed HSM, on the wire."""

from __future__ import annotations

from typing import Any

import pytest
from emulator_wire import Answer, Wire
from hypothesis import settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from safekv.emulator import Limits
from safekv.errors._hsm_roles import LOCAL_ROLES

ROLES = "/providers/Microsoft.Authorization/roleDefinitions"
ASSIGNMENTS = "/providers/Microsoft.Authorization/roleAssignments"
USER = next(role for role in LOCAL_ROLES if role.name.endswith("Crypto User"))
READ = "Microsoft.KeyVault/managedHsm/keys/read/action"
SCOPES = ("/", "/keys", "/keys/app", "/keys/other")


def guid(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012}"


def hsm() -> Wire:
    """Without its limits by the second, and without its first administrator."""
    wire = Wire(hsm=True, limits=Limits(managed_hsm=None))
    wire.vault.administration.assignments.clear()
    return wire


def role_id(name: str) -> str:
    return f"Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions/{name}"


def define(wire: Wire, name: str, **properties: Any) -> Answer:
    return wire.put(f"{ROLES}/{name}", {"properties": properties})


def assign(wire: Wire, name: str, role: str = USER.id, principal: str = guid(1), scope: str = "/") -> Answer:
    body = {"properties": {"roleDefinitionId": role_id(role), "principalId": principal}}
    return wire.put(f"{scope.rstrip('/')}{ASSIGNMENTS}/{name}", body)


def names(answer: Answer) -> list[str]:
    assert answer.status == 200
    assert set(answer.json) == {"value"}
    return [each["name"] for each in answer.json["value"]]


# -- definitions


def test_the_built_in_roles() -> None:
    """As they were recorded."""
    found = {each["name"]: each for each in hsm().get(ROLES).json["value"]}
    assert len(found) == 10
    assert found["33413926-3206-4cdd-b39a-83574fe37a17"] == {
        "id": role_id("33413926-3206-4cdd-b39a-83574fe37a17"),
        "name": "33413926-3206-4cdd-b39a-83574fe37a17",
        "properties": {
            "assignableScopes": ["/"],
            "description": "",
            "permissions": [
                {
                    "actions": [],
                    "dataActions": [
                        READ,
                        "Microsoft.KeyVault/managedHsm/keys/wrap/action",
                        "Microsoft.KeyVault/managedHsm/keys/unwrap/action",
                    ],
                    "notActions": [],
                    "notDataActions": [],
                }
            ],
            "roleName": "Managed HSM Crypto Service Encryption User",
            "type": "AKVBuiltInRole",
        },
        "type": "Microsoft.Authorization/roleDefinitions",
    }


def test_a_custom_role_lives_and_dies() -> None:
    wire = hsm()
    made = define(wire, guid(7), roleName="reader", description="test", permissions=[{"dataActions": [READ]}])
    assert made.status == 201
    assert made.json["properties"] == {
        "assignableScopes": ["/"],
        "description": "test",
        "permissions": [{"actions": [], "dataActions": [READ], "notActions": [], "notDataActions": []}],
        "roleName": "reader",
        "type": "CustomRole",
    }
    changed = define(wire, guid(7), roleName="none", permissions=[{"dataActions": [], "notDataActions": [READ]}])
    assert (changed.status, changed.json["properties"]["description"]) == (201, "")
    assert wire.get(f"{ROLES}/{guid(7)}").json == changed.json
    assert wire.get(f"/keys{ROLES}").json["value"][-1] == changed.json
    assert wire.delete(f"{ROLES}/{guid(7)}").json == changed.json
    assert wire.get(f"{ROLES}/{guid(7)}").code == "RoleDefinitionNotFound"
    assert wire.delete(f"{ROLES}/{guid(7)}").status == 404


@pytest.mark.parametrize(
    ("name", "properties", "status", "code"),
    [
        ("my-role", {}, 400, "BadParameter"),
        (USER.id, {"roleName": "mine now"}, 400, "BadParameter"),
        (guid(7), {"permissions": "all"}, 400, "BadParameter"),
        (guid(7), {"permissions": [{"dataActions": READ}]}, 400, "BadParameter"),
        (guid(7), {"assignableScopes": ["keys"]}, 400, "BadParameter"),
        (guid(7), {"roleName": 7}, 400, "BadParameter"),
    ],
)
def test_definitions_that_are_refused(name: str, properties: dict[str, Any], status: int, code: str) -> None:
    wire = hsm()
    answer = define(wire, name, **properties)
    assert (answer.status, answer.code) == (status, code)
    assert len(wire.get(ROLES).json["value"]) == 10


def test_a_role_that_is_assigned_stays() -> None:
    wire = hsm()
    define(wire, guid(7), roleName="reader", permissions=[{"dataActions": [READ]}])
    assert assign(wire, guid(1), guid(7)).status == 201
    assert wire.delete(f"{ROLES}/{guid(7)}").code == "RoleDefinitionHasAssignments"
    assert wire.delete(f"{ROLES}/{USER.id}").status == 400
    wire.delete(f"{ASSIGNMENTS}/{guid(1)}")
    assert wire.delete(f"{ROLES}/{guid(7)}").status == 200


def test_definitions_are_made_for_the_whole_hsm_only() -> None:
    wire = hsm()
    assert wire.put(f"/keys{ROLES}/{guid(7)}", {"properties": {}}).status == 400
    assert wire.get(f"/keys/app{ROLES}/{USER.id}").status == 200


# -- assignments


@pytest.mark.parametrize("scope", SCOPES)
def test_an_assignment(scope: str) -> None:
    wire = hsm()
    made = assign(wire, guid(1), scope=scope)
    assert made.status == 201
    place = scope.rstrip("/")
    assert made.json == {
        "id": f"{place}{ASSIGNMENTS}/{guid(1)}",
        "name": guid(1),
        "properties": {"principalId": guid(1), "roleDefinitionId": role_id(USER.id), "scope": scope},
        "type": "Microsoft.Authorization/roleAssignments",
    }
    assert wire.get(f"{place}{ASSIGNMENTS}/{guid(1)}").json == made.json
    elsewhere = wire.get(f"/keys/somewhere{ASSIGNMENTS}/{guid(1)}")
    assert (elsewhere.status, elsewhere.code) == (404, "RoleAssignmentNotFound")
    assert elsewhere.message.startswith("Requested role assignment not found (Activity ID: ")
    assert wire.delete(f"{place}{ASSIGNMENTS}/{guid(1)}").json == made.json
    assert wire.delete(f"{place}{ASSIGNMENTS}/{guid(1)}").status == 404


def test_the_same_again_is_the_same_and_a_double_is_refused() -> None:
    wire = hsm()
    assert assign(wire, guid(1)).json == assign(wire, guid(1)).json
    assert assign(wire, guid(2)).code == "RoleAssignmentExists"
    assert assign(wire, guid(1), principal=guid(9)).status == 409
    assert assign(wire, guid(1), scope="/keys").status == 409
    assert assign(wire, guid(2), scope="/keys").status == 201


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "BadParameter"),
        ({"properties": {"principalId": "me", "roleDefinitionId": role_id(USER.id)}}, "BadParameter"),
        ({"properties": {"principalId": guid(1), "roleDefinitionId": role_id(guid(9))}}, "RoleDefinitionDoesNotExist"),
        ({"properties": {"principalId": guid(1)}}, "RoleDefinitionDoesNotExist"),
    ],
)
def test_assignments_that_are_refused(body: dict[str, Any], code: str) -> None:
    wire = hsm()
    assert wire.put(f"{ASSIGNMENTS}/{guid(1)}", body).code == code
    assert wire.put(f"{ASSIGNMENTS}/name", body).message.startswith("Role assignment name must be a GUID")
    assert names(wire.get(ASSIGNMENTS)) == []


def test_filters() -> None:
    wire = hsm()
    for number, scope in enumerate(SCOPES):
        assign(wire, guid(number), principal=guid(number % 2), scope=scope)
    every = [guid(number) for number in range(4)]
    assert names(wire.get(ASSIGNMENTS)) == every
    assert names(wire.get(f"/keys/app{ASSIGNMENTS}")) == every[:3]
    assert names(wire.get(ASSIGNMENTS, **{"$filter": "atScope()"})) == every[:1]
    assert names(wire.get(f"/keys/app{ASSIGNMENTS}", **{"$filter": "atScope()"})) == every[:3]
    assert names(wire.get(ASSIGNMENTS, **{"$filter": f"principalId eq '{guid(1)}'"})) == every[1::2]
    assert wire.get(ASSIGNMENTS, **{"$filter": "colour eq 'red'"}).status == 400


def test_the_documented_numbers() -> None:
    """50 custom roles, 50 assignments for the whole, 10 for a key."""
    wire = hsm()
    for number in range(50):
        assert define(wire, guid(number)).status == 201
        assert assign(wire, guid(number), guid(number)).status == 201
    assert define(wire, guid(50)).code == assign(wire, guid(50)).code == "RoleAssignmentLimitExceeded"
    assert define(wire, guid(49), roleName="changed").status == 201
    for number in range(100, 110):
        assert assign(wire, guid(number), principal=guid(number), scope="/keys/app").status == 201
    assert assign(wire, guid(110), principal=guid(110), scope="/keys/app").status == 400
    assert assign(wire, guid(110), principal=guid(110), scope="/keys/other").status == 201


def test_a_new_hsm_has_one_administrator() -> None:
    wire = Wire(hsm=True)
    (first,) = wire.get(ASSIGNMENTS).json["value"]
    assert first["properties"]["principalId"] == wire.emulator.directory.default.oid
    assert first["properties"]["roleDefinitionId"] == role_id(LOCAL_ROLES[-1].id)
    assert first["properties"]["scope"] == "/"


def test_five_in_a_second() -> None:
    wire = Wire(hsm=True)
    assert [wire.get(ROLES).status for _ in range(3)] == [200] * 3
    assert [wire.get(ASSIGNMENTS).status for _ in range(3)] == [200, 200, 429]
    assert wire.get("/settings").status == 200
    wire.advance(1)
    assert wire.get(ASSIGNMENTS).status == 200


@pytest.mark.parametrize("path", [ROLES, ASSIGNMENTS, f"/keys{ROLES}", "/settings", "/backup/1/pending"])
def test_a_vault_has_none_of_it(path: str) -> None:
    assert Wire().get(path).status == 400


class Assignments(RuleBasedStateMachine):
    """What an HSM holds is what a dictionary would."""

    def __init__(self) -> None:
        super().__init__()
        self.wire = hsm()
        self.model: dict[str, tuple[str, str, str]] = {}

    @rule(
        name=some.integers(0, 3).map(guid),
        principal=some.integers(0, 1).map(guid),
        role=some.sampled_from([USER.id, LOCAL_ROLES[0].id]),
        scope=some.sampled_from(SCOPES),
    )
    def put(self, name: str, principal: str, role: str, scope: str) -> None:
        wanted = (role, principal, scope)
        free = self.model.get(name, wanted) == wanted
        double = any(each == wanted for other, each in self.model.items() if other != name)
        answer = assign(self.wire, name.upper(), role, principal, scope)
        assert answer.status == (201 if free and not double else 409)
        if answer.status == 201:
            self.model[name] = wanted

    @rule(name=some.integers(0, 3).map(guid), scope=some.sampled_from(SCOPES))
    def delete(self, name: str, scope: str) -> None:
        there = name in self.model and self.model[name][2] == scope
        assert self.wire.delete(f"{scope.rstrip('/')}{ASSIGNMENTS}/{name}").status == (200 if there else 404)
        if there:
            del self.model[name]

    @rule()
    def keep_and_load(self) -> None:
        self.wire.emulator.restore(self.wire.emulator.snapshot())

    @invariant()
    def lists(self) -> None:
        for scope in ("/", "/keys/app"):
            related = [
                name
                for name, (_, _, place) in self.model.items()
                if scope == "/" or place in ("/", "/keys", "/keys/app")
            ]
            assert sorted(names(self.wire.get(f"{scope.rstrip('/')}{ASSIGNMENTS}"))) == sorted(related)


TestAssignments = Assignments.TestCase
TestAssignments.settings = settings(max_examples=20, stateful_step_count=15, deadline=None)


# -- settings


def test_settings() -> None:
    wire = hsm()
    name = "AllowKeyManagementOperationsThroughARM"
    first = {"name": name, "type": "boolean", "value": "false"}
    assert wire.get("/settings").json == {"settings": [first]}
    assert wire.get(f"/settings/{name}").json == first
    assert wire.patch(f"/settings/{name}", {"value": "true"}).json == {**first, "value": "true"}
    assert wire.patch(f"/settings/{name}", {"value": "perhaps"}).status == 400
    assert wire.patch(f"/settings/{name}", {"value": True}).status == 400
    assert wire.get(f"/settings/{name}").json["value"] == "true"
    assert wire.get("/settings/Nothing").code == "SettingNotFound"
    wire.emulator.reset()
    assert wire.get(f"/settings/{name}").json == first
