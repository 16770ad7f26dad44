"""Everything that an emulator's vaults hold, as JSON-able data and back.

A snapshot has the values of secrets in clear: whoever can read it can read them. Loading is
strict and all or nothing.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Mapping, MutableMapping
from typing import Any

from safekv.emulator import _hsm_snapshot, _stored
from safekv.emulator._certificate_settings import ISSUER
from safekv.emulator._objects import Kind, StoredObject
from safekv.emulator._router import KINDS
from safekv.emulator._vault import Vault

_FORMAT = "safekv-emulator"
_VERSION = 1
_MEMBERS = {"format": str, "version": int, "vaults": dict, "certificate_settings": dict, **_hsm_snapshot.MEMBERS}
#: What older snapshots do not have.
_ABSENT = {"certificate_settings": {}, **_hsm_snapshot.ABSENT}
_SETTINGS = {"issuers": dict, "contacts": (list, type(None))}
_NO_SETTINGS: dict[str, Any] = {"issuers": {}, "contacts": None}
_KINDS = {kind.segment: kind for kind in KINDS}


def dump(vaults: Collection[Vault], backups: Mapping[str, Any]) -> dict[str, Any]:
    """Vaults go by name, because an address may change from run to run. ``backups`` are those of Managed HSMs."""
    held = {vault.name: {each: _objects(vault, kind) for each, kind in _KINDS.items()} for vault in vaults}
    settings = {
        vault.name: {"issuers": copy.deepcopy(vault.issuers), "contacts": copy.deepcopy(vault.contacts)}
        for vault in vaults
    }
    hsms = _hsm_snapshot.dump(vaults, backups)
    return {"format": _FORMAT, "version": _VERSION, "vaults": held, "certificate_settings": settings, **hsms}


def load(document: Any, vaults: Iterable[Vault], backups: MutableMapping[str, Any]) -> None:
    """Put what :func:`dump` gave into the vaults of these names, and empty the others."""
    by_name = {vault.name: vault for vault in vaults}
    if isinstance(document, dict):
        document = {**_ABSENT, **document}
    loaded = [(by_name[name], kind, objects) for name, kind, objects in _read(document, set(by_name))]
    settings = {by_name[name]: each for name, each in _read_settings(document, set(by_name)).items()}
    _hsm_snapshot.check(document)
    _hsm_snapshot.load(document, by_name.values(), backups)
    for vault in by_name.values():
        for collection in vault.collections.values():
            collection.clear()
        each = settings.get(vault, _NO_SETTINGS)
        vault.issuers, vault.contacts = copy.deepcopy(each["issuers"]), copy.deepcopy(each["contacts"])
    for vault, kind, objects in loaded:
        for stored in objects:
            vault.collection(kind).add(stored)


def _read(document: Any, known: set[str]) -> list[tuple[str, Kind, list[StoredObject]]]:
    members = _stored.check(document, _MEMBERS, "snapshot")
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


def _read_settings(document: dict[str, Any], known: set[str]) -> dict[str, dict[str, Any]]:
    settings = {name: each for name, each in document["certificate_settings"].items() if name in known}
    for name, each in settings.items():
        place = f"certificate_settings.{name}"
        _stored.check(each, _SETTINGS, place)
        for issuer, members in each["issuers"].items():
            _stored.check(members, ISSUER, f"{place}.issuers.{issuer}")
    return settings


def _read_objects(kind: Kind, documents: list[Any], place: str) -> list[StoredObject]:
    objects = [_stored.load(kind, each, f"{place}[{index}]") for index, each in enumerate(documents)]
    if len({stored.name.lower() for stored in objects}) != len(objects):
        raise ValueError(f"{place} must all have different names")
    return objects


def _objects(vault: Vault, kind: Kind) -> list[dict[str, Any]]:
    return [_stored.dump(stored) for stored in vault.collection(kind)]
