"""Values of a template, as far as they can be known before it is deployed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from safekv.access import _expressions
from safekv.access._expressions import Call, Expression, Literal, Member, is_expression, plain
from safekv.access._functions import LONGEST_LIST, LONGEST_TEXT, PASSING, STRICT, UNKNOWABLE, CannotCompute
from safekv.access._json import member, name_in
from safekv.access._looking import LOOKING
from safekv.access._place import OUTSIDE, Budget, Local, Place
from safekv.access._values import Unresolved, first_unresolved, is_unresolved, is_whole_number

#: Azure's limit of a loop.
MOST_COPIES = 800
#: Variables, parameters and values within one another.
DEEPEST = 60


class Scope:
    """One template with its parameters: what its expressions refer to.

    :param given: values of parameters; all other ones have their default, if they have one.
    """

    def __init__(
        self, root: dict[str, Any], given: Mapping[str, Any], place: Place, budget: Budget | None = None
    ) -> None:
        self.root = root
        self.place = place
        self.budget = budget or Budget()
        self._given = {name.lower(): value for name, value in given.items()}
        self._known: dict[tuple[str, str], Any] = {}
        self._under_way: set[tuple[str, str]] = set()
        self._depth = 0

    def value(self, raw: Any, local: Local = OUTSIDE) -> Any:
        """What a value of the template comes to; parts of it may be ``Unresolved``."""
        self.budget.charge(1)
        if isinstance(raw, str):
            return self._of_text(raw, local)
        if not isinstance(raw, (dict, list)):
            return raw
        if self._depth >= DEEPEST:
            return Unresolved("(a value)", f"more than {DEEPEST} levels")
        self._depth += 1
        try:
            if isinstance(raw, list):
                return [self.value(item, local) for item in raw]
            return self._of_object(raw, local)
        finally:
            self._depth -= 1

    def member(self, raw: Any, name: str, local: Local = OUTSIDE) -> Any:
        """What a member of an object comes to, without computing the others; None if there is none."""
        if not isinstance(raw, dict):
            return member(self.value(raw, local), name)
        found = name_in(raw, name)
        if found is not None:
            return self.value(raw[found], local)
        loop = loop_of(raw, name)
        return self._of_loop(loop, local) if loop is not None else None

    def has(self, raw: Any, name: str) -> bool:
        """Whether an object has a member, given or made by a loop."""
        return isinstance(raw, dict) and (name_in(raw, name) is not None or loop_of(raw, name) is not None)

    def _of_text(self, text: str, local: Local) -> Any:
        if not is_expression(text):
            return plain(text)
        found = self.computed(_expressions.parse(text), local, text)
        self._check_size(found)
        return found

    def _of_object(self, raw: dict[str, Any], local: Local) -> dict[str, Any]:
        found = {}
        loops = loops_of(raw)
        for name, item in raw.items():
            if loops and name.lower() == "copy":
                continue
            key = self._of_text(name, local) if is_expression(name) else name
            found[key if isinstance(key, str) else name] = self.value(item, local)
        for loop in loops:
            found[str(member(loop, "name"))] = self._of_loop(loop, local)
        return found

    def _of_loop(self, loop: dict[str, Any], local: Local) -> Any:
        name = str(member(loop, "name"))
        number = self.count(loop, local)
        if isinstance(number, Unresolved):
            return number
        return [self.value(member(loop, "input"), local.inside(name, index)) for index in range(number)]

    def count(self, loop: dict[str, Any], local: Local) -> int | Unresolved:
        """How often a loop goes round."""
        number = self.value(member(loop, "count"), local)
        if is_whole_number(number) and 0 <= number <= MOST_COPIES:
            return number
        known = first_unresolved(number)
        return known or Unresolved(f"copy {member(loop, 'name')!s:.60}", f"its count is no number up to {MOST_COPIES}")

    def computed(self, it: Expression, local: Local, text: str) -> Any:
        self.budget.charge(1)
        if isinstance(it, Literal):
            return it.value
        if self._depth >= DEEPEST:
            return Unresolved(text, f"more than {DEEPEST} levels")
        self._depth += 1
        try:
            found = self._member(it, local, text) if isinstance(it, Member) else self._call(it, local, text)
            self._check_size(found)
        except CannotCompute as problem:
            return Unresolved(text, str(problem))
        except (TypeError, ValueError):  # a function with too few or too many arguments
            return Unresolved(text, "a function has the wrong number of arguments")
        finally:
            self._depth -= 1
        return found

    def _member(self, it: Member, local: Local, text: str) -> Any:
        of, key = self.computed(it.of, local, text), self.computed(it.key, local, text)
        unknown = of if is_unresolved(of) else key if is_unresolved(key) else None
        if unknown is not None:
            return Unresolved(text, unknown.reason)
        if isinstance(of, list) and is_whole_number(key):
            return self._item(of, key, it.safe, text)
        if isinstance(of, dict) and isinstance(key, str):
            spelling = name_in(of, key)
            if spelling is not None:
                return of[spelling]
        if it.safe:
            return None
        raise CannotCompute("it has no such member")

    def _item(self, of: list[Any], index: int, safe: bool, text: str) -> Any:
        unknown = next((item for item in of[: index + 1] if is_unresolved(item)), None)
        if unknown is not None:  # it may stand for any number of items
            return Unresolved(text, unknown.reason)
        if 0 <= index < len(of):
            return of[index]
        if safe:
            return None
        raise CannotCompute("the list has no such item")

    def _call(self, it: Call, local: Local, text: str) -> Any:
        special = LOOKING.get(it.name)
        if special is not None:
            return special(self, it.arguments, local, text)
        if it.name in UNKNOWABLE or it.name.startswith("list"):
            return Unresolved(text, UNKNOWABLE.get(it.name, UNKNOWABLE["reference"]))
        if "." in it.name:
            return self._own_function(it, local, text)
        values = [self.computed(argument, local, text) for argument in it.arguments]
        if it.name in PASSING:
            return PASSING[it.name](*values)
        if it.name not in STRICT:
            raise CannotCompute(f"the function {it.name} is not known here")
        unknown = first_unresolved(values)
        return Unresolved(text, unknown.reason) if unknown else STRICT[it.name](*values)

    def _own_function(self, it: Call, local: Local, text: str) -> Any:
        namespace, _, name = it.name.partition(".")
        groups = member(self.root, "functions", [])
        for group in groups if isinstance(groups, list) else []:
            if str(member(group, "namespace")).lower() == namespace:
                function = member(member(group, "members"), name)
                if isinstance(function, dict):
                    names = [str(member(each, "name")).lower() for each in member(function, "parameters") or []]
                    values = [self.computed(argument, local, text) for argument in it.arguments]
                    arguments = dict(zip(names, values, strict=False))
                    return self.value(member(member(function, "output"), "value"), Local(arguments=arguments))
        raise CannotCompute(f"the template has no function {it.name}")

    def parameter(self, name: str) -> Any:
        """The value of a parameter: the given one, or its default."""
        declared = member(member(self.root, "parameters"), name)
        text = f"[parameters('{name}')]"
        if name.lower() in self._given:
            given = self._given[name.lower()]
            if given is None and name_in(declared, "defaultValue") is not None:
                return Unresolved(text, "null is given for it, and it has a default: leave it out, or give a value")
            return given
        if declared is None:
            return Unresolved(text, "the template has no such parameter")
        if name_in(declared, "defaultValue") is None:
            if member(declared, "nullable") is True:
                return None
            return Unresolved(text, "no value is given for it, and it has no default")
        return self._once(("parameter", name.lower()), lambda: self.value(member(declared, "defaultValue")), text)

    def variable(self, name: str) -> Any:
        text = f"[variables('{name}')]"
        variables = member(self.root, "variables")
        if not self.has(variables, name):
            return Unresolved(text, "the template has no such variable")
        return self._once(("variable", name.lower()), lambda: self.member(variables, name), text)

    def _once(self, key: tuple[str, str], compute: Callable[[], Any], text: str) -> Any:
        if key in self._under_way:
            return Unresolved(text, "it refers to itself")
        if key not in self._known:
            self._under_way.add(key)
            try:
                self._known[key] = compute()
            finally:
                self._under_way.discard(key)
        return self._known[key]

    def _check_size(self, found: Any) -> None:
        """Charge for a value, and refuse one that grows without bounds."""
        if isinstance(found, str):
            if len(found) > LONGEST_TEXT:
                raise CannotCompute(f"the text has more than {LONGEST_TEXT:,} characters")
        elif isinstance(found, (list, dict)):
            waiting, number = [found], 0
            while waiting:
                here = waiting.pop()
                parts = list(here.values()) if isinstance(here, dict) else here
                number += len(parts)
                if number > LONGEST_LIST:
                    raise CannotCompute(f"it has more than {LONGEST_LIST:,} parts")
                waiting.extend(part for part in parts if isinstance(part, (list, dict)))
            self.budget.charge(number)


def loops_of(raw: dict[str, Any]) -> list[dict[str, Any]]:
    """The loops that make members of an object."""
    found = member(raw, "copy")
    if not isinstance(found, list) or not all(isinstance(each, dict) and member(each, "name") for each in found):
        return []
    return list(found)


def loop_of(raw: dict[str, Any], name: str) -> dict[str, Any] | None:
    """The loop that makes this member."""
    return next((each for each in loops_of(raw) if str(member(each, "name")).lower() == name.lower()), None)
