"""The control plane's lists, in pages."""

from __future__ import annotations

import base64
from typing import Any

from safekv.emulator._arm_call import ArmCall, wrong
from safekv.emulator._messages import Response

_MOST = 100


def page(call: ArmCall, items: list[Any]) -> Response:
    """One page of the list; ``$top`` is its size at the most, ``$skiptoken`` says after how many it begins."""
    start, size = _number(call, _decoded(call), 10**9), _number(call, call.request.query.get("$top"), _MOST) or _MOST
    document: dict[str, Any] = {"value": items[start : start + size]}
    if start + size < len(items):
        token = base64.urlsafe_b64encode(str(start + size).encode()).decode()
        document["nextLink"] = call.url(call.request.path, _query(call, token))
    return Response.json(200, document)


def _query(call: ArmCall, token: str) -> str:
    kept = {name: value for name, value in call.request.query.items() if name.lower() != "$skiptoken"}
    return "&".join(f"{name}={value.replace(' ', '%20')}" for name, value in {**kept, "$skiptoken": token}.items())


def _decoded(call: ArmCall) -> str | None:
    token = call.request.query.get("$skiptoken")
    try:
        return None if token is None else base64.urlsafe_b64decode(token).decode()
    except ValueError:
        raise wrong("$skiptoken") from None


def _number(call: ArmCall, given: str | None, most: int) -> int:
    if given is None:
        return 0
    if not (given.isascii() and given.isdigit() and len(given) < 10):
        raise wrong("$top")
    return min(int(given), most)
