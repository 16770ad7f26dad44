"""Tokens that the emulator can read: unsigned JWTs. They protect nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

_HEADER = {"typ": "JWT", "alg": "none"}
_WANTED = (
    "a claims request is JSON with claims under access_token, such as "
    '{"access_token": {"nbf": {"essential": true, "value": "1700000000"}}}'
)
_LONGEST = 64_000  # characters; a longer one is not ours


def make_token(claims: Mapping[str, Any]) -> str:
    """An unsigned JWT with this payload.

    Usual claims: ``aud`` (the vault's resource), ``iss``, ``tid``, ``oid``, ``appid``, ``iat``,
    ``nbf``, ``exp`` (seconds since 1970) and ``uti``, a fresh id that makes every token
    another string, which is what lets revoked tokens be told from new ones.
    """
    return f"{_encode(_HEADER)}.{_encode(dict(claims))}."


def read_token(token: str) -> dict[str, Any] | None:
    """The payload of a token of :func:`make_token`; None if it is not such a token."""
    parts = token.split(".") if len(token) <= _LONGEST else []
    if len(parts) != 3 or parts[2]:
        return None
    header, payload = _decode(parts[0]), _decode(parts[1])
    return payload if header == _HEADER else None


def granted_claims(requested: str | None) -> dict[str, Any]:
    """What a token has to carry to satisfy a claims request, as payload members.

    ``requested`` is the JSON text that a claims challenge sends and a credential passes on, e.g.
    ``{"access_token": {"acrs": {"essential": true, "value": "c1"}}}`` gives ``{"acrs": "c1"}``.
    Put them into the token that answers the request. ``nbf`` is left to the issuer: a token
    that is issued now satisfies it. ``ValueError`` if it is not a claims request.
    """
    wanted = _access_token_claims(requested) if requested else {}
    return {name: _granted(rule) for name, rule in wanted.items() if name != "nbf"}


def satisfies(payload: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a token's payload carries the claims that :func:`read_claims` gave."""
    return all(name in payload and _carries(name, payload[name], _granted(rule)) for name, rule in wanted.items())


def read_claims(requested: str) -> dict[str, Any]:
    """What a claims request wants of an access token; ``ValueError`` if that is nothing."""
    wanted = _access_token_claims(requested)
    if not wanted:
        raise ValueError(_WANTED)
    return wanted


def _access_token_claims(requested: str) -> dict[str, Any]:
    try:
        document = json.loads(requested)
    except (ValueError, RecursionError):
        document = None
    wanted = document.get("access_token", {}) if isinstance(document, dict) else None
    if not isinstance(wanted, dict):
        raise ValueError(_WANTED)
    return wanted


def _carries(name: str, carried: Any, wanted: Any) -> bool:
    if name == "nbf":  # "issued at this time or later", the way a revocation is expressed
        return _seconds(carried) >= _seconds(wanted)
    if isinstance(wanted, list):
        return carried == wanted or carried in wanted
    return wanted is True or carried == wanted


def _granted(rule: Any) -> Any:
    """What satisfies a rule such as ``{"essential": true, "value": "c1"}`` or ``{"values": ["cp1"]}``."""
    return rule.get("value", rule.get("values", True)) if isinstance(rule, dict) else True


def _seconds(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return 0.0


def _encode(document: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document, separators=(",", ":")).encode()).rstrip(b"=").decode()


def _decode(part: str) -> dict[str, Any] | None:
    try:
        document = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
