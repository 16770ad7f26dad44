"""What to read from which vault, and what to say of it afterwards. The drivers of both colours share this.

A plan is a list of keys, each of which wants a secret. What two keys want is read once; what is read of one vault
is one ``get_many``, whose names here are slots: a slot is a secret in a version, or in whichever is current.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from safekv._identifiers import object_name
from safekv.config._names import secret_name, secret_prefix, unambiguous, variable
from safekv.config._references import Reference, Vaults, is_reference, parse
from safekv.errors import InvalidArgument, LoadError, SecretNotFound

#: Stands for "no value"; None can be a value.
ABSENT: Any = type("Absent", (), {"__repr__": lambda _: "ABSENT", "__slots__": ()})()
_MOST_VAULTS = 8


@dataclass(frozen=True, slots=True)
class Wanted:
    """A key and its secret. ``default``: what it is if there is no such secret; ``said``: how messages name it."""

    key: str
    reference: Reference
    optional: bool = False
    default: Any = field(default=ABSENT, repr=False)
    said: str = ""


class Part:
    """What is read of one vault."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.slots: dict[str, tuple[str, str | None]] = {}
        self.needed: set[str] = set()
        self.found: dict[str, Any] = {}
        self.failures: Mapping[str, BaseException] = {}
        self._by_secret: dict[tuple[str, str | None], str] = {}

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    def slot(self, reference: Reference, needed: bool) -> str:
        """The slot of a secret, the same for all that want it."""
        secret = (reference.name.lower(), reference.version)
        slot = self._by_secret.setdefault(secret, f"s{len(self._by_secret)}")
        self.slots.setdefault(slot, (reference.name, reference.version))
        if needed:
            self.needed.add(slot)
        return slot

    def optional(self) -> list[str]:
        return [slot for slot in self.slots if slot not in self.needed]


class Plan:
    """All that is wanted, by vault."""

    def __init__(self, wanted: Iterable[Wanted], default_url: str | None) -> None:
        self._slots: list[tuple[Wanted, Part, str]] = []
        self._parts: dict[str, Part] = {}
        for each in wanted:
            url = each.reference.vault or default_url
            if url is None:
                raise no_vault()
            part = self._parts.setdefault(url, Part(url))
            self._slots.append((each, part, part.slot(each.reference, needed=not each.optional)))

    @property
    def parts(self) -> list[Part]:
        return list(self._parts.values())

    @property
    def workers(self) -> int:
        return min(len(self._parts), _MOST_VAULTS)

    def failures(self) -> dict[str, tuple[BaseException, str]]:
        """The error of each key that has one, and the secret it wanted."""
        return {
            each.key: (part.failures[slot], _said(each, part))
            for each, part, slot in self._slots
            if slot in part.failures
        }

    def states(self) -> dict[str, tuple[str, BaseException | None]]:
        """For each key its secret, and what is wrong with it if anything is."""
        return {each.key: (_said(each, part), part.failures.get(slot)) for each, part, slot in self._slots}

    def values(self) -> dict[str, str]:
        """What was found, with defaults for what was not, by key."""
        values = {}
        for each, part, slot in self._slots:
            secret = part.found.get(slot)
            value = each.default if secret is None else secret.value
            if value is not ABSENT:
                values[each.key] = value
        return values

    def origins(self) -> dict[str, Reference]:
        """The secret and version of each value."""
        return {
            each.key: Reference(part.url, secret.name or each.reference.name, secret.properties.version)
            for each, part, slot in self._slots
            if (secret := part.found.get(slot)) is not None
        }

    def check(self) -> None:
        """:raises LoadError: naming every key that has no value, its secret, and what to do."""
        failures = self.failures()
        if failures:
            hosts = ", ".join(part.host for part in self.parts if part.failures)
            raise load_error(hosts, failures)


def load_error(hosts: str, failures: Mapping[str, tuple[BaseException, str]]) -> LoadError:
    """The error for what is wrong with several keys, each with the secret that it wanted."""
    from safekv.secrets._kept import is_transient

    errors = {key: error for key, (error, _) in failures.items()}
    said = {key: secret for key, (_, secret) in failures.items()}
    return LoadError.of(hosts, errors, transient=all(map(is_transient, errors.values())), said=said)


def missing(name: str) -> SecretNotFound:
    """The error for a secret that a list did not have, or that is not among local sources."""
    return SecretNotFound(f"There is no secret {name}.", hint="Create it, or make it optional.")


def no_vault() -> InvalidArgument:
    return InvalidArgument(
        "No vault is given.",
        hint="Pass vault='https://my-vault.vault.azure.net', set AZURE_KEY_VAULT_URL, or write kv://my-vault/name.",
    )


def _said(each: Wanted, part: Part) -> str:
    reference = each.reference
    secret = f"{reference.name}/{reference.version}" if reference.version else reference.name
    return each.said or f"{secret} of {part.host}"


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
    return list(dict.fromkeys(given))


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
