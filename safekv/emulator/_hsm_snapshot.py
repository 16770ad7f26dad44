"""What Managed HSMs have beside keys, and their full backups, as JSON-able data and back. See ``_snapshot``."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Mapping, MutableMapping
from typing import Any

from safekv.emulator import _administration, _hsm_backups, _stored
from safekv.emulator._administration import Administration
from safekv.emulator._keys import KIND
from safekv.emulator._vault import Vault

#: The members of a snapshot, with what an older one is taken to have.
MEMBERS = {"managed_hsms": dict, "backups": dict}
ABSENT: dict[str, Any] = {"managed_hsms": {}, "backups": {}}


def dump(vaults: Collection[Vault], backups: Mapping[str, Any]) -> dict[str, Any]:
    held = {vault.name: vault.administration.dump() for vault in vaults if vault.hsm}
    return {"managed_hsms": held, "backups": copy.deepcopy(dict(backups))}


def check(document: Mapping[str, Any]) -> None:
    """``ValueError`` says what is wrong with those members of a snapshot."""
    for name, held in document["managed_hsms"].items():
        place = f"managed_hsms.{name}"
        _stored.check(held, _administration.MEMBERS, place)
        _check_roles(held, place)
        settings = dict.fromkeys(_administration.SETTINGS, str)
        _stored.check(held["settings"], settings, f"{place}.settings")
    for folder, held in document["backups"].items():
        place = f"backups.{folder}"
        _stored.check(held, _hsm_backups.MEMBERS, place)
        _check_roles(held, place)
        for index, each in enumerate(held["keys"]):
            _stored.load(KIND, each, f"{place}.keys[{index}]")


def load(document: Mapping[str, Any], vaults: Iterable[Vault], backups: MutableMapping[str, Any]) -> None:
    """What :func:`check` has found good; vaults that it does not name are as new."""
    for vault in vaults:
        held = document["managed_hsms"].get(vault.name)
        if held is not None:
            vault.administration = Administration.load(held)
        else:
            vault.forget_administration()
    backups.clear()
    backups.update(copy.deepcopy(document["backups"]))


def _check_roles(held: Mapping[str, Any], place: str) -> None:
    for kind, members in (("definitions", _administration.DEFINITION), ("assignments", _administration.ASSIGNMENT)):
        for name, each in held[kind].items():
            _stored.check(each, members, f"{place}.{kind}.{name}")
