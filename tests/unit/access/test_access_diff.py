"""What a deployment would take away, and from whom."""

from __future__ import annotations

from typing import Any

import pytest
from access_policies import DATA, TENANT, child, entry, oid, policy, present, template, vault

from safekv import access
from safekv.access import Difference, PermissionModel, Role, RoleAssignment, Template, TemplateError


def diff(found: Template, *policies: Any, **fields: Any) -> Difference:
    return access.diff(found, present(*policies, **fields))


def lost(found: Difference) -> dict[str, str]:
    return {str(each.identity): str(each.permissions) for each in found.lost}


@pytest.mark.parametrize(("name", "given"), [("three.json", ["three.parameters.json"]), ("three.bicep.json", [])])
def test_a_template_that_lists_three_of_twelve_loses_nine(name: str, given: list[str]) -> None:
    found = access.diff(DATA / name, access.load(DATA / "twelve.json"), [DATA / each for each in given])
    assert {each.identity.object_id for each in found.lost} == {oid(number) for number in range(4, 13)}
    assert (found.kept, found.unknown, found.gained, found.loses) == (3, (), (), True)
    assert not found.is_safe(allow_unknown=True)


def test_permission_by_permission_and_whatever_the_case() -> None:
    resource = vault({**entry(1, secrets=["LIST", "set"]), "objectId": oid(1).upper()})
    found = diff(template(resource), policy(1, secrets=["Get", "List"], keys=["wrapKey"]), policy(2, keys=["get"]))
    assert lost(found) == {oid(1): "keys: wrapKey; secrets: get", oid(2): "keys: get"}
    assert [each.whole for each in found.lost] == [False, True]
    assert [str(each.permissions) for each in found.gained] == ["secrets: set"]


def test_all_means_each_of_them_and_does_not_promise_purge() -> None:
    everything = template(vault(entry(1, secrets=["all"])))
    assert not diff(everything, policy(1, secrets=["get", "set", "recover"])).loses
    assert lost(diff(everything, policy(1, secrets=["get", "purge"]))) == {oid(1): "secrets: purge"}
    assert not diff(everything, policy(1, secrets=["all"])).loses
    narrowed = diff(template(vault(entry(1, secrets=["get", "list", "set", "delete"]))), policy(1, secrets=["all"]))
    assert lost(narrowed) == {oid(1): "secrets: recover, backup, restore, purge"}


def test_an_identity_through_an_application_is_another_one() -> None:
    found = diff(template(vault(entry(1, secrets=["get"]))), policy(1, 7, secrets=["get"]))
    assert lost(found) == {f"{oid(1)} through application {oid(7)}": "secrets: get"}
    assert len(found.gained) == 1


def test_entries_for_the_same_identity_count_together() -> None:
    found = diff(
        template(vault(entry(1, secrets=["get"]), entry(1, secrets=["list"]))), policy(1, secrets=["get", "list"])
    )
    assert not found.loses


def test_children_add_replace_and_remove() -> None:
    nothing = child("add", entry(1, secrets=["set"]))
    assert not diff(template(nothing), policy(1, secrets=["get"]), policy(2, secrets=["get"])).loses
    replaced = diff(
        template(child("replace", entry(1, secrets=["set"]))), policy(1, secrets=["get"]), policy(2, keys=["get"])
    )
    assert lost(replaced) == {oid(1): "secrets: get"}
    removed = diff(template(child("remove", entry(1, secrets=["get"]))), policy(1, secrets=["get", "list"]))
    assert lost(removed) == {oid(1): "secrets: get"}


def test_what_a_child_gives_back_is_not_lost_but_there_is_a_time_between() -> None:
    found = diff(template(vault(), child("add", entry(1, secrets=["get"]))), policy(1, secrets=["get"]))
    assert not found.loses
    assert any("1 identities have no access between" in note for note in found.notes)


def test_a_child_inside_the_vault_is_one_as_well() -> None:
    inside = {"type": "accessPolicies", "name": "remove", "properties": {"accessPolicies": [entry(1, secrets=["get"])]}}
    found = diff(template({**vault(entry(1, secrets=["get"])), "resources": [inside]}), policy(1, secrets=["get"]))
    assert lost(found) == {oid(1): "secrets: get"}


def test_switching_to_roles_ends_what_every_policy_allows() -> None:
    found = diff(template(vault(entry(1, secrets=["get"]), enableRbacAuthorization=True)), policy(1, secrets=["get"]))
    assert lost(found) == {oid(1): "secrets: get"}
    assert (found.before, found.after) == (PermissionModel.POLICIES, PermissionModel.RBAC)


