"""Lists in pages: ``maxresults``, an opaque ``$skiptoken`` and an absolute ``nextLink``.

A token says after which key to go on, so a list that changes between two pages still gives
every item that stays in it exactly once.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from safekv.emulator._answers import Refused

MOST_PER_PAGE = 25


def page_size(query: Mapping[str, str]) -> int:
    given = query.get("maxresults")
    if given is None:
        return MOST_PER_PAGE
    if not (given.isascii() and given.isdigit() and len(given) < 9 and 1 <= int(given) <= MOST_PER_PAGE):
        raise Refused("400_value")
    return int(given)


def start_after(query: Mapping[str, str]) -> str:
    """The key after which the page begins; the empty string is before every key."""
    token = query.get("$skiptoken")
    if token is None:
        return ""
    try:
        marker = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))["NextMarker"]
    except (ValueError, TypeError, KeyError, RecursionError):
        marker = None
    if not isinstance(marker, str):
        raise Refused("400_value")
    return marker


def includes_pending(query: Mapping[str, str]) -> bool:
    """Whether a list is to have certificates that are still being issued."""
    return query.get("includePending", "").lower() == "true"


def document(items: list[Any], url: str, query: Mapping[str, str], go_on_after: str | None) -> dict[str, Any]:
    """The body of a page. ``url`` is the list's, without a query."""
    return {"value": items, "nextLink": None if go_on_after is None else _next_link(url, query, go_on_after)}


def _next_link(url: str, query: Mapping[str, str], go_on_after: str) -> str:
    marker = json.dumps({"NextMarker": go_on_after, "TargetLocation": 0}, separators=(",", ":"))
    token = base64.urlsafe_b64encode(marker.encode()).rstrip(b"=").decode()
    size = f"&maxresults={page_size(query)}" if "maxresults" in query else ""
    pending = "&includePending=true" if includes_pending(query) else ""
    return f"{url}?api-version={query['api-version']}&$skiptoken={token}{size}{pending}"
