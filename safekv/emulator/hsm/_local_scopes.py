"""Scopes inside a Managed HSM, and the names of what is at one: ``/``, ``/keys`` and ``/keys/<key>``."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

from safekv.emulator._answers import Refused
from safekv.emulator._call import Call, Route
from safekv.emulator._messages import Response
from safekv.emulator.objects._stored import NAME

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def scope_of(call: Call) -> str:
    """The scope that the path of a request about roles begins with."""
    before = call.request.path.partition("/providers/")[0].strip("/")
    return "/" + unquote(before)


def name_of(call: Call, bad: str) -> str:
    """The GUID in the path, in lower case; refused with the row ``bad`` if it is none."""
    name = unquote(call.request.path.rstrip("/").rpartition("/")[2])
    if not is_guid(name):
        raise Refused(bad, guid=call.vault.new_id())
    return name.lower()


def is_guid(text: object) -> bool:
    return isinstance(text, str) and _GUID.fullmatch(text) is not None


def is_scope(text: object) -> bool:
    if not isinstance(text, str):
        return False
    return text in ("/", "/keys") or (text.startswith("/keys/") and NAME.fullmatch(text[6:]) is not None)


def within(inner: str, outer: str) -> bool:
    """Whether a scope is another one, or lies in it."""
    inner, outer = inner.lower().rstrip("/"), outer.lower().rstrip("/")
    return inner == outer or inner.startswith(f"{outer}/")


def routes_at_each_scope(path: str, *asked: tuple[str, str, str, Callable[[Call], Response]]) -> tuple[Route, ...]:
    """Routes about roles, which may be asked for at any scope: operation, method, the path's end, handler."""
    return tuple(
        Route(operation, method, f"{scope}{path}{end}", handler, "mhsm_roles", on_hsm=True, on_vault=False)
        for operation, method, end, handler in asked
        for scope in ("", "/keys", "/keys/{name}")
    )