def test_switching_to_policies_ends_what_every_role_allows() -> None:
    user = Role("id", "Key Vault Secrets User", ("Microsoft.KeyVault/vaults/secrets/getSecret/action",))
    reader = Role("id", "Reader", ())
    held = (RoleAssignment(oid(1), user, "/"), RoleAssignment(oid(2), reader, "/"))
    resource = template(vault(enableRbacAuthorization=False))
    found = diff(resource, model=PermissionModel.RBAC, assignments=held)
    assert [each.role.name for each in found.roles_lost] == ["Key Vault Secrets User"]
    unread = diff(resource, model=PermissionModel.RBAC)
    assert not unread.is_safe()
    assert unread.is_safe(allow_unknown=True)


def test_a_vault_with_roles_whose_template_does_not_say_so_depends_on_the_version() -> None:
    old, new = vault(), {**vault(), "apiVersion": "2026-02-01"}
    assert [each.expression for each in diff(template(old), model=PermissionModel.RBAC).unknown] == [
        "enableRbacAuthorization"
    ]
    assert diff(template(new), model=PermissionModel.RBAC).is_safe()


def test_a_vault_without_access_policies_counts_as_the_loss_of_all() -> None:
    found = diff(template(vault(accessPolicies=None)), policy(1, secrets=["get"]))
    assert lost(found) == {oid(1): "secrets: get"}
    assert "has no accessPolicies" in found.notes[0]


def test_what_recovering_does_to_a_vault_that_is_there_is_not_known() -> None:
    found = diff(template(vault(createMode="recover")), policy(1, secrets=["get"]))
    assert not found.loses
    assert [each.expression for each in found.unknown] == ["createMode: recover"]
    assert not found.is_safe()


def test_purge_protection_that_azure_would_refuse_is_told() -> None:
    found = diff(template(vault(enablePurgeProtection=False)))
    assert "Azure refuses" in found.notes[0]


@pytest.mark.parametrize(
    ("policies", "expression"),
    [
        ("[parameters('policies')]", "[parameters('policies')]"),
        ([entry(1, secrets="[parameters('words')]")], "[parameters('words')]"),
        (
            [{**entry(1, secrets=["get"]), "objectId": "[reference('app').identity.principalId]"}],
            "[reference('app').identity.principalId]",
        ),
        (["[parameters('policies')]"], "[parameters('policies')]"),
        ("[concat(createArray(), parameters('policies'))]", "[parameters('policies')]"),
    ],
)
def test_what_is_not_known_is_named_and_is_not_safe(policies: Any, expression: str) -> None:
    parts = {"parameters": {"policies": {"type": "array"}, "words": {"type": "array"}}}
    found = diff(template(vault(accessPolicies=policies), **parts))
    assert [each.expression for each in found.unknown] == [expression]
    assert not found.is_safe()
    assert found.is_safe(allow_unknown=True)


def test_an_object_id_that_is_none_is_not_repeated() -> None:
    parts = {"parameters": {"who": {"type": "securestring"}}}
    resource = vault({**entry(1, secrets=["get"]), "objectId": "[parameters('who')]"})
    found = diff(template(resource, values={"who": "planted-value"}, **parts))
    assert "no id" in found.unknown[0].reason
    assert "planted-value" not in repr(found)


def test_a_condition_decides_or_is_told() -> None:
    held = policy(1, secrets=["get"])
    with pytest.raises(TemplateError, match="does nothing"):
        diff(template({**vault(), "condition": "[equals(1, 2)]"}), held)
    unsure = diff(
        template({**vault(entry(1, secrets=["get"])), "condition": "[parameters('x')]"}, parameters={"x": {}}), held
    )
    assert (unsure.loses, unsure.is_safe()) == (False, False)


def test_a_loop_of_vaults_and_a_loop_of_policies() -> None:
    looped = vault(
        accessPolicies=None,
        copy=[{"name": "accessPolicies", "count": 2, "input": "[variables('p')[copyIndex('accessPolicies')]]"}],
    )
    looped |= {
        "name": "[concat('my-', if(equals(copyIndex(), 1), 'vault', 'other'))]",
        "copy": {"name": "vaults", "count": 2},
    }
    found = diff(
        template(looped, variables={"p": [entry(1, secrets=["get"]), entry(2, secrets=["get"])]}),
        policy(1, secrets=["get"]),
        policy(3, secrets=["get"]),
    )
    assert lost(found) == {oid(3): "secrets: get"}


