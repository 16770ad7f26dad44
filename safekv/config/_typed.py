"""From texts to a model, and from what is wrong with them to one error. ``load_as`` of both colours shares this."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from safekv.config._convert import parse
from safekv.config._names import secret_name
from safekv.config._plan import Plan, Wanted, load_error, missing
from safekv.config._references import Reference, Vaults, is_reference
from safekv.config._references import parse as parse_reference
from safekv.config._schema import Group, Leaf, is_pydantic, schema
from safekv.errors import InvalidArgument, MalformedSecret

T = TypeVar("T")
_NOTHING: Any = object()


class Model(Generic[T]):
    """What a model asks for, and its instance.

    :raises InvalidArgument: for a model with fields that no text can have.
    """

    def __init__(self, model: type[T], prefix: str) -> None:
        self._tree = schema(model, prefix=prefix)

    def wanted(self, vaults: Vaults) -> list[Wanted]:
        """All its secrets.

        :raises InvalidArgument: naming every field whose secret cannot exist.
        """
        found, problems = [], []
        for leaf, required in self._tree.leaves():
            try:
                found.append(Wanted(".".join(leaf.path), _reference(leaf.secret, vaults), not required))
            except InvalidArgument as problem:  # noqa: PERF203  (all of them are told)
                problems.append(InvalidArgument(f"{'.'.join(leaf.path)}: {problem.message}", hint=problem.hint))
        if problems:
            raise InvalidArgument("\n".join(problem.message for problem in problems), hint=problems[0].hint)
        return found

    def made(self, plan: Plan) -> T:
        """The instance.

        :raises LoadError: naming every field that is missing, forbidden, disabled or malformed.
        """
        return self._built(plan, instances=True)  # type: ignore[no-any-return]  # the model's

    def given(self, plan: Plan) -> dict[str, Any]:
        """What the model is to be given, of what there is.

        :raises LoadError: as :meth:`made`, but for what is missing.
        """
        return self._built(plan, instances=False)  # type: ignore[no-any-return]  # the model's

    def keywords(self, key: str) -> list[tuple[str, str]]:
        """For each field on the way to a key, what it may be given as."""
        tree: Any = self._tree
        found = []
        for name in key.split("."):
            tree = next(each for each in tree.members if each.path[-1] == name)
            found.append((tree.keyword, name))
        return found

    def _built(self, plan: Plan, instances: bool) -> Any:
        said = {key: said for key, (said, _) in plan.states().items()}
        building = _Building(plan.values(), dict(plan.failures()), said, instances)
        made = building.group(self._tree)
        if building.failures:
            raise load_error(plan.hosts, building.failures)
        return made


class _Building:
    """One instance in the making; ``failures`` has what is wrong, by field."""

    def __init__(
        self,
        texts: Mapping[str, str],
        failures: dict[str, tuple[BaseException, str]],
        said: Mapping[str, str],
        instances: bool,
    ) -> None:
        self._texts, self.failures, self._said, self._instances = texts, failures, said, instances

    def group(self, group: Group) -> Any:
        """An instance of the group's model; nothing if something is wrong with it."""
        before = len(self.failures)
        given = {}
        for member in group.members:
            value = self._member(member)
            if value is not _NOTHING:
                given[member.keyword] = value
        if len(self.failures) > before or self._failed(group):
            return _NOTHING
        return self._instance(group, given) if self._instances else given

    def _member(self, member: Leaf | Group) -> Any:
        if isinstance(member, Group):
            if not (member.required and self._instances) and not self._any(member):
                return None if member.gives_none and self._instances else _NOTHING
            return self.group(member)
        key = ".".join(member.path)
        if key in self._texts:
            return self._parsed(key, member)
        if not self._instances:
            return _NOTHING
        if member.required and key not in self.failures:
            self._fail(key, missing(member.secret))
        return None if member.gives_none else _NOTHING

    def _parsed(self, key: str, leaf: Leaf) -> Any:
        try:
            return parse(leaf.parse, self._texts[key], leaf.kind)
        except MalformedSecret as error:
            self._fail(key, error)
            return _NOTHING

    def _instance(self, group: Group, given: dict[str, Any]) -> Any:
        try:
            return group.model.model_validate(given) if is_pydantic(group.model) else group.model(**given)
        except Exception as error:  # whatever it is: its text may have values in it
            problems = _by_field(error)
        for keyword, problem in problems.items():
            member = next((each for each in group.members if each.keyword == keyword), group)
            name = ".".join(member.path) or group.model.__name__
            self._fail(name, MalformedSecret(f"{group.model.__name__} does not take its value ({problem})."))
        return _NOTHING

    def _any(self, group: Group) -> bool:
        """Whether there is anything of a group that may be absent, good or bad."""
        keys = {".".join(leaf.path) for leaf, _ in group.leaves()}
        return any(key in self._texts or key in self.failures for key in keys)

    def _failed(self, group: Group) -> bool:
        return any(".".join(leaf.path) in self.failures for leaf, _ in group.leaves())

    def _fail(self, key: str, error: BaseException) -> None:
        self.failures[key] = (error, self._said.get(key, "all of it"))


def _by_field(error: Exception) -> dict[str, str]:
    """What a model says is wrong, by keyword: its kind alone, for the rest may quote the value."""
    if type(error).__name__ == "ValidationError" and hasattr(error, "errors"):
        said = error.errors(include_url=False, include_context=False, include_input=False)
        return {str(each["loc"][0]) if each["loc"] else "": str(each["type"]) for each in reversed(said)}
    return {"": type(error).__name__}


def _reference(secret: str, vaults: Vaults) -> Reference:
    return parse_reference(secret, vaults) if is_reference(secret) else Reference(None, secret_name(secret))
