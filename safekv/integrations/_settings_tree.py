"""A module of settings, and where in it secrets go: named ones, and those that references in it ask for."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from safekv.config._names import secret_name, secret_prefix
from safekv.config._plan import Wanted
from safekv.config._references import Reference, Vaults, is_reference, parse
from safekv.errors import InvalidArgument

Place = tuple[Any, Any]


class Settings:
    """What is wanted, and for each of it the container and the key that it is put at.

    :raises InvalidArgument: naming everything that is no setting, no secret's name or no reference.
    """

    def __init__(self, settings: Any, names: Any, prefix: str, vaults: Vaults) -> None:
        if not isinstance(settings, MutableMapping) or not isinstance(names, Mapping):
            raise InvalidArgument("load_settings takes globals() and a dict.", hint=_EXAMPLE)
        self.wanted: list[Wanted] = []
        self._vaults = vaults
        self._places: dict[str, Place] = {}
        self._problems: list[str] = []
        start = secret_prefix(prefix)
        for path, secret in names.items():
            self._named(settings, path, secret, start)
        for name, value in settings.items():
            if name.isupper():
                self._walk(settings, name, value, name)
        if self._problems:
            raise InvalidArgument("\n".join(self._problems), hint=_EXAMPLE)

    def fill(self, values: Mapping[str, str]) -> None:
        """Put the values where they belong."""
        for path, value in values.items():
            container, key = self._places[path]
            container[key] = value

    def _named(self, settings: Any, path: Any, secret: Any, prefix: str) -> None:
        if not isinstance(path, str) or not path.partition(".")[0].isupper():
            self._problems.append(f"{path!r} is not a setting: Django's are in upper case.")
            return
        container, keys = settings, path.split(".")
        for depth, key in enumerate(keys[:-1]):
            container = container.get(key)
            if not isinstance(container, MutableMapping):
                self._problems.append(f"{path}: {'.'.join(keys[: depth + 1])} is not a dict in these settings.")
                return
        try:
            if is_reference(secret):
                self._want(path, parse(secret, self._vaults), container, keys[-1])
            else:
                self._want(path, Reference(None, secret_name(secret, prefix)), container, keys[-1])
        except InvalidArgument as problem:
            self._problems.append(f"{path}: {problem.message}")

    def _walk(self, container: Any, key: Any, value: Any, path: str) -> None:
        if path in self._places:
            return
        if isinstance(value, str) and is_reference(value):
            try:
                self._want(path, parse(value, self._vaults), container, key)
            except InvalidArgument as problem:
                self._problems.append(f"{path}: {problem.message}")
        elif isinstance(value, MutableMapping):
            for inner, each in list(value.items()):
                self._walk(value, inner, each, f"{path}.{inner}")
        elif isinstance(value, list):
            for number, each in enumerate(value):
                self._walk(value, number, each, f"{path}[{number}]")
        elif isinstance(value, tuple) and any(isinstance(each, str) and is_reference(each) for each in value):
            self._problems.append(f"{path} is a tuple, in which nothing can be replaced. Make it a list.")

    def _want(self, path: str, reference: Reference, container: Any, key: Any) -> None:
        self._places[path] = container, key
        self.wanted.append(Wanted(path, reference))


_EXAMPLE = "load_settings(globals(), {'SECRET_KEY': 'django-secret-key', 'DATABASES.default.PASSWORD': 'db-password'})"