@pytest.mark.parametrize("scope", ["inner", "outer"])
def test_nested_deployments_are_looked_into(scope: str) -> None:
    nested = {
        "type": "Microsoft.Resources/deployments",
        "name": "nested",
        "properties": {
            "expressionEvaluationOptions": {"scope": scope},
            "parameters": {"who": {"value": "[parameters('who')]"}},
            "template": {
                "parameters": {"who": {"type": "string"}},
                "resources": [vault({**entry(1, secrets=["get"]), "objectId": "[parameters('who')]"})],
            },
        },
    }
    found = diff(template(nested, values={"who": oid(1)}, parameters={"who": {}}), policy(1, secrets=["get"]))
    assert (found.loses, found.unknown) == (False, ())
    linked = {**nested, "properties": {"templateLink": {"uri": "https://example.org/x.json"}}}
    assert "linked" in diff(template(linked), policy(1, secrets=["get"])).unknown[0].reason


def test_the_one_vault_whose_name_is_not_known_is_taken_and_that_is_said() -> None:
    named = {**vault(), "name": "[concat('kv', uniqueString(resourceGroup().id))]"}
    found = diff(template(named), policy(1, secrets=["get"]))
    assert found.loses
    assert "is taken for my-vault" in found.notes[0]
    two = diff(template(named, vault(entry(1, secrets=["get"]))), policy(1, secrets=["get"]))
    assert not two.loses
    assert not two.is_safe()


def test_what_is_given_back_in_no_certain_order_may_be_lost() -> None:
    gives = child("add", entry(1, secrets=["get"]))
    loose = diff(template(vault(), gives), policy(1, secrets=["get"]))
    assert [each.expression for each in loose.unknown] == ["resources[1]"]
    assert "dependsOn" in loose.unknown[0].reason
    assert diff(template(vault(), {**gives, "dependsOn": ["vault"]}), policy(1, secrets=["get"])).is_safe()
    twice = template(vault(), {**vault(entry(1, secrets=["get"])), "tags": {}})
    assert not diff(twice, policy(1, secrets=["get"])).is_safe()
    more = template(vault(entry(1, secrets=["get"])), child("add", entry(2, secrets=["get"])))
    assert diff(more, policy(1, secrets=["get"])).is_safe()  # in any order nobody loses anything
    merged = access.merge(template(vault(), gives), present(policy(1, secrets=["get"])))
    assert merged.difference.is_safe()


def test_what_a_deployment_waits_for_is_no_order_of_what_is_in_it() -> None:
    gives = child("add", entry(1, secrets=["get"]))
    together = {**nested({"resources": [vault(), gives]}), "dependsOn": ["network"]}
    assert not diff(template(together), policy(1, secrets=["get"])).is_safe()
    later = {**nested({"resources": [gives]}), "dependsOn": ["vault"]}
    assert diff(template(vault(), later), policy(1, secrets=["get"])).is_safe()
    waiting = {**gives, "dependsOn": ["something"]}
    assert not diff(template(vault(), nested({"resources": [waiting]})), policy(1, secrets=["get"])).is_safe()


def test_a_condition_is_not_that_of_the_children() -> None:
    inside = {"type": "accessPolicies", "name": "remove", "properties": {"accessPolicies": [entry(1, secrets=["get"])]}}
    for condition in (False, "false", "[equals(1, 2)]"):
        found = diff(
            template({**vault(), "condition": condition, "resources": [inside]}),
            policy(1, secrets=["get"]),
            policy(2, secrets=["get"]),
        )
        assert lost(found) == {oid(1): "secrets: get"}
    odd = diff(template({**vault(entry(1, secrets=["get"])), "condition": "perhaps"}), policy(1, secrets=["get"]))
    assert "neither true nor false" in odd.unknown[0].reason


def test_children_with_symbolic_names_are_children() -> None:
    inside = {"type": "accessPolicies", "name": "remove", "properties": {"accessPolicies": [entry(1, secrets=["get"])]}}
    resource = {**vault(entry(1, secrets=["get"])), "resources": {"less": inside}}
    assert lost(diff(template(resource), policy(1, secrets=["get"]))) == {oid(1): "secrets: get"}


