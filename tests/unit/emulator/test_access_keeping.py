"""What the control plane knows comes back with a snapshot."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from safekv._clock import VirtualClock
from safekv.emulator import Emulator, EmulatorSettings
from safekv.emulator._access import Rights, Role, RoleAssignment

OID = "00000000-0000-4000-8000-00000000000a"
START = 1_700_000_000.0


def emulator(**settings: Any) -> Emulator:
    made = Emulator(clock=VirtualClock(START), settings=EmulatorSettings(**settings))
    made.add_vault("my")
    return made


@pytest.fixture
def filled() -> Emulator:
    filled = emulator()
    vaults = {vault.name: vault for vault in filled.vaults.values()}
    vaults["my"].allow(OID, {"secrets": ["get"], "keys": ["wrapKey"]})
    vaults["my"].use_roles(True)
    own = Role(OID, "Own", (Rights(data_actions=("Microsoft.KeyVault/vaults/*",)),), built_in=False, scopes=("/x",))
    filled.grants.roles[OID] = own
    filled.grants.assign(RoleAssignment("n", OID, OID, "/subscriptions/x", details={"createdBy": "me"}), START)
    filled.directory.add("app", groups=["readers"])
    made = filled.new_vault("made", resource_group="elsewhere", tenant=OID, retention_days=7)
    made.set_secret("name", "no secret")
    assert made.arm is not None
    made.arm.tags["a"] = "b"
    gone = filled.new_vault("gone")
    assert gone.arm is not None
    gone.arm.deleted, gone.arm.purged = START, START + 100
    return filled


def copied(filled: Emulator) -> Any:
    return json.loads(json.dumps(filled.snapshot()))


def test_everything_comes_back(filled: Emulator) -> None:
    other = emulator()
    other.grants.roles["forgotten"] = Role("forgotten", "Forgotten", (), built_in=False)
    other.restore(copied(filled))
    assert other.snapshot() == filled.snapshot()
    assert {vault.name for vault in other.vaults.values()} == {"my", "made", "gone"}
    for vault in other.vaults.values():
        (same,) = (each for each in filled.vaults.values() if each.name == vault.name)
        assert vault.access(START) == same.access(START)
        assert (vault.policy, vault.tenant, vault.reachable) == (same.policy, same.tenant, same.reachable)
    assert other.grants.find("own") == filled.grants.find("own")
    assert other.directory.find("app") == filled.directory.find("app")
    assert other.groups == {"emulator", "elsewhere"}


def test_an_older_snapshot_has_none_of_it(filled: Emulator) -> None:
    document = copied(filled)
    del document["control_plane"]
    document["vaults"] = {"my": document["vaults"]["my"]}
    document["certificate_settings"] = {}
    before = filled.grants.assignments.current
    filled.restore(document)
    assert filled.grants.assignments.current == before


def test_reset_forgets_who_may_what(filled: Emulator) -> None:
    filled.reset()
    assert [each.principal for each in filled.grants.assignments.current] == [filled.directory.default.oid]
    assert filled.grants.find("own") is None
    for vault in filled.vaults.values():
        assert vault.access(START).policies == ()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: d.clear(), "control_plane must have exactly the members vaults, groups"),
        (lambda d: d["groups"].append(7), "control_plane.groups must be texts"),
        (lambda d: d["vaults"]["my"].pop("rbac"), r"control_plane.vaults.my must have exactly .*\['rbac'\]"),
        (lambda d: d["vaults"]["my"].update(retention_days=6), "retention_days must be 7 to 90"),
        (lambda d: d["vaults"]["my"].update(tags={"a": 1}), "tags must be texts"),
        (lambda d: d["vaults"]["my"]["policies"].append(7), r"policies: accessPolicies\[1\]"),
        (lambda d: d["roles"][0].update(rights=[{}]), r"roles\[0\].rights must have exactly"),
        (lambda d: d["assignments"][0].update(details={"a": 1}), r"assignments\[0\].details must be texts"),
        (lambda d: d["identities"][0].update(groups=[1]), r"identities\[0\].groups must be texts"),
    ],
)
def test_a_spoilt_one_is_refused_and_changes_nothing(filled: Emulator, spoil: Any, message: str) -> None:
    other = emulator()
    before, document = other.snapshot(), copied(filled)
    spoil(document["control_plane"])
    with pytest.raises(ValueError, match=message):
        other.restore(document)
    assert other.snapshot() == before
    contents = copied(filled)
    contents["vaults"]["my"] = []
    with pytest.raises(ValueError, match=r"vaults\.my"):
        other.restore(copy.deepcopy(contents))
    contents = copied(filled)
    contents["control_plane"]["vaults"]["no name"] = contents["control_plane"]["vaults"]["made"]
    with pytest.raises(ValueError, match="name must be like"):
        other.restore(contents)
    assert {vault.name for vault in other.vaults.values()} == {"my"}  # those that it would have made again are not left
