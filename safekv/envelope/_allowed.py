"""Which keys may open a ring. A ``kid`` comes with the data, so it is what an attacker would choose."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from safekv.envelope._errors import KeyNotAllowed
from safekv.errors import InvalidArgument

_KEY = re.compile(
    r"https://(?P<host>[a-z0-9.-]{1,253}(?::[0-9]{1,5})?)/keys/(?P<name>[0-9a-zA-Z-]{1,127})(?P<rest>/.*)?"
)
_VERSION = re.compile(r"/[0-9a-zA-Z]{1,64}")


@dataclass(frozen=True, slots=True)
class AllowedKeys:
    """An exact list of vault hosts and key names; versions are free, since keys are rotated.

    Made by :func:`allowed`. Vault hosts are compared in lower case, key names without regard to case, as vaults do.
    """

    keys: frozenset[tuple[str, str]]

    def allows(self, kid: str) -> bool:
        """Whether ``kid`` is, letter for letter, ``https://host/keys/name/version`` of a key on the list."""
        found = _KEY.fullmatch(kid)
        return bool(
            found and _VERSION.fullmatch(found["rest"] or "") and (found["host"], found["name"].lower()) in self.keys
        )

    def only(self, kids: Iterable[str]) -> list[str]:
        """Those of ``kids`` that may be asked.

        :raises KeyNotAllowed: if there are none.
        """
        given = list(kids)
        fine = [kid for kid in given if self.allows(kid)]
        if not fine:
            raise KeyNotAllowed(
                f"This key ring names {len(given)} key(s), none of which is allowed: {', '.join(map(shown, given))}.",
                hint="If the ring is yours, add its keys to allow=[...] (--kek); if it came with data, "
                "it may be made up.",
            )
        return fine


def allowed(keys: Iterable[str] | AllowedKeys) -> AllowedKeys:
    """The list for ``https://host/keys/name`` texts. A version at the end of one is dropped.

    :raises InvalidArgument: for a text of another form, and for an empty list.
    """
    if isinstance(keys, AllowedKeys):
        return keys
    if isinstance(keys, str):
        raise InvalidArgument("allow must be a list of keys, not one text.", hint=f"allow=[{_EXAMPLE!r}]")
    pairs = frozenset(_pair(key) for key in keys)
    if not pairs:
        raise InvalidArgument("allow is empty, so nothing could open the ring.", hint=f"allow=[{_EXAMPLE!r}]")
    return AllowedKeys(pairs)


_EXAMPLE = "https://my-vault.vault.azure.net/keys/app-kek"


def _pair(key: str) -> tuple[str, str]:
    scheme_and_host, mark, path = str(key).partition("/keys/")
    found = _KEY.fullmatch(f"{scheme_and_host.lower()}{mark}{path.rstrip('/')}")
    if not found or not (found["rest"] is None or _VERSION.fullmatch(found["rest"])):
        raise InvalidArgument(f"{shown(key)} is not the address of a key.", hint=f"Write it like {_EXAMPLE!r}.")
    return found["host"], found["name"].lower()


def shown(kid: object) -> str:
    """Something from outside, short and on one line."""
    text = ascii(kid)
    return text if len(text) <= 160 else text[:157] + "..."
