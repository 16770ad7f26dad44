"""The emulator's own endpoints, under ``/_emulator/`` on any authority.

They need no token, and are neither journalled nor throttled, nor met by faults:

- ``GET`` or ``POST clock``: the time; with ``?advance=SECONDS`` moved forward first.
- ``GET faults``: those that wait; ``POST`` with the arguments of ``Emulator.fail`` as JSON
  adds one; ``DELETE`` clears them.
- ``POST reset``: empties everything but the list of vaults.
- ``GET journal``: what was asked; with ``?after=NUMBER`` what came after so many, and how many there were
  (``noted``). ``DELETE`` clears it.
- ``GET limits``: by vault; ``PUT`` with fields of ``Limits`` as JSON changes them, for every
  vault or for ``?vault=NAME``.
- ``GET identities``: those that were registered; ``POST`` with the arguments of ``Directory.add``
  as JSON registers one.
- ``POST access``: lets somebody in, ``{"who": NAME, "secrets": ["get"]}`` by access policies,
  ``{"who": NAME, "role": "Key Vault Reader"}`` by a role, to every vault or to ``?vault=NAME``.
  Who it is, is a name, a client id or an object id; or ``{"group": NAME, …}``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, fields, replace
from typing import Any, Protocol

from safekv._clock import VirtualClock
from safekv.emulator._fault import Fault
from safekv.emulator._journal import Journal
from safekv.emulator._messages import Request, Response
from safekv.emulator._seeding import EmulatedVault
from safekv.emulator._settings import Limits, one_of
from safekv.emulator.access._needs import PERMISSIONS
from safekv.emulator.identity._directory import Directory, group_id

PREFIX = "/_emulator/"
_MOST_SECONDS = 3_200_000_000  # a hundred years
_IDENTITY_ARGUMENTS = {"name": str, "client_id": str, "oid": str, "groups": list, "user": bool}
_FAULT_ARGUMENTS = tuple(each.name for each in fields(Fault) if each.init)


class Controlled(Protocol):
    """What is controlled: an emulator."""

    clock: VirtualClock
    journal: Journal

    directory: Directory

    @property
    def vaults(self) -> Mapping[str, EmulatedVault]: ...

    @property
    def faults(self) -> Iterable[Fault]: ...

    @property
    def fail(self) -> Callable[..., Fault]: ...

    def clear_faults(self) -> None: ...

    def reset(self) -> None: ...


def answer(emulator: Controlled, request: Request) -> Response:
    """The answer to a request whose path begins with ``PREFIX``."""
    endpoint = request.path.removeprefix(PREFIX).rstrip("/")
    methods = _ENDPOINTS.get(endpoint)
    if methods is None:
        return _wrong(404, f"{endpoint!r} is unknown; known: {', '.join(_ENDPOINTS)}")
    handler = methods.get(request.method)
    if handler is None:
        return _wrong(405, f"{endpoint} has no {request.method}; it has {', '.join(methods)}", allow=methods)
    try:
        return Response.json(200, handler(emulator, request))
    except ValueError as problem:
        return _wrong(400, str(problem))


def _clock(emulator: Controlled, request: Request) -> Any:
    advance = request.query.get("advance")
    if advance is not None:
        emulator.clock.advance(_seconds(advance))
    return {"time": emulator.clock.time()}


def _list_faults(emulator: Controlled, request: Request) -> Any:
    shown = [*_FAULT_ARGUMENTS, "matched", "fired"]
    shown.remove("body")
    return {"faults": [{name: getattr(fault, name) for name in shown} for fault in emulator.faults]}


def _add_fault(emulator: Controlled, request: Request) -> Any:
    arguments = _body(request)
    for name in arguments:
        one_of("the argument", name, _FAULT_ARGUMENTS)
    emulator.fail(**arguments)
    return _list_faults(emulator, request)


def _clear_faults(emulator: Controlled, request: Request) -> Any:
    emulator.clear_faults()
    return {"faults": []}


def _reset(emulator: Controlled, request: Request) -> Any:
    emulator.reset()
    return {"vaults": [vault.url for vault in emulator.vaults.values()]}


def _show_journal(emulator: Controlled, request: Request) -> Any:
    after = request.query.get("after", "0")
    if not (after.isascii() and after.isdigit() and len(after) < 16):
        raise ValueError(f"after must be a number of entries, such as 100, not {after!r}")
    noted, entries = emulator.journal.after(int(after))
    return {"noted": noted, "journal": [asdict(entry) for entry in entries]}


def _clear_journal(emulator: Controlled, request: Request) -> Any:
    emulator.journal.clear()
    return {"journal": []}


def _show_limits(emulator: Controlled, request: Request) -> Any:
    return {vault.name: asdict(vault.limits) for vault in _vaults(emulator, request)}


def _change_limits(emulator: Controlled, request: Request) -> Any:
    changes = _body(request)
    for name in changes:
        one_of("the limit", name, [each.name for each in fields(Limits)])
    vaults = _vaults(emulator, request)
    changed = [replace(vault.limits, **changes) for vault in vaults]
    for vault, limits in zip(vaults, changed, strict=True):
        vault.limits = limits
    return _show_limits(emulator, request)


def _list_identities(emulator: Controlled, request: Request) -> Any:
    return {"identities": [asdict(each) for each in emulator.directory]}


def _add_identity(emulator: Controlled, request: Request) -> Any:
    arguments = _body(request)
    _check_members(arguments, _IDENTITY_ARGUMENTS)
    if "name" not in arguments or not all(isinstance(each, str) for each in arguments.get("groups", [])):
        raise ValueError('an identity is like {"name": "app", "groups": ["readers"]}')
    emulator.directory.add(**arguments)
    return _list_identities(emulator, request)


def _let_in(emulator: Controlled, request: Request) -> Any:
    arguments, vaults = _body(request), _vaults(emulator, request)
    _check_members(arguments, {"who": str, "group": str, "role": str, **dict.fromkeys(PERMISSIONS, list)})
    if ("who" in arguments) == ("group" in arguments):
        raise ValueError('say who is let in: {"who": "app", "secrets": ["get"]}, or {"group": "readers", …}')
    who = arguments.pop("who", None)
    oid = group_id(arguments.pop("group")) if who is None else emulator.directory.find(who).oid
    role = arguments.pop("role", None)
    if "vault" not in request.query:  # nobody asks for an HSM, which has local roles, when all vaults are meant
        vaults = [vault for vault in vaults if not vault.hsm] or vaults
    for vault in vaults:
        if arguments:
            vault.allow(oid, arguments)
        if role is not None:
            vault.assign(oid, role)
    return {"oid": oid, "vaults": [vault.name for vault in vaults]}


def _check_members(given: Mapping[str, Any], known: Mapping[str, type]) -> None:
    for name, value in given.items():
        one_of("the argument", name, list(known))
        if type(value) is not known[name]:
            raise ValueError(f"{name} must be a {known[name].__name__}, not a {type(value).__name__}")


def _seconds(given: str) -> float:
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= _MOST_SECONDS:
        raise ValueError(f"advance must be 0 to {_MOST_SECONDS:,} seconds, such as 301, not {given!r}")
    return seconds


def _vaults(emulator: Controlled, request: Request) -> list[EmulatedVault]:
    vaults = list(emulator.vaults.values())
    name = request.query.get("vault")
    if name is None:
        return vaults
    one_of("vault", name, [vault.name for vault in vaults])
    return [vault for vault in vaults if vault.name == name]


def _body(request: Request) -> dict[str, Any]:
    try:
        document = json.loads(request.body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ValueError('the body must be a JSON object, such as {"status": 503}')
    return document


def _wrong(status: int, message: str, *, allow: Any = ()) -> Response:
    headers = {"Allow": ", ".join(allow)} if allow else {}
    return Response.json(status, {"error": {"code": "EmulatorControl", "message": message}}, headers)


_ENDPOINTS = {
    "clock": {"GET": _clock, "POST": _clock},
    "faults": {"GET": _list_faults, "POST": _add_fault, "DELETE": _clear_faults},
    "reset": {"POST": _reset},
    "journal": {"GET": _show_journal, "DELETE": _clear_journal},
    "limits": {"GET": _show_limits, "PUT": _change_limits},
    "identities": {"GET": _list_identities, "POST": _add_identity},
    "access": {"POST": _let_in},
}
