"""What to read from which vault, and what to say of it afterwards. The drivers of both colours share this.

A plan is a list of keys, each of which wants a secret. What two keys want is read once; what is read of one vault
is one ``get_many``, whose names here are slots: a slot is a secret in a version, or in whichever is current.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from safekv.config._references import Reference, Vaults, is_reference, parse
from safekv.config._sources import Sources
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

    def leave_out(self) -> Wanted:
        """The same, to be left out if there is no such secret."""
        return replace(self, optional=True)


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
    """All that is wanted: what local sources have, and what is to be read, by vault.

    :raises InvalidArgument: for a reference in a source that is none, and if a vault is needed and none is given.
    """

    def __init__(self, wanted: Iterable[Wanted], vaults: Vaults, sources: Sources) -> None:
        self._all: list[Wanted] = []
        self._slots: dict[str, tuple[Part, str]] = {}
        self._texts: dict[str, str] = {}
        self._unread: dict[str, BaseException] = {}
        self._restored: dict[str, str | None] = {}
        self._parts: dict[str, Part] = {}
        self._default = vaults.default
        for each in wanted:
            self._add(each, vaults, sources)

    def _add(self, each: Wanted, vaults: Vaults, sources: Sources) -> None:
        text = sources.before(each)
        if text is not None and not is_reference(text):
            self._texts[each.key] = text
        elif text is not None:
            each = replace(each, reference=parse(text, vaults))
        later = sources.after(each) if sources.vault and text is None else None
        if later is not None:
            each = replace(each, optional=True, default=later)
        self._all.append(each)
        if each.key in self._texts:
            return
        if not sources.vault:
            self._unread[each.key] = sources.missing(each.reference.name)
            return
        url = each.reference.vault or vaults.default
        if url is None:
            raise no_vault()
        part = self._parts.setdefault(url, Part(url))
        self._slots[each.key] = part, part.slot(each.reference, needed=not each.optional)

    @property
    def parts(self) -> list[Part]:
        return list(self._parts.values())

    @property
    def size(self) -> int:
        """How many secrets vaults are asked for."""
        return sum(len(part.slots) for part in self._parts.values())

    @property
    def workers(self) -> int:
        return min(len(self._parts), _MOST_VAULTS)

    @property
    def hosts(self) -> str:
        """The vaults, for messages."""
        return ", ".join(part.host for part in self.parts)

    def failures(self) -> dict[str, tuple[BaseException, str]]:
        """The error of each key that has one, and the secret it wanted."""
        return {key: (error, said) for key, (said, error) in self.states().items() if error is not None}

    def states(self) -> dict[str, tuple[str, BaseException | None]]:
        """For each key its secret, and what is wrong with it if anything is."""
        return {each.key: (self._said(each), self._error(each)) for each in self._all}

    def values(self) -> dict[str, str]:
        """What was found, with defaults for what was not, by key."""
        found = ((each.key, self._value(each)) for each in self._all)
        return {key: value for key, value in found if value is not ABSENT}

    def origins(self) -> dict[str, Reference]:
        """The secret and version of each value that a vault has given."""
        return {
            each.key: Reference(part.url, secret.name or each.reference.name, secret.properties.version)
            for each in self._all
            if each.key in self._slots
            for part, slot in [self._slots[each.key]]
            if (secret := part.found.get(slot)) is not None
        }

    def check(self) -> None:
        """:raises LoadError: naming every key that has no value, its secret, and what to do."""
        failures = self.failures()
        if failures:
            hosts = ", ".join(part.host for part in self.parts if part.failures)
            raise load_error(hosts, failures)

    # What a snapshot keeps and gives back

    def complete(self) -> bool:
        """Whether all was read."""
        return not self.failures() and not self._unread and not self._restored

    def unreachable(self) -> bool:
        """Whether something could not be read, and nothing was refused."""
        from safekv.secrets._kept import is_transient

        errors = [error for part in self.parts for error in part.failures.values()]
        return bool(errors or self._unread) and all(map(is_transient, errors))

    def read(self) -> dict[str, str | None]:
        """The value of each secret that a vault was asked for; None if it had none."""
        values: dict[str, str | None] = {}
        for each in self._all:
            if each.key in self._slots:
                part, slot = self._slots[each.key]
                secret = part.found.get(slot)
                values[self._address(each)] = None if secret is None else secret.value
        return values

    def restore(self, kept: Mapping[str, str | None]) -> None:
        """Let what was read before stand in for what could not be read."""
        for each in self._all:
            if self._error(each) is not None or each.key in self._unread:
                text = kept.get(self._address(each), ABSENT)
                if text is not ABSENT and (text is not None or each.optional):
                    self._restored[each.key] = text

    def gone(self) -> dict[str, bool]:
        """Addresses of secrets that a vault did not give, for good; and of each, whether it was refused.

        False: there is none, and there need not be one.
        """
        from safekv.secrets._kept import is_transient

        found: dict[str, bool] = {}
        for each in self._all:
            part, slot = self._slots.get(each.key, (None, ""))
            if part is not None and slot not in part.found:
                error = part.failures.get(slot)
                if error is None or not is_transient(error):
                    found[self._address(each)] = error is not None
        return found

    def _address(self, each: Wanted) -> str:
        reference = each.reference
        return f"{reference.vault or self._default}/secrets/{reference.name.lower()}/{reference.version or ''}"

    def _value(self, each: Wanted) -> Any:
        if each.key in self._texts:
            return self._texts[each.key]
        if each.key in self._restored:
            text = self._restored[each.key]
            return each.default if text is None else text
        part, slot = self._slots.get(each.key, (None, ""))
        secret = part.found.get(slot) if part is not None else None
        return each.default if secret is None else secret.value

    def _error(self, each: Wanted) -> BaseException | None:
        if each.key in self._restored:
            return None
        if each.key in self._unread:
            return None if each.optional else self._unread[each.key]
        part, slot = self._slots.get(each.key, (None, ""))
        return part.failures.get(slot) if part is not None else None

    def _said(self, each: Wanted) -> str:
        if each.said:
            return each.said
        reference, part = each.reference, self._slots.get(each.key, (None, ""))[0]
        secret = f"{reference.name}/{reference.version}" if reference.version else reference.name
        return f"{secret} of {part.host}" if part is not None else secret


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
        hint="Pass vault='https://my-vault.vault.azure.net' (--vault), set AZURE_KEY_VAULT_URL, or write kv://my-vault/name.",
    )
