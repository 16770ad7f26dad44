"""Telling identities and options apart: what may share a connection, and what may not."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from safekv.errors import InvalidCredential

#: Keywords of a client that belong to its connection; the rest belong to the client alone.
CONNECTION_OPTIONS = frozenset(
    {"transport", "connection_timeout", "read_timeout", "connection_verify", "connection_cert", "use_env_settings"}
)


class Same:
    """Wraps an object so that it equals itself only, and stays alive while it is compared."""

    __slots__ = ("_it",)

    def __init__(self, it: object) -> None:
        self._it = it

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other._it is self._it

    def __hash__(self) -> int:
        return id(self._it)


def frozen(value: Any) -> Any:
    """``value`` as a dictionary key: plain data by content, anything else by identity."""
    if value is None or isinstance(value, (str, bytes, int, float)):
        return (type(value), value)
    if isinstance(value, Mapping):
        return (dict, frozenset((key, frozen(item)) for key, item in value.items()))
    if isinstance(value, (list, tuple)):
        return (type(value), tuple(frozen(item) for item in value))
    return Same(value)


def may_pickle_a_secret(it: object) -> bool:
    """Whether it is a credential of azure-identity's, or a subclass that says nothing of its own about pickling."""
    kind = type(it)
    azures = any(base.__module__.startswith("azure.identity") for base in kind.__mro__)
    plain = kind.__reduce__ is object.__reduce__ and kind.__reduce_ex__ is object.__reduce_ex__
    return azures and plain and (hasattr(it, "get_token") or hasattr(it, "get_token_info"))


def split_options(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The keywords of the connection, and those of the client."""
    connection = {key: value for key, value in options.items() if key in CONNECTION_OPTIONS}
    client = {key: value for key, value in options.items() if key not in CONNECTION_OPTIONS}
    return connection, client


def check_credential(credential: object) -> None:
    """Refuse what can never be a credential.

    :raises InvalidCredential: a text, a number, a collection, or a class instead of an object.
    """
    if isinstance(credential, type):
        problem = f"is the class {credential.__name__}, not an object: add parentheses"
    elif isinstance(credential, (str, bytes, int, float, tuple, list, dict, set)):
        problem = f"is a {type(credential).__name__}, not an object with get_token"
    else:
        return
    raise InvalidCredential(
        f"The credential {problem}.",
        hint="Pass safekv.identity.DefaultAzureCredential(), or leave the credential out to use that one.",
    )


def is_async(credential: object) -> bool:
    """Whether the credential's tokens have to be awaited."""
    return any(
        inspect.iscoroutinefunction(getattr(credential, method, None)) for method in ("get_token_info", "get_token")
    )


def no_credential(credential: object) -> InvalidCredential:
    """The error for an object that cannot give tokens."""
    return InvalidCredential(
        f"The credential, a {type(credential).__name__}, has neither get_token nor get_token_info.",
        hint="Pass a credential from safekv.identity, or leave the credential out to use its DefaultAzureCredential.",
    )
