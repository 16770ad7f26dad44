"""Telling identities and options apart: what may share a connection, and what may not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

#: Says that a request is ``send_request``'s: its caller wants the response, whatever its status.
RAW = "safekv_raw"

#: Keywords that say how fast a vault is used: for all clients of a connection.
LANE_OPTIONS = frozenset({"gate", "max_rate", "min_rate", "share"})

#: Keywords of a client that belong to its connection; the rest belong to the client alone.
CONNECTION_OPTIONS = LANE_OPTIONS | frozenset(
    {
        "connection_cert",
        "connection_data_block_size",
        "connection_timeout",
        "connection_verify",
        "read_timeout",
        "session",
        "session_owner",
        "transport",
        "use_env_settings",
    }
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
    if getattr(type(value), "compares_by_content", False):  # our own settings
        return value
    if isinstance(value, Mapping):
        return (dict, frozenset((frozen(key), frozen(item)) for key, item in value.items()))
    if isinstance(value, (list, tuple)):
        return (type(value), tuple(frozen(item) for item in value))
    return Same(value)


def split_options(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The keywords of the connection, and those of the client."""
    connection = {key: value for key, value in options.items() if key in CONNECTION_OPTIONS}
    if connection.get("transport", ...) is None:
        del connection["transport"]  # as the SDK has it: the default one
    client = {key: value for key, value in options.items() if key not in CONNECTION_OPTIONS}
    return connection, client


def reconstruct(kind: Callable[..., Any], url: str, credential: Any, options: dict[str, Any]) -> Any:
    """What a pickle of a shared object calls: finds it again, or makes it."""
    return kind(url, credential, **options)
