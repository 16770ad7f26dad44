"""The functions of the template language that look at more than their arguments: at the template, and where it goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from safekv.access._expressions import Call, Expression, Literal
from safekv.access._functions import CannotCompute
from safekv.access._place import Local
from safekv.access._values import Unresolved, first_unresolved, is_unresolved, is_whole_number

if TYPE_CHECKING:
    from safekv.access._evaluation import Scope

_Arguments = tuple[Expression, ...]


def _parameters(scope: Scope, arguments: _Arguments, local: Local, text: str) -> Any:
    name = _name(scope, arguments, local, text)
    if local.arguments is None:
        return scope.parameter(name)
    if name.lower() not in local.arguments:
        raise CannotCompute("the function has no such parameter")
    return local.arguments[name.lower()]


def _variables(scope: Scope, arguments: _Arguments, local: Local, text: str) -> Any:
    return scope.variable(_name(scope, arguments, local, text))


def _name(scope: Scope, arguments: _Arguments, local: Local, text: str) -> str:
    (argument,) = arguments
    found = scope.computed(argument, local, text)
    if not isinstance(found, str):
        raise CannotCompute("a name is needed")
    return found


def _copy_index(scope: Scope, arguments: _Arguments, local: Local, text: str) -> int:
    values = [scope.computed(argument, local, text) for argument in arguments]
    name = values.pop(0).lower() if values and isinstance(values[0], str) else None
    (offset,) = values or [0]
    if name is None:
        name = local.resource or next(reversed(list(local.copies)), "")
    if name not in local.copies or not is_whole_number(offset):
        raise CannotCompute("there is no such loop around it")
    return local.copies[name] + offset


def _if(scope: Scope, arguments: _Arguments, local: Local, text: str) -> Any:
    condition, yes, no = arguments
    found = scope.computed(condition, local, text)
    if is_unresolved(found):
        return Unresolved(text, found.reason)
    if not isinstance(found, bool):
        raise CannotCompute("if needs a condition")
    return scope.computed(yes if found else no, local, text)


def _and_or(stops_at: bool) -> Callable[[Scope, _Arguments, Local, str], Any]:
    def of(scope: Scope, arguments: _Arguments, local: Local, text: str) -> Any:
        values = [scope.computed(argument, local, text) for argument in arguments]
        if any(value is stops_at for value in values):
            return stops_at
        unknown = first_unresolved(values)
        return Unresolved(text, unknown.reason) if unknown else not stops_at

    return of


def _coalesce(scope: Scope, arguments: _Arguments, local: Local, text: str) -> Any:
    for argument in arguments:
        found = scope.computed(argument, local, text)
        if found is not None:
            return found
    return None


def _subscription(scope: Scope, arguments: _Arguments, local: Local, text: str) -> dict[str, Any]:
    here = scope.place.subscription
    return {
        "id": f"/subscriptions/{here}" if here else _not_said(text),
        "subscriptionId": here or _not_said(text),
        "tenantId": scope.place.tenant or _not_said(text),
        "displayName": _not_said(text),
    }


def _resource_group(scope: Scope, arguments: _Arguments, local: Local, text: str) -> dict[str, Any]:
    here, group = scope.place.subscription, scope.place.group
    known = here and group
    return {
        "id": f"/subscriptions/{here}/resourceGroups/{group}" if known else _not_said(text),
        "name": group or _not_said(text),
        "location": _not_said(text),
        "tags": _not_said(text),
    }


def _tenant(scope: Scope, arguments: _Arguments, local: Local, text: str) -> dict[str, Any]:
    return {"tenantId": scope.place.tenant or _not_said(text), "id": _not_said(text), "displayName": _not_said(text)}


def _not_said(text: str) -> Unresolved:
    return Unresolved(text, "it is known only during the deployment")


def _resource_id(scope: Scope, arguments: _Arguments, local: Local, text: str) -> Any:
    values = [scope.computed(argument, local, text) for argument in arguments]
    unknown = first_unresolved(values)
    if unknown:
        return Unresolved(text, unknown.reason)
    at = next((index for index, value in enumerate(values) if isinstance(value, str) and "/" in value), None)
    if at is None or not all(isinstance(value, str) for value in values):
        raise CannotCompute("resourceId needs the type of a resource")
    provider, *types = values[at].split("/")
    names = values[at + 1 :]
    if len(types) != len(names) or at > 2:
        raise CannotCompute("resourceId needs one name for each part of the type")
    group = values[at - 1] if at else scope.place.group
    subscription = values[0] if at == 2 else scope.place.subscription
    if not group or not subscription:
        return _not_said(text)
    tail = "".join(f"/{kind}/{name}" for kind, name in zip(types, names, strict=True))
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{provider}{tail}"


def _map(scope: Scope, arguments: _Arguments, local: Local, text: str) -> Any:
    return _each(scope, arguments, local, text, keep=None)


def _filter(scope: Scope, arguments: _Arguments, local: Local, text: str) -> Any:
    return _each(scope, arguments, local, text, keep=True)


def _each(scope: Scope, arguments: _Arguments, local: Local, text: str, *, keep: bool | None) -> Any:
    """What a lambda makes of the items of a list; with ``keep``, the items for which it says so."""
    values, function = arguments
    found = scope.computed(values, local, text)
    if not isinstance(function, Call) or function.name != "lambda" or not function.arguments:
        raise CannotCompute("a lambda is needed")
    if is_unresolved(found):
        return Unresolved(text, found.reason)
    if not isinstance(found, list):
        raise CannotCompute("a list is needed")
    *names, body = function.arguments
    result = []
    for index, item in enumerate(found):
        if is_unresolved(item):
            result.append(item)
            continue
        known = dict(zip((_literal(name) for name in names), (item, index), strict=False))
        made = scope.computed(body, replace(local, variables={**local.variables, **known}), text)
        if keep is None or is_unresolved(made):
            result.append(made)
        elif made is True:
            result.append(item)
    return result


def _literal(it: Expression) -> str:
    if not isinstance(it, Literal) or not isinstance(it.value, str):
        raise CannotCompute("a lambda's variable needs a name")
    return it.value.lower()


def _lambda_variables(scope: Scope, arguments: _Arguments, local: Local, text: str) -> Any:
    name = _name(scope, arguments, local, text).lower()
    if name not in local.variables:
        raise CannotCompute("there is no such variable")
    return local.variables[name]


LOOKING: dict[str, Callable[[Scope, _Arguments, Local, str], Any]] = {
    "and": _and_or(False),
    "coalesce": _coalesce,
    "copyindex": _copy_index,
    "filter": _filter,
    "if": _if,
    "lambdavariables": _lambda_variables,
    "map": _map,
    "or": _and_or(True),
    "parameters": _parameters,
    "resourcegroup": _resource_group,
    "resourceid": _resource_id,
    "subscription": _subscription,
    "tenant": _tenant,
    "variables": _variables,
}
