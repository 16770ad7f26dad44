"""Values that are references, wherever they are in a tree of dicts and lists; and variables of an environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

from safekv.config._names import variable
from safekv.config._plan import Plan, Wanted, load_error
from safekv.config._references import Vaults, is_reference, parse
from safekv.config._request import Request, once
from safekv.config._values import Config, sealed
from safekv.errors import InvalidArgument, MalformedSecret

Path = tuple[Any, ...]


class Resolution:
    """The references in a tree, and the tree with their values.

    :ivar problems: those that are written wrongly, or name a host that is not Key Vault's; by key.
    """

    def __init__(self, tree: Mapping[str, Any], vaults: Vaults, where: Callable[[str], str] = str) -> None:
        if not isinstance(tree, Mapping):
            raise InvalidArgument(f"A mapping is needed, not {type(tree).__name__}.", hint="resolve({'A': 'kv://v/a'})")
        self._tree = tree
        self.wanted: list[Wanted] = []
        self.problems: dict[str, InvalidArgument] = {}
        self._keys: dict[Path, str] = {}
        for path, text in _texts(tree, ()):
            if is_reference(text):
                self._add(path, text, vaults, where)

    def _add(self, path: Path, text: str, vaults: Vaults, where: Callable[[str], str]) -> None:
        top, rest = str(path[0]), "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path[1:])
        key = f"{where(top)}{rest}"
        if key in self._keys.values():  # "a.b" and "b" in "a"
            key = f"{key} {path!r}"
        self._keys[path] = key
        try:
            self.wanted.append(Wanted(key, parse(text, vaults)))
        except InvalidArgument as problem:
            self.problems[key] = problem

    def check(self) -> None:
        """:raises InvalidArgument: naming everything that is meant as a reference and is none."""
        if self.problems:
            text = "\n".join(f"{key}: {problem.message}" for key, problem in self.problems.items())
            raise InvalidArgument(text, hint=next(iter(self.problems.values())).hint)

    def failures(self, plan: Plan) -> dict[str, tuple[BaseException, str]]:
        """Whatever is wrong, with references and with their secrets, in their order in the tree."""
        found = {**plan.failures(), **{key: (problem, "not read") for key, problem in self.problems.items()}}
        return {key: found[key] for key in self._keys.values() if key in found}

    def resolved(self, plan: Plan) -> dict[str, Any]:
        """The tree with values in the place of references.

        :raises LoadError: naming everything that could not be read.
        """
        plan.check()
        values = plan.values()
        return {key: self._replaced(value, (key,), values) for key, value in self._tree.items()}

    def config(self, plan: Plan) -> Config:
        """The same, read-only and not shown."""
        return sealed(self.resolved(plan), plan.origins())

    def changed(self, plan: Plan) -> dict[str, str]:
        """Of an environment, what has changed."""
        resolved = self.resolved(plan)
        return {path[0]: resolved[path[0]] for path in self._keys}

    def _replaced(self, value: Any, path: Path, values: Mapping[str, str]) -> Any:
        if path in self._keys:
            return values[self._keys[path]]
        if isinstance(value, Mapping):
            return {key: self._replaced(each, (*path, key), values) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self._replaced(each, (*path, number), values) for number, each in enumerate(value)]
        return value


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _texts(each, (*path, key))
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value):
            yield from _texts(each, (*path, number))


def environ_request(
    names: Any, optional: Any, prefix: Any, tags: Any, override: bool, environ: Mapping[str, str], timeout: float
) -> Request | None:
    """What ``load_environ`` has to read; None if all is there already."""
    if isinstance(optional, Mapping):
        for name, value in optional.items():
            if not isinstance(value, str | None):
                raise InvalidArgument(f"The default of {name} must be a str or None.", hint="An environment has texts.")
    names, optional, as_env = once(names), once(optional), not isinstance(names, Mapping)
    request = Request(names, optional, prefix, tags, None, as_env, timeout)
    if override or names is None:
        return request
    left: Any = [name for name in names if not _is_set(name, environ, as_env)]
    if isinstance(optional, Mapping):
        optional = {name: value for name, value in optional.items() if not _is_set(name, environ, as_env)}
    else:
        optional = [name for name in optional if not _is_set(name, environ, as_env)]
    if isinstance(names, Mapping):
        left = {key: names[key] for key in left}
    return Request(left, optional, prefix, tags, None, as_env, timeout) if left or optional else None


def _is_set(name: Any, environ: Mapping[str, str], as_env: bool) -> bool:
    return isinstance(name, str) and not is_reference(name) and _has(environ, variable(name) if as_env else name)


def put(values: Mapping[str, Any], environ: MutableMapping[str, str], override: bool) -> list[str]:
    """Set variables, all or none; returns the names of those that were set.

    :raises LoadError: naming those whose value no environment can have.
    """
    chosen = {
        name: value for name, value in values.items() if value is not None and (override or not _has(environ, name))
    }
    check_environ(chosen)
    environ.update(chosen)
    return list(chosen)


def check_environ(values: Mapping[str, str], *, of_process: bool = True) -> None:
    """:raises LoadError: naming variables that no environment can have.

    :param of_process: it may become a process's, whose variables are bytes.
    """
    failures: dict[str, tuple[BaseException, str]] = {}
    for name, value in values.items():
        if "=" in name or "\0" in name or not name:
            failures[name] = (InvalidArgument(f"{name!r} cannot be a variable's name."), "its name")
        elif "\0" in value:
            failures[name] = (MalformedSecret("Its value has a NUL, which no variable can have."), "its value")
        elif of_process and not (_encodable(name) and _encodable(value)):
            failures[name] = (_not_in_this_locale(), "its name or value")
    if failures:
        raise load_error("", failures)


def _has(environ: Mapping[str, str], name: str) -> bool:
    try:
        return name in environ
    except UnicodeEncodeError:  # of os.environ, which cannot have such a name
        return False


def _encodable(text: str) -> bool:
    try:
        os.fsencode(text)
    except UnicodeEncodeError:  # which has all of the text in it
        return False
    return True


def _not_in_this_locale() -> MalformedSecret:
    encoding = sys.getfilesystemencoding()
    return MalformedSecret(
        f"It has characters that no variable can have here, where they are in {encoding}.",
        hint=None if encoding == "utf-8" else "Set LC_ALL=C.UTF-8 or PYTHONUTF8=1.",
    )
