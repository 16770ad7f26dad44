"""Every vault operation: how to recognise its request, and whether it may be repeated.

``repeatable`` answers one question: the request may or may not have been carried out
(reset, timeout, 5xx) — does sending it again leave the vault as sending it once would?
A throttled request (429) was not carried out, so it may always be repeated.
"""

from __future__ import annotations

from typing import NamedTuple


class Operation(NamedTuple):
    """One operation, named like the SDK's method."""

    name: str
    repeatable: bool


#: By method and route. ``*`` is a name or a version; whatever else a route has stands for itself.
_ROUTES = {
    "GET secrets": Operation("list_properties_of_secrets", True),
    "GET secrets/*": Operation("get_secret", True),
    "GET secrets/*/*": Operation("get_secret", True),
    "GET secrets/*/versions": Operation("list_properties_of_secret_versions", True),
    # A repeated PUT makes a second version, and a second event for whoever listens.
    "PUT secrets/*": Operation("set_secret", False),
    "PATCH secrets/*": Operation("update_secret_properties", True),
    "PATCH secrets/*/*": Operation("update_secret_properties", True),
    # Sent twice, the second is answered 404 or 409 although the first has done it.
    "DELETE secrets/*": Operation("delete_secret", False),
    "GET deletedsecrets": Operation("list_deleted_secrets", True),
    "GET deletedsecrets/*": Operation("get_deleted_secret", True),
    "POST deletedsecrets/*/recover": Operation("recover_deleted_secret", False),
    "DELETE deletedsecrets/*": Operation("purge_deleted_secret", False),
    "POST secrets/*/backup": Operation("backup_secret", True),
    "POST secrets/restore": Operation("restore_secret_backup", False),
}


def operation_of(method: str, path: str) -> Operation:
    """The operation that a request stands for.

    One that the table does not know is named after its method; only a GET or HEAD of
    that kind is repeatable.
    """
    method = method.upper()
    collection, *rest = path.strip("/").split("/")
    for route in _spellings(collection, rest):
        known = _ROUTES.get(f"{method} {route}")
        if known is not None:
            return known
    return Operation(method, method in ("GET", "HEAD"))


def _spellings(collection: str, rest: list[str]) -> list[str]:
    """The routes that a path may be an instance of, the more literal ones first."""
    if not rest:
        return [collection]
    if len(rest) == 1:
        return [f"{collection}/{rest[0]}", f"{collection}/*"]
    return [f"{collection}/*/{'/'.join(rest[1:])}", f"{collection}/*/*"] if len(rest) == 2 else []
