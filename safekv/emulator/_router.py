"""From a method and a path to an operation and the object that it is about.

To add a kind of object: a module with its ``KIND`` and ``ROUTES``, named here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from urllib.parse import unquote

from safekv.emulator import (
    _certificate_settings,
    _certificates,
    _hsm_backups,
    _hsm_settings,
    _jobs,
    _keys,
    _role_assignments,
    _role_definitions,
    _secrets,
)
from safekv.emulator._answers import Refused
from safekv.emulator._call import Route, Target
from safekv.emulator._stored import NAME

KINDS = (_secrets.KIND, _keys.KIND, _certificates.KIND)
ROUTES: tuple[Route, ...] = (
    *_secrets.ROUTES,
    *_keys.ROUTES,
    *_certificates.ROUTES,
    *_certificate_settings.ROUTES,
    *_role_definitions.ROUTES,
    *_role_assignments.ROUTES,
    *_hsm_settings.ROUTES,
    *_hsm_backups.ROUTES,
    *_jobs.ROUTES,
)
OPERATIONS: tuple[str, ...] = tuple(dict.fromkeys(route.operation for route in ROUTES))

_VERSION = re.compile(r"[0-9a-zA-Z]{32}")
_PLACE = re.compile(r"\{(\w+)\}")
_Shape = tuple[str, ...]


def find(method: str, path: str, *, hsm: bool) -> Target:
    """The target of a request; ``path`` is percent-encoded, as on the wire."""
    segments = path.split("/")[1:]
    if len(segments) > 1 and not segments[-1]:
        del segments[-1]  # "/secrets/name/" is the secret's latest version, the version being empty
    if len(segments) <= _MOST_SEGMENTS:
        for shape in _shapes([segment.lower() for segment in segments]):
            route = _BY_SHAPE.get((method, *shape))
            if route and (route.on_hsm if hsm else route.on_vault):
                return _target(route, method, segments)
    return Target(None, refused=_no_operation(method, segments[-1] if segments else ""))


def operation_named(name: str) -> str:
    """The operation of this name; the SDK's ``begin_…`` names are accepted too."""
    short = name.removeprefix("begin_")
    for known in (name, short):
        if known in OPERATIONS:
            return known
    raise ValueError(f"operation={name!r} is unknown; known: {', '.join(OPERATIONS)}")


def _target(route: Route, method: str, segments: list[str]) -> Target:
    values = {place: unquote(segments[index]) for index, place in _PLACES[route.path]}
    name, version = values.get("name", ""), values.get("version") or None  # "/keys/name//sign": the latest version
    if "name" in values and not NAME.fullmatch(name):
        return Target(route, refused=Refused("400_name", name=name))
    if version is not None and not _VERSION.fullmatch(version):
        # A last segment that is no version is taken for the name of an operation.
        return Target(route, refused=_no_operation(method, version))
    return Target(route, name, version)


def _no_operation(method: str, last: str) -> Refused:
    return Refused("400_operation", method=method, operation=unquote(last))


def _shapes(segments: list[str]) -> Iterator[_Shape]:
    """The shapes that a path can have, with ``*`` for a place; the most literal first."""
    return product(*((segment, "*") for segment in segments))


def _shape(route: Route) -> _Shape:
    return tuple(_PLACE.sub("*", segment) for segment in route.path.split("/")[1:])


_BY_SHAPE = {(route.method, *_shape(route)): route for route in ROUTES}
_PLACES = {
    route.path: [
        (index, found[1])
        for index, segment in enumerate(route.path.split("/")[1:])
        if (found := _PLACE.fullmatch(segment))
    ]
    for route in ROUTES
}
_MOST_SEGMENTS = max(len(_shape(route)) for route in ROUTES)
