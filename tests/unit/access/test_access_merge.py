"""A merged template loses nothing, gives what it gave, and is otherwise as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest
from access_policies import DATA, TENANT, child, entry, oid, policy, present, template, vault
from hypothesis import given
from hypothesis import strategies as st

from safekv import access
from safekv.access import AccessUnknown, PermissionModel, Policy, Template, TemplateError
from safekv.access._json import parse
from safekv.access._names import PERMISSIONS


@pytest.mark.parametrize(("name", "given"), [("three.json", ["three.parameters.json"]), ("three.bicep.json", [])])
def test_after_merging_nothing_is_lost_and_nothing_else_is_changed(name: str, given: list[str], tmp_path: Any) -> None:
    held, parameters = access.load(DATA / "twelve.json"), [DATA / each for each in given]
    merged = access.merge(DATA / name, held, parameters)
    (tmp_path / name).write_text(merged.text, "utf-8")
    again = access.diff(tmp_path / name, held, parameters)
    assert (again.lost, again.gained, again.kept, again.unknown) == ((), (), 12, ())
    before, after = (DATA / name).read_text("utf-8").splitlines(), merged.text.splitlines()
    gone = [line for line in before if line not in after]
    assert all("accessPolicies" in line or line.strip() in ("}", "]") for line in gone)
    assert access.merge(tmp_path / name, held, parameters).changes == ()  # twice is as once


def test_comments_stay_and_the_layout_is_the_template_s() -> None:
    text = (DATA / "three.json").read_text("utf-8")
    merged = access.merge(DATA / "three.json", access.load(DATA / "twelve.json"), DATA / "three.parameters.json").text
    assert "// whoever may do everything" in merged
    assert "It is deployed with every release. */" in merged
    assert "[parameters('administrator')]" in merged
    assert '\n                        "objectId": "00000000-0000-4000-8000-000000000004",\n' in merged
    windows = Template.parse(text.replace("\n", "\r\n"), {"administrator": oid(3)})
    assert "\n" not in access.merge(windows, access.load(DATA / "twelve.json")).text.replace("\r\n", "")


def merge(found: Template, *policies: Policy, **fields: Any) -> Any:
    """The merged template as data; checked to lose nothing."""
    held = present(*policies, **fields)
    merged = access.merge(found, held)
    assert access.diff(Template.parse(merged.text, found.parameters), held).is_safe()
    return parse(merged.text)


def listed(found: Any) -> Any:
    return found["resources"][0]["properties"]["accessPolicies"]


def test_an_entry_that_is_there_gets_the_words_that_it_lacks() -> None:
    found = merge(template(vault(entry(1, secrets=["get"]))), policy(1, secrets=["get", "list"], keys=["wrapKey"]))
    assert listed(found)[0]["permissions"] == {"secrets": ["get", "list"], "keys": ["wrapKey"]}


def test_words_from_an_expression_stay_one() -> None:
    words = template(vault(entry(1, secrets="[variables('words')]")), variables={"words": ["get"]})
    found = merge(words, policy(1, secrets=["list"]))
    assert listed(found)[0]["permissions"]["secrets"] == "[union(variables('words'), createArray('list'))]"


def test_policies_from_an_expression_stay_one_beside_a_variable() -> None:
    held = (policy(1, secrets=["get"]), policy(2, keys=["get"]))
    source = template(
        vault(accessPolicies="[parameters('policies')]"),
        parameters={"policies": {"type": "array", "defaultValue": [entry(1, secrets=["get"])]}},
        variables={"presentAccessPolicies": "something else"},
    )
    found = merge(source, *held)
    assert listed(found) == "[concat(parameters('policies'), variables('presentAccessPolicies2'))]"
    assert found["variables"]["presentAccessPolicies2"] == [entry(2, keys=["get"])]


def test_policies_that_a_loop_makes_are_written_out() -> None:
    loop = {"name": "accessPolicies", "count": 1, "input": entry(1, secrets=["get"])}
    other = {"name": "networkRules", "count": 0, "input": {}}
    for loops in ([loop], [other, loop], [loop, other]):
        found = merge(template(vault(accessPolicies=None, copy=loops)), policy(2, keys=["get"]))
        assert [each["objectId"] for each in listed(found)] == [oid(1), oid(2)]


def test_missing_policies_are_put_in_and_the_model_is_stated() -> None:
    found = merge(template(vault(accessPolicies=None)), policy(1, secrets=["get"]))
    assert listed(found) == [entry(1, secrets=["get"])]
    assert found["resources"][0]["properties"]["enableRbacAuthorization"] is False
    switched = merge(template(vault(enableRbacAuthorization=True)), policy(1, secrets=["get"]))
    assert switched["resources"][0]["properties"]["enableRbacAuthorization"] is False
    roles = merge(template(vault(enableRbacAuthorization=False)), model=PermissionModel.RBAC, assignments=())
    assert roles["resources"][0]["properties"]["enableRbacAuthorization"] is True


def test_children_that_remove_or_replace_take_nothing_of_the_present_away() -> None:
    held = policy(1, secrets=["get", "list"])
    removed = merge(template(child("remove", entry(1, secrets=["get"]), entry(2, keys=["get"]))), held)
    assert listed(removed) == [entry(2, keys=["get"])]
    replaced = merge(template(child("replace", entry(1, secrets=["set"]))), held)
    assert listed(replaced) == [entry(1, secrets=["get", "list", "set"])]
    text = template(child("add", entry(1, secrets=["set"]))).text
    assert access.merge(Template.parse(text), present(held)).text == text


def test_what_is_not_known_is_refused_unless_it_is_allowed() -> None:
    source = template(vault(accessPolicies="[parameters('p')]"), parameters={"p": {"type": "array"}})
    held = present(policy(1, secrets=["get"]))
    with pytest.raises(AccessUnknown, match=r"parameters\('p'\)"):
        access.merge(source, held)
    merged = access.merge(source, held, allow_unknown=True)
    assert "concat(parameters('p'), variables('presentAccessPolicies'))" in merged.text
    assert not merged.difference.loses


@pytest.mark.parametrize(
    ("resource", "why"),
    [
        ({**vault(), "copy": {"name": "v", "count": 2}}, "several vaults"),
        ({**vault(), "properties": "[variables('all')]"}, "no properties of its own"),
    ],
)
def test_what_cannot_be_merged_in_the_text_is_refused(resource: Any, why: str) -> None:
    source = template(resource, variables={"all": {"accessPolicies": []}})
    with pytest.raises(TemplateError, match=why) as caught:
        access.merge(source, present(policy(1, secrets=["get"])))
    assert "safekv access export" in str(caught.value)


def _words(kind: str) -> Any:
    names = st.sampled_from(["all", *PERMISSIONS[kind]]).flatmap(lambda name: st.sampled_from([name, name.upper()]))
    return st.lists(names, max_size=4)


_PERMISSIONS = st.fixed_dictionaries({}, optional={kind: _words(kind) for kind in PERMISSIONS})
_WHO = st.tuples(st.integers(1, 4), st.none() | st.integers(7, 8))
_HELD = st.lists(st.tuples(_WHO, _PERMISSIONS), max_size=6)
_FORMS = st.sampled_from(["written", "variable", "parameter", "concat", "loop", "missing", "words", "none"])


def _resources(entries: list[Any], form: str, changes: list[Any], rbac: bool | None) -> tuple[Any, dict[str, Any]]:
    """A vault that lists entries in one of the forms that templates have, and its children."""
    parts: dict[str, Any] = {"variables": {"entries": entries, "words": ["get"]}}
    parts["parameters"] = {"entries": {"type": "array", "defaultValue": entries}}
    forms: dict[str, Any] = {
        "written": entries,
        "variable": "[variables('entries')]",
        "parameter": "[ parameters('entries') ]",
        "concat": "[concat(createArray(), variables('entries'))]",
        "words": [{**each, "permissions": {"secrets": "[variables('words')]"}} for each in entries],
    }
    properties = {} if rbac is None else {"enableRbacAuthorization": rbac}
    resource = vault(accessPolicies=forms.get(form), **properties)
    if form == "loop":
        loop = {
            "name": "accessPolicies",
            "count": len(entries),
            "input": "[variables('entries')[copyIndex('accessPolicies')]]",
        }
        resource["properties"]["copy"] = [loop]
    children = [child(kind, *each) for kind, each in changes]
    return ([] if form == "none" and children else [resource]) + children, parts


def _entries(found: list[Any]) -> list[Any]:
    return [entry(number, application, **words) for (number, application), words in found]


@given(
    held=_HELD,
    given_=_HELD,
    form=_FORMS,
    changes=st.lists(st.tuples(st.sampled_from(["add", "replace", "remove"]), _HELD.map(_entries)), max_size=2),
    rbac=st.sampled_from([None, True, False]),
    indent=st.sampled_from([None, 2, "\t"]),
    model=st.sampled_from(list(PermissionModel)),
)
def test_whatever_is_held_and_given_a_merged_template_loses_nothing(
    held: Any, given_: Any, form: str, changes: Any, rbac: bool | None, indent: Any, model: PermissionModel
) -> None:
    now = present(*(policy(*who, **words) for who, words in held), model=model, assignments=())
    resources, parts = _resources(_entries(given_), form, changes, rbac)
    source = Template.parse(json.dumps({**parts, "resources": resources}, indent=indent))
    merged = access.merge(source, now, allow_unknown=True)
    again = access.diff(Template.parse(merged.text), now)
    assert not again.loses
    assert again.after is model
    assert access.merge(Template.parse(merged.text), now, allow_unknown=True).text == merged.text


@given(held=_HELD, given_=_HELD)
def test_a_template_gives_after_merging_what_it_gave_before(held: Any, given_: Any) -> None:
    now = present(*(policy(*who, **words) for who, words in held))
    source = template(vault(*_entries(given_)))
    before, after = access.diff(source, now), access.diff(Template.parse(access.merge(source, now).text), now)
    gained = {each.identity: each.permissions for each in after.gained}
    assert all(gained[each.identity] == each.permissions for each in before.gained)


def test_the_tenant_is_written_as_the_vault_has_it() -> None:
    assert listed(merge(template(vault()), policy(1, secrets=["get"])))[0]["tenantId"] == TENANT


_GARBAGE = st.sampled_from(
    [
        None,
        True,
        0,
        -5,
        "",
        "[",
        "[]",
        "[copyIndex()]",
        "[reference('x')]",
        "[variables('everything')]",
        "a/b/c",
        "my-vault/add",
        [],
        {},
        [None],
        {"copy": 1},
        {"copy": [{"name": "a"}]},
        {"copy": [{"name": "a", "count": 2, "input": "[copyIndex('a')]"}]},
        "Microsoft.KeyVault/vaults",
        "Microsoft.Resources/deployments",
        {"name": "l", "count": 3},
        {"value": 1},
    ]
)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a value: what it is in, and under which key."""
    pairs = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [(value, key) for key, _ in pairs] + [each for _, item in pairs for each in _places(item)]


