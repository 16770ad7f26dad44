"""Everything that an emulator's vaults hold, as JSON-able data and back.

A snapshot has the values of secrets in clear: whoever can read it can read them. Loading is
strict and all or nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from safekv.emulator import _stored
from safekv.emulator._objects import Kind, StoredObject
from safekv.emulator._router import KINDS
from safekv.emulator._vault import Vault

_FORMAT = "safekv-emulator"
_VERSION = 1
_KINDS = {kind.segment: kind for kind in KINDS}


def dump(vaults: Iterable[Vault]) -> dict[str, Any]:
    """Vaults go by name, because an address may change from run to run."""
    held = {vault.name: {each: _objects(vault, kind) for each, kind in _KINDS.items()} for vault in vaults}
    return {"format": _FORMAT, "version": _VERSION, "vaults": held}


def load(document: Any, vaults: Iterable[Vault]) -> None:
    """Put what :func:`dump` gave into the vaults of these names, and empty the others."""
    by_name = {vault.name: vault for vault in vaults}
    loaded = [(by_name[name], kind, objects) for name, kind, objects in _read(document, set(by_name))]
    for vault in by_name.values():
        for collection in vault.collections.values():
            collection.clear()
    for vault, kind, objects in loaded:
        for stored in objects:
            vault.collection(kind).add(stored)


def _read(document: Any, known: set[str]) -> list[tuple[str, Kind, list[StoredObject]]]:
    members = _stored.check(document, {"format": str, "version": int, "vaults": dict}, "snapshot")
    if (members["format"], members["version"]) != (_FORMAT, _VERSION):
        given = f"format {members['format']!r}, version {members['version']!r}"
        raise ValueError(f"this is not a snapshot that can be read: {given}, not {_FORMAT!r}, version {_VERSION}")
    missing = sorted(set(members["vaults"]) - known)
    if missing:
        raise ValueError(
            f"the snapshot has vaults that this emulator lacks: {', '.join(missing)}; add_vault them first"
        )
    found = []
    for name, held in members["vaults"].items():
        if isinstance(held, dict):
            held = {**{each: [] for each in _KINDS}, **held}  # older snapshots have fewer kinds
        _stored.check(held, dict.fromkeys(_KINDS, list), f"vaults.{name}")
        found += [
            (name, _KINDS[each], _read_objects(_KINDS[each], held[each], f"vaults.{name}.{each}")) for each in held
        ]
    return found


def _read_objects(kind: Kind, documents: list[Any], place: str) -> list[StoredObject]:
    objects = [_stored.load(kind, each, f"{place}[{index}]") for index, each in enumerate(documents)]
    if len({stored.name.lower() for stored in objects}) != len(objects):
        raise ValueError(f"{place} must all have different names")
    return objects


def _objects(vault: Vault, kind: Kind) -> list[dict[str, Any]]:
    return [_stored.dump(stored) for stored in vault.collection(kind)]
