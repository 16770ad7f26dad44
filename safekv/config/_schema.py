"""A model as a tree: its fields are secrets, its fields that are models are groups.

Dataclasses, pydantic models and TypedDicts are read here; pydantic is not imported for it.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from safekv.config._convert import Parser, described, parser, without_none
from safekv.config._field import Source, source_in
from safekv.errors import InvalidArgument

SEPARATOR = "--"
_QUALIFIERS = ("Required", "NotRequired", "ReadOnly", "Final")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field that has a secret. ``path``: of fields, ``keyword``: what the model is given it as."""

    path: tuple[str, ...]
    keyword: str
    secret: str
    kind: Any
    parse: Parser
    required: bool
    gives_none: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A model. ``required``, ``gives_none`` are of the field that has it."""

    path: tuple[str, ...]
    keyword: str
    model: Any
    members: tuple[Leaf | Group, ...]
    required: bool = True
    gives_none: bool = False

    def leaves(self, required: bool = True) -> Iterator[tuple[Leaf, bool]]:
        """All leaves, and whether each has to be there: none has in a group that may be absent."""
        for member in self.members:
            if isinstance(member, Group):
                yield from member.leaves(required and member.required)
            else:
                yield member, required and member.required


@dataclass(frozen=True, slots=True)
class _Declared:
    """A field as the model declares it."""

    name: str
    keyword: str
    kind: Any
    source: Source
    has_default: bool
    may_be_left_out: bool = False


def schema(model: Any, path: tuple[str, ...] = (), prefix: str = "") -> Group:
    """The tree of a model.

    :raises InvalidArgument: for what is no model, and naming every field whose type no text can have.
    """
    return Group(path, "", model, tuple(_members(model, path, prefix, ())))


def is_model(kind: Any) -> bool:
    return isinstance(kind, type) and (dataclasses.is_dataclass(kind) or _is_typed_dict(kind) or is_pydantic(kind))


def is_pydantic(kind: Any) -> bool:
    return hasattr(kind, "model_fields") and hasattr(kind, "model_validate")


def _is_typed_dict(kind: Any) -> bool:
    """Also one of typing_extensions, which typing does not know."""
    return isinstance(kind, type) and issubclass(kind, dict) and hasattr(kind, "__required_keys__")


def _members(model: Any, path: tuple[str, ...], prefix: str, above: tuple[Any, ...]) -> list[Leaf | Group]:
    if model in above:
        raise InvalidArgument(f"{model.__name__} has itself as a field.", hint="Configuration is a finite tree.")
    members: list[Leaf | Group] = []
    problems: list[str] = []
    for field in _declared(model):
        kind, allows_none = without_none(field.kind)
        where, secret = (*path, field.name), _secret(field, prefix)
        required = not (field.has_default or allows_none or field.may_be_left_out)
        gives_none = allows_none and not field.has_default and not field.may_be_left_out
        if is_model(kind):
            inner = _members(kind, where, f"{secret}{SEPARATOR}", (*above, model))
            members.append(Group(where, field.keyword, kind, tuple(inner), required, gives_none))
            continue
        lenient = is_pydantic(model) or hasattr(model, "__pydantic_validator__")
        parse = parser(kind, field.source.encoding, lenient=lenient)
        if parse is None:
            problems.append(f"{'.'.join(where)} is {described(kind)}, which no text of a secret can be.")
        else:
            members.append(Leaf(where, field.keyword, secret, kind, parse, required, gives_none))
    if problems:
        raise InvalidArgument(
            "\n".join(problems), hint="str, bool, int, Decimal, datetime, bytes, list[str], … can be."
        )
    return members


def _secret(field: _Declared, prefix: str) -> str:
    named = field.source.secret
    if (named is not None and "://" in named) or (named or "").startswith("@"):
        return str(named)  # a reference says it all
    return f"{prefix}{named or field.name}"


def _declared(model: Any) -> list[_Declared]:
    if is_pydantic(model):
        return [_of_pydantic(name, info) for name, info in model.model_fields.items()]
    if dataclasses.is_dataclass(model):
        hints = _hints(model)
        return [_of_dataclass(field, hints[field.name]) for field in dataclasses.fields(model) if field.init]
    if _is_typed_dict(model):
        return [_of_typeddict(model, name, hint) for name, hint in _hints(model).items()]
    raise InvalidArgument(
        f"{getattr(model, '__name__', type(model).__name__)} is not a model.",
        hint="A dataclass, a pydantic model or a TypedDict is needed.",
    )


def _of_dataclass(field: dataclasses.Field[Any], hint: Any) -> _Declared:
    kind, metadata, _ = _plain(hint)
    has_default = field.default is not MISSING or field.default_factory is not MISSING
    return _Declared(field.name, field.name, kind, source_in(*metadata, field), has_default)


def _of_typeddict(model: Any, name: str, hint: Any) -> _Declared:
    kind, metadata, qualifiers = _plain(hint)
    optional = "NotRequired" in qualifiers or (name not in model.__required_keys__ and "Required" not in qualifiers)
    return _Declared(name, name, kind, source_in(*metadata), False, optional)


def _of_pydantic(name: str, info: Any) -> _Declared:
    kind, metadata, _ = _plain(info.annotation)
    source = source_in(*metadata, *info.metadata, info.json_schema_extra)
    return _Declared(name, _keyword(name, info), kind, source, not info.is_required())


def _keyword(name: str, info: Any) -> str:
    """What pydantic takes the field as."""
    alias = info.validation_alias if info.validation_alias is not None else info.alias
    choices = getattr(alias, "choices", [alias])
    return next((each for each in choices if isinstance(each, str)), name)


def _plain(hint: Any) -> tuple[Any, list[Any], list[str]]:
    """A type without ``Annotated`` and qualifiers, and what those said."""
    metadata: list[Any] = []
    qualifiers: list[str] = []
    while True:
        name = getattr(get_origin(hint), "_name", None)
        if get_origin(hint) is Annotated:
            hint, *said = get_args(hint)
            metadata = [*said, *metadata]
        elif name in _QUALIFIERS or get_origin(hint) is typing.Final:
            qualifiers.append(str(name))
            (hint,) = get_args(hint)
        else:
            return hint, metadata, qualifiers


def _hints(model: Any) -> Mapping[str, Any]:
    try:
        return get_type_hints(model, include_extras=True)
    except NameError as error:
        raise InvalidArgument(
            f"A type in {model.__name__} cannot be found: {error.name}.",
            hint="Define the model and its types at the top of a module.",
        ) from None
