"""From what a call says to the secrets that are wanted: by name, or by what a list has."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from safekv._identifiers import object_name
from safekv.config._names import secret_name, secret_prefix, unambiguous, variable
from safekv.config._plan import ABSENT, Wanted
from safekv.config._references import Reference, Vaults, is_reference, parse
from safekv.errors import InvalidArgument


def wanted_by_name(
    names: Iterable[str] | Mapping[str, str],
    optional: Iterable[str] | Mapping[str, Any],
    prefix: str,
    as_env: bool,
    vaults: Vaults,
) -> list[Wanted]:
    """What ``load(names, optional=...)`` asks for.

    :raises InvalidArgument: naming everything that no secret can be called, and ambiguous names.
    """
    spelled = dict(names) if isinstance(names, Mapping) else {name: name for name in _several("names", names)}
    extra = dict(optional) if isinstance(optional, Mapping) else dict.fromkeys(_several("optional", optional), ABSENT)
    required = {key for key in spelled if key not in extra}
    spelled.update((name, name) for name in extra if name not in spelled)
    found, problems, keys = [], [], []
    for given, secret in spelled.items():
        try:
            reference = parse(secret, vaults) if is_reference(secret) else Reference(None, secret_name(secret, prefix))
            key = _key(given, secret, reference, as_env, isinstance(names, Mapping))
        except InvalidArgument as problem:
            problems.append(problem if given == secret or not isinstance(given, str) else _for_key(given, problem))
            continue
        if not isinstance(names, Mapping):
            keys.append(key)
        found.append(Wanted(key, reference, given not in required, extra.get(given, ABSENT)))
    if problems:
        raise InvalidArgument("\n".join(problem.message for problem in problems), hint=problems[0].hint)
    unambiguous(keys)
    _once(found)
    return found


def _key(given: str, secret: str, reference: Reference, as_env: bool, mapping: bool) -> str:
    """The key of the result. A reference in a list has its secret's name."""
    if mapping and given != secret:
        object_key(given)
        return given
    key = reference.name if is_reference(given) else given
    return variable(key) if as_env else key


def object_key(given: object) -> None:
    """Refuse keys that are no text."""
    if not isinstance(given, str) or not given:
        raise InvalidArgument(f"{given!r} cannot be a key; a str is needed.", hint="{'DATABASE_URL': 'database-url'}")


def _for_key(key: str, problem: InvalidArgument) -> InvalidArgument:
    return InvalidArgument(f"{key}: {problem.message}", hint=problem.hint)


def _once(found: list[Wanted]) -> None:
    seen: set[str] = set()
    for each in found:
        if each.key in seen:
            raise InvalidArgument(
                f"Two secrets would have the key {each.key!r}.",
                hint="Give a mapping of keys to names: {'other-key': 'kv://other-vault/name'}.",
            )
        seen.add(each.key)


def _several(argument: str, given: Any) -> list[str]:
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise InvalidArgument(
            f"{argument} must be several names, not {type(given).__name__}.",
            hint=f"{argument}=['db-password', 'api-key'] is an example.",
        )
    names: list[Any] = [each if isinstance(each, Hashable) else repr(each) for each in given]
    return list(dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class Selection:
    """Which secrets of a list are wanted: those that are enabled, valid now, and have the prefix and the tags."""

    prefix: str
    tags: Mapping[str, str]
    as_env: bool
    defaults: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, prefix: Any, tags: Any, as_env: bool, optional: Any) -> Selection:
        """:raises InvalidArgument: for a prefix that no name has, and for tags that are no dict of str."""
        if tags is not None and not (
            isinstance(tags, Mapping) and all(isinstance(each, str) for pair in tags.items() for each in pair)
        ):
            raise InvalidArgument("tags must be a dict of str to str.", hint="tags={'env': 'prod'}")
        names = optional if isinstance(optional, Mapping) else dict.fromkeys(_several("optional", optional), ABSENT)
        for name in names:
            secret_name(name)
        return cls(secret_prefix("" if prefix is None else prefix), dict(tags or {}), as_env, names)

    def takes(self, properties: Any, now: float) -> bool:
        """Whether a secret of the list is one of them."""
        name = str(properties.name or "").lower()
        if not name.startswith(self.prefix.lower()) or len(name) == len(self.prefix):
            return False
        begins, ends = properties.not_before, properties.expires_on
        if properties.enabled is False or (begins and begins.timestamp() > now) or (ends and ends.timestamp() <= now):
            return False
        has = properties.tags or {}
        return all(has.get(tag) == value for tag, value in self.tags.items())

    def wanted(self, names: Iterable[str]) -> list[Wanted]:
        """Those of the list, which may be gone when they are read; then what has a default and is not in it."""
        found = []
        left = {secret_name(name).lower(): (name, value) for name, value in self.defaults.items()}
        for name in sorted({name.lower() for name in names}):
            short = name[len(self.prefix) :]
            key, default = left.pop(short, (short, ABSENT))
            found.append(self._wanted(key, name, default))
        unlisted = [(key, short, value) for short, (key, value) in left.items() if value is not ABSENT]
        return [*found, *(self._wanted(key, f"{self.prefix}{short}", value) for key, short, value in unlisted)]

    def _wanted(self, key: str, name: str, default: Any) -> Wanted:
        return Wanted(variable(key) if self.as_env else key, Reference(None, object_name(name)), True, default)

    def said(self) -> str:
        """What was asked for, for a message."""
        tags = ", ".join(f"{tag}={value}" for tag, value in self.tags.items())
        return f"{self.prefix}*{f' with {tags}' if tags else ''}"
