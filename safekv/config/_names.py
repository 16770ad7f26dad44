"""From the names that an application uses to those of secrets, and back.

Key Vault's names have letters, digits and hyphens, and no case.

- Asked for by name: ``_`` is ``-`` (so ``__`` is ``--``), and case is the vault's own affair; the key in the result is
  as it was written. Two spellings of one secret in a list are refused.
- Found by prefix or tag: the key is the secret's name in lower case, without the prefix.
- As variables of an environment: upper case, and each ``-`` is ``_``.
- ``nest="--"`` splits keys at ``--``. What would be both a value and a group is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from safekv._identifiers import object_name
from safekv.errors import InvalidArgument


def secret_name(given: object, prefix: str = "") -> str:
    """The secret for a name of the application's.

    :raises InvalidArgument: if no secret can have it.
    """
    if isinstance(given, str):
        return object_name(f"{prefix}{given}".replace("_", "-") if given else given)
    return object_name(given)


def secret_prefix(given: object) -> str:
    """The beginning of secrets' names.

    :raises InvalidArgument: if no name begins so.
    """
    if not isinstance(given, str):
        raise InvalidArgument(f"prefix must be a str, not {type(given).__name__}.", hint="prefix='app1-'")
    text = given.replace("_", "-")
    if text:
        object_name(text, "prefix of a secret's")
    return text


def variable(name: str) -> str:
    """The environment variable for a secret's name."""
    return name.replace("-", "_").upper()


def unambiguous(keys: Iterable[str]) -> None:
    """Refuse two spellings of one secret.

    :raises InvalidArgument: naming them.
    """
    seen: dict[str, str] = {}
    for key in keys:
        same = seen.setdefault(key.replace("_", "-").lower(), key)
        if same != key:
            raise InvalidArgument(
                f"{same!r} and {key!r} are one secret: Key Vault's names have no case, and '_' is '-'.",
                hint="Write it in one way, or give a mapping of keys to names if both keys are wanted.",
            )


def nested(flat: Mapping[str, Any], separator: str) -> dict[str, Any]:
    """``{"db--host": 1}`` as ``{"db": {"host": 1}}``.

    :raises InvalidArgument: if a key would be a value and a group, or has an empty part.
    """
    tree: dict[str, Any] = {}
    spelled: dict[tuple[str, ...], str] = {}
    for key, value in flat.items():
        *groups, last = key.split(separator)
        if not all((*groups, last)):
            raise InvalidArgument(f"{key!r} cannot be split at {separator!r}: a part is empty.", hint=_rename(key))
        inner = tree
        for depth, group in enumerate(groups, 1):
            _same_case(spelled, tuple(key.split(separator)[:depth]), key)
            inner = inner.setdefault(group, {})
            if not isinstance(inner, dict):
                raise _both(separator.join(groups[:depth]), key, separator)
        _same_case(spelled, tuple(key.split(separator)), key)
        if last in inner:
            raise _both(key, key, separator)
        inner[last] = value
    return tree


def _same_case(spelled: dict[tuple[str, ...], str], parts: tuple[str, ...], key: str) -> None:
    """One group is spelled in one way."""
    same = spelled.setdefault(tuple(part.lower() for part in parts), parts[-1])
    if same != parts[-1]:
        raise InvalidArgument(f"{key!r} and others spell {same!r} differently.", hint="Spell each group in one way.")


def _both(short: str, long: str, separator: str) -> InvalidArgument:
    return InvalidArgument(
        f"{short!r} would be a value and a group, because of {long!r}.",
        hint=f"Rename one of the secrets, or load without nest={separator!r}.",
    )


def _rename(key: str) -> str:
    return f"Rename the secret {key!r}, or load without nest=."