@given(
    st.sampled_from(["three.json", "three.bicep.json"]),
    st.lists(st.tuples(st.integers(0), _GARBAGE), min_size=1, max_size=3),
)
def test_a_broken_template_raises_nothing_but_its_error(name: str, damage: Any) -> None:
    held, found = access.load(DATA / "twelve.json"), json.loads(json.dumps(parse((DATA / name).read_text("utf-8"))))
    for number, garbage in damage:
        places = _places(found)
        holder, key = places[number % len(places)]
        holder[key] = json.loads(json.dumps(garbage))
    try:
        source = Template.parse(json.dumps(found))
        access.diff(source, held)
        merged = access.merge(source, held, allow_unknown=True)
    except TemplateError:
        return
    assert not access.diff(Template.parse(merged.text), held).loses


def test_a_loop_of_deployments_is_not_given_the_access_of_one_vault() -> None:
    inner = {
        "parameters": {"name": {"type": "string"}},
        "resources": [{**vault(), "name": "[parameters('name')]"}],
    }
    nested = {
        "type": "Microsoft.Resources/deployments",
        "name": "[concat('each', copyIndex())]",
        "copy": {"name": "each", "count": 2},
        "properties": {
            "expressionEvaluationOptions": {"scope": "inner"},
            "parameters": {"name": {"value": "[if(equals(copyIndex(), 0), 'my-vault', 'their-vault')]"}},
            "template": inner,
        },
    }
    held = present(policy(1, secrets=["get"]))
    assert access.diff(template(nested), held).loses
    with pytest.raises(TemplateError, match="several vaults"):
        access.merge(template(nested), held)
