"""Base64url and JSON as RFC 7515 and RFC 7517 want them, read so that one value has one spelling."""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any


def to_base64url(data: bytes) -> str:
    """Without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def from_base64url(text: str) -> bytes:
    """The reverse.

    :raises ValueError: for padding, foreign characters and stray bits, all of which the standard library ignores.
    """
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise ValueError("not base64url") from None
    if to_base64url(data) != text:
        raise ValueError("not base64url without padding")
    return data


def to_json(value: object) -> bytes:
    """Compact, sorted, ASCII: the same value is always the same bytes."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, allow_nan=False).encode("ascii")


def from_json(data: bytes | str) -> dict[str, Any]:
    """A JSON object.

    :raises ValueError: for anything else, for a name that occurs twice, and for deep nesting. The text is not repeated.
    """
    try:
        value = json.loads(data, object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise ValueError("not a JSON object, or one with a name twice") from None
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name twice")
    return value


def _refuse(constant: str) -> Any:
    raise ValueError(constant)