def nested(inner: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {
        "type": "Microsoft.Resources/deployments",
        "name": "nested",
        "properties": {"template": inner, **properties},
    }


def test_a_nested_template_has_a_scope_of_its_own_from_language_two_on() -> None:
    inner = {
        "parameters": {"who": {"type": "string", "defaultValue": oid(2)}},
        "resources": [vault({**entry(1, secrets=["get"]), "objectId": "[parameters('who')]"})],
    }
    around = {"parameters": {"who": {"type": "string", "defaultValue": oid(1)}}}
    assert not diff(template(nested(inner), **around), policy(1, secrets=["get"])).loses
    for version in ("2.0", "2.1-experimental"):
        found = diff(template(nested(inner), languageVersion=version, **around), policy(1, secrets=["get"]))
        assert lost(found) == {oid(1): "secrets: get"}


@pytest.mark.parametrize(
    "given",
    [
        {"parameters": "[reference('other').outputs]"},
        {"parametersLink": {"uri": "https://example.org/p.json"}},
        {"parameters": "[createObject('who', createObject('value', uniqueString('x')))]"},
    ],
)
def test_what_a_nested_template_is_given_from_elsewhere_is_not_its_default(given: dict[str, Any]) -> None:
    inner = {
        "parameters": {"who": {"type": "string", "defaultValue": oid(1)}},
        "resources": [vault({**entry(1, secrets=["get"]), "objectId": "[parameters('who')]"})],
    }
    found = diff(
        template(nested(inner, expressionEvaluationOptions={"scope": "inner"}, **given)), policy(1, secrets=["get"])
    )
    assert found.unknown
    assert not found.is_safe()


def test_a_value_that_looks_like_an_expression_is_none() -> None:
    looks = {**entry(1, secrets=["get"]), "objectId": f"[concat('{oid(1)}')]"}
    given = template({**vault(), "properties": "[parameters('all')]"}, parameters={"all": {}})
    given = Template.parse(given.text, {"all": {"tenantId": TENANT, "accessPolicies": [looks]}})
    assert "no id" in diff(given, policy(1, secrets=["get"])).unknown[0].reason
    inner = {"parameters": {"p": {}}, "resources": [vault(accessPolicies="[parameters('p')]")]}
    outer = nested(inner, expressionEvaluationOptions={"scope": "inner"}, parameters="[parameters('all')]")
    held = template(outer, values={"all": {"p": {"value": [looks]}}}, parameters={"all": {}})
    assert "no id" in diff(held, policy(1, secrets=["get"])).unknown[0].reason
    plain = template(outer, values={"all": {"p": {"value": [entry(1, secrets=["get"])]}}}, parameters={"all": {}})
    assert diff(plain, policy(1, secrets=["get"])).is_safe()


def test_a_resource_of_a_kind_that_is_not_known_may_be_the_vault() -> None:
    hidden = {**vault(), "type": "[reference('x').kind]"}
    found = diff(template(vault(entry(1, secrets=["get"])), hidden), policy(1, secrets=["get"]))
    assert [each.expression for each in found.unknown] == ["resources[1].type"]


def test_another_vault_is_an_error_that_names_it() -> None:
    with pytest.raises(TemplateError, match="It is about their-vault"):
        diff(template({**vault(), "name": "their-vault"}))
    with pytest.raises(TemplateError, match="no vault at all"):
        diff(template({"type": "Microsoft.Web/sites", "name": "site"}))


def test_files_that_are_something_else_are_errors_that_say_so(tmp_path: Any) -> None:
    held = present()
    for name, text, said in (
        ("main.bicep", "param x string", "az bicep build"),
        ("list.json", "[]", "no template"),
        ("parameters.json", '{"parameters": {}}', "no template"),
        ("broken.json", "{", "no JSON"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(TemplateError, match=said):
            access.diff(tmp_path / name, held)
    with pytest.raises(TemplateError, match="says nothing of a vault's access"):
        access.load(tmp_path / "list.json")
    (tmp_path / "utf16.json").write_text(template(vault()).text, "utf-16")
    assert access.diff(tmp_path / "utf16.json", held).is_safe()


def test_what_the_sdk_and_the_azure_cli_say_is_read_alike() -> None:
    pytest.importorskip("azure.mgmt.keyvault")
    from azure.mgmt.keyvault.models import AccessPolicyEntry, Permissions

    model = AccessPolicyEntry(tenant_id=TENANT, object_id=oid(1), permissions=Permissions(keys_property=["wrapKey"]))
    assert access.policy(model) == policy(1, keys=["wrapKey"])
    snake = {"tenant_id": TENANT, "object_id": oid(1), "permissions": {"keys_property": ["WrapKey"]}}
    assert access.policy(snake) == access.policy(entry(1, keys=["wrapKey"])) == policy(1, keys=["wrapKey"])


def test_a_value_for_a_parameter_that_is_not_there_is_an_error() -> None:
    with pytest.raises(TemplateError, match="no parameter 'whoo'"):
        template(vault(), values={"whoo": 1}, parameters={"who": {"type": "int"}})
    assert template(vault(), values={"WHO": 1}, parameters={"who": {"type": "int"}}).parameters == {"WHO": 1}


def test_policies_that_are_not_known_do_not_matter_where_roles_decide() -> None:
    source = template(vault(accessPolicies="[parameters('p')]", enableRbacAuthorization=True), parameters={"p": {}})
    assert diff(source, model=PermissionModel.RBAC).is_safe()
