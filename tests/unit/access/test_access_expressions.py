"""The template language: what is read, what is computed, and what is said not to be known."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safekv.access import TemplateError, Unresolved
from safekv.access._evaluation import Scope
from safekv.access._expressions import parse
from safekv.access._json import parse as parse_json
from safekv.access._place import Place
from safekv.access._values import first_unresolved

PLACE = Place("sub", "group", "tenant")


def value(text: str, given: dict[str, Any] | None = None, **root: Any) -> Any:
    return Scope(root, given or {}, PLACE).value(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("[[in brackets]", "[in brackets]"),
        ("[concat('a', 'it''s', 3)]", "ait's3"),
        ("[concat(createArray(1), createArray('x'))]", [1, "x"]),
        ("[CONCAT ( 'a' , 'b' )]", "ab"),
        ("[format('{0}/{1}-{{0}}', 'v', 2)]", "v/2-{0}"),
        ("[union(createArray('a', 'b'), createArray('b', 'c'))]", ["a", "b", "c"]),
        ("[union(createObject('a', 1), createObject('A', 2, 'b', 3))]", {"a": 2, "b": 3}),
        ("[if(equals(1, 1), 'yes', reference('nobody'))]", "yes"),
        ("[if(not(true()), 'yes', 'no')]", "no"),
        ("[and(true(), or(false(), true()))]", True),
        ("[subscription().tenantId]", "tenant"),
        ("[tenant().tenantId]", "tenant"),
        ("[resourceGroup().name]", "group"),
        ("[resourceGroup().id]", "/subscriptions/sub/resourceGroups/group"),
        (
            "[resourceId('Microsoft.KeyVault/vaults', 'v')]",
            "/subscriptions/sub/resourceGroups/group/providers/Microsoft.KeyVault/vaults/v",
        ),
        (
            "[resourceId('s2', 'g2', 'Microsoft.KeyVault/vaults/accessPolicies', 'v', 'add')]",
            "/subscriptions/s2/resourceGroups/g2/providers/Microsoft.KeyVault/vaults/v/accessPolicies/add",
        ),
        ("[createObject('a', createArray(1, 2)).a[1]]", 2),
        ("[createObject('a', 1)['A']]", 1),
        ("[createObject('a', 1).?b]", None),
        ("[coalesce(null(), createObject('a', 1).?b, 'c')]", "c"),
        ("[json('{\"a\": [true]}').a[0]]", True),
        ("[first(split('x,y', ','))]", "x"),
        ("[join(map(createArray('a', 'b'), lambda('x', concat(lambdaVariables('x'), '!'))), '+')]", "a!+b!"),
        ("[filter(range(0, 5), lambda('n', greater(lambdaVariables('n'), 2)))]", [3, 4]),
        ("[length(createArray(1, 2))]", 2),
        ("[empty('')]", True),
        ("[add(2, mul(3, sub(5, div(9, 2))))]", 5),
        ("[items(createObject('b', 1, 'a', 2))[0].key]", "a"),
        ("[contains(createObject('Key', 1), 'key')]", True),
        ("[tryGet(createArray('a'), 3)]", None),
        ("[string(createArray(1, 'a'))]", '[1,"a"]'),
        ("[toUpper(substring('secrets', 0, 3))]", "SEC"),
    ],
)
def test_what_can_be_computed_is(text: str, expected: Any) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[reference('x').principalId]", "only during the deployment"),
        ("[listKeys('x', '1').keys[0]]", "only during the deployment"),
        ("[uniqueString(resourceGroup().id)]", "not computed here"),
        ("[resourceGroup().location]", "only during the deployment"),
        ("[parameters('nobody')]", "no such parameter"),
        ("[parameters('needed')]", "no default"),
        ("[variables('nobody')]", "no such variable"),
        ("[variables('itself')]", "refers to itself"),
        ("[concat('a', parameters('needed'))]", "no default"),
        ("[contains(createArray(parameters('needed')), 'a')]", "no default"),
        ("[length(concat(createArray('a'), parameters('needed')))]", "no default"),
        ("[concat(parameters('needed'), createArray('a'))[1]]", "no default"),
        ("[if(equals(parameters('needed'), 'a'), 'b', 'c')]", "no default"),
        ("[frobnicate('a')]", "not known here"),
        ("[add('a', 1)]", "whole number"),
        ("[first()]", "number of arguments"),
        ("[div(1, 0)]", "divided by 0"),
        ("[json('{')]", "JSON"),
        ("[createArray('a')[3]]", "no such item"),
        ("[createObject('a', 1).b]", "no such member"),
        ("[copyIndex()]", "no such loop"),
        ("[ours.unknown('a')]", "no function"),
        ("[format('{0:N2}', 1)]", "formatting"),
    ],
)
def test_what_cannot_be_computed_is_named_and_never_guessed(text: str, why: str) -> None:
    parameters, variables = {"needed": {"type": "string"}}, {"itself": "[concat(variables('itself'), 'a')]"}
    found = value(text, parameters=parameters, variables=variables)
    assert isinstance(found, Unresolved)
    assert why in found.reason


def test_parameters_variables_loops_and_own_functions() -> None:
    root = {
        "parameters": {"names": {"type": "array", "defaultValue": ["a", "b"]}, "given": {"type": "string"}},
        "variables": {
            "copy": [
                {
                    "name": "upper",
                    "count": "[length(parameters('names'))]",
                    "input": "[toUpper(parameters('NAMES')[copyIndex('upper')])]",
                }
            ],
            "nested": {"copy": [{"name": "numbers", "count": 3, "input": "[copyIndex('numbers', 10)]"}], "other": 1},
        },
        "functions": [
            {
                "namespace": "ours",
                "members": {
                    "twice": {
                        "parameters": [{"name": "text", "type": "string"}],
                        "output": {"type": "string", "value": "[concat(parameters('text'), parameters('text'))]"},
                    }
                },
            }
        ],
    }
    scope = Scope(root, {"GIVEN": "here"}, PLACE)
    assert scope.value("[variables('upper')]") == ["A", "B"]
    assert scope.value("[variables('nested')]") == {"numbers": [10, 11, 12], "other": 1}
    assert scope.value("[ours.twice(parameters('given'))]") == "herehere"


def test_given_lists_and_objects_equal_computed_ones() -> None:
    given = parse_json('{"list": ["a"], "object": {"a": 1}, "none": []}')
    scope = Scope({"parameters": {name: {} for name in given}}, given, PLACE)
    for text in (
        "[equals(parameters('list'), createArray('a'))]",
        "[equals(parameters('object'), createObject('a', 1))]",
        "[equals(parameters('none'), createArray())]",
    ):
        assert scope.value(text) is True
    assert scope.value("[equals(1, true())]") is False
    assert scope.value("[equals('a', 'A')]") is False


def test_null_in_the_place_of_a_default_is_not_guessed() -> None:
    declared = {"who": {"type": "string", "defaultValue": "a"}, "free": {"type": "string", "nullable": True}}
    scope = Scope({"parameters": declared}, {"who": None, "free": None}, PLACE)
    assert isinstance(scope.value("[parameters('who')]"), Unresolved)
    assert scope.value("[parameters('free')]") is None


def test_a_list_with_an_unknown_part_keeps_what_is_known() -> None:
    found = value("[concat(createArray('a'), parameters('more'), createArray('b'))]", parameters={"more": {}})
    assert [found[0], found[2]] == ["a", "b"]
    assert isinstance(found[1], Unresolved)


def test_a_template_cannot_ask_for_gigabytes_nor_for_ever() -> None:
    doubled = {"v0": "aaaaaaaaaaaaaaaa"}
    doubled |= {f"v{n}": f"[concat(variables('v{n - 1}'), variables('v{n - 1}'))]" for n in range(1, 40)}
    lists = {"v0": "[createArray(1, 2)]"}
    lists |= {f"v{n}": f"[createArray(variables('v{n - 1}'), variables('v{n - 1}'))]" for n in range(1, 40)}
    big = "a" * 20_000
    for variables in (doubled, lists, {"v39": f"[replace('{big[:9000]}', 'a', '{big[:9000]}')]"}):
        found = value("[variables('v39')]", variables=variables)
        assert "more than" in str(first_unresolved(found))


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "[]",
        "[concat(]",
        "[concat('a']",
        "['a' 'b']",
        "[a]",
        "[concat('a',)]",
        "[f('a)]",
        "[#]",
        "[x().]",
        "[x()[1]",
    ],
)
def test_what_is_no_expression_is_a_template_error(text: str) -> None:
    with pytest.raises(TemplateError):
        parse(text)


_PIECES = st.sampled_from(
    [
        "concat",
        "parameters",
        "(",
        ")",
        "[",
        "]",
        ",",
        ".",
        "'a'",
        "'",
        "0",
        "-1",
        " ",
        "if",
        "variables",
        "x",
        "?",
        "''",
        "lambda",
        "map",
        "copyIndex",
    ]
)


@given(st.one_of(st.text(max_size=60), st.lists(_PIECES, max_size=30).map("".join)))
def test_reading_an_expression_raises_nothing_but_its_error(inside: str) -> None:
    text = f"[{inside}]"
    with suppress(TemplateError):
        parse(text)
    with suppress(TemplateError):
        value(text, parameters={"a": {"defaultValue": 1}}, variables={"a": "[variables('a')]"})


@given(st.text(max_size=60))
def test_reading_json_raises_nothing_but_its_error(text: str) -> None:
    with suppress(TemplateError):
        parse_json(text)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5_000 + "]" * 5_000,
        '{"a":' * 5_000,
        "[(" * 3_000,
        '{"a": 1, "a": 2}',
        "{} {}",
        '{"a" 1}',
        "[1 2]",
        "[01]",
        "nul",
        "",
        "1e999999",
    ],
)
def test_json_that_is_too_deep_or_none_is_a_template_error(text: str) -> None:
    with pytest.raises(TemplateError, match="line"):
        parse_json(text)


def test_nesting_has_an_end() -> None:
    with pytest.raises(TemplateError, match="levels"):
        parse("[" + "a(" * 400 + ")" * 400 + "]")
    assert isinstance(value("[" + "string(" * 55 + "1" + ")" * 55 + "]"), str)
