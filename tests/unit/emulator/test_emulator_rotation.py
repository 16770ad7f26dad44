"""Rotation policies, and rotation by hand and on the clock."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from emulator_keys import ask, create, inside, value
from emulator_wire import START, Wire
from hypothesis import given
from hypothesis import strategies as some

from safekv.emulator import Limits
from safekv.emulator._duration import Duration
from safekv.emulator.keys._rotation import MOST_OVERDUE

DAY = 86_400
NOTIFY = {"trigger": {"timeBeforeExpiry": "P30D"}, "action": {"type": "Notify"}}


def rotate(after: str | None = None, before: str | None = None) -> dict[str, Any]:
    trigger = {"timeAfterCreate": after} if after else {"timeBeforeExpiry": before}
    return {"trigger": trigger, "action": {"type": "Rotate"}}


@pytest.fixture
def wire() -> Wire:
    return Wire(limits=Limits(key_create=None))


def versions(wire: Wire) -> list[dict[str, Any]]:
    """Attributes, oldest first."""
    items = wire.get("/keys/name/versions", maxresults="25").json["value"]
    return sorted((item["attributes"] for item in items), key=lambda each: each["created"])


def test_rotating_by_hand_makes_a_new_version_like_the_old_one(wire: Wire) -> None:
    old = create(wire, kty="RSA", key_size=3072, key_ops=["sign", "verify"], tags={"a": "b"}).json
    wire.put("/keys/name/rotationpolicy", {"attributes": {"expiryTime": "P90D"}})
    wire.advance(5)
    new = wire.post("/keys/name/rotate").json
    assert new["key"]["kid"] != old["key"]["kid"]
    assert new["key"]["n"] != old["key"]["n"]
    assert (new["tags"], new["key"]["key_ops"], new["attributes"]["key_size"]) == ({"a": "b"}, ["sign", "verify"], 3072)
    assert new["attributes"]["created"] == int(START) + 5
    assert new["attributes"]["exp"] == int(START) + 5 + 90 * DAY
    assert wire.get("/keys/name").json == new
    assert wire.get(f"/keys/name/{old['key']['kid'].rsplit('/', 1)[1]}").json == old


def test_what_was_wrapped_before_a_rotation_opens_with_its_own_version(wire: Wire) -> None:
    old = create(wire, kty="oct").json["key"]["kid"].rsplit("/", 1)[1]
    wrapped = value(ask(wire, "wrapkey", "A256KW", value=bytes(32)))
    wire.post("/keys/name/rotate")
    assert value(ask(wire, "unwrapkey", "A256KW", f"name/{old}", value=wrapped)) == bytes(32)
    assert ask(wire, "unwrapkey", "A256KW", value=wrapped).status == 400


@pytest.mark.parametrize(("kty", "shape"), [("EC", {"crv": "P-384"}), ("oct", {"key_size": 128})])
def test_the_shape_stays(wire: Wire, kty: str, shape: dict[str, Any]) -> None:
    create(wire, kty=kty, **shape)
    before = inside(wire)
    new = wire.post("/keys/name/rotate").json
    assert {**new["key"], **new["attributes"]}.items() >= shape.items()
    assert inside(wire) != before


def test_without_a_policy_a_vault_notifies_and_a_managed_hsm_does_nothing(wire: Wire) -> None:
    create(wire)
    policy = {"id": "https://my.vault.azure.net/keys/name/rotationpolicy", "attributes": {}}
    assert wire.get("/keys/name/rotationpolicy").json == {**policy, "lifetimeActions": [NOTIFY]}
    hsm = Wire(hsm=True)
    create(hsm)
    assert hsm.get("/keys/name/rotationpolicy").json["lifetimeActions"] == []


def test_setting_a_policy(wire: Wire) -> None:
    create(wire)
    policy = {"lifetimeActions": [rotate(after="P2M")], "attributes": {}}
    answer = wire.put("/keys/name/rotationpolicy", policy).json
    times = {"created": int(START), "updated": int(START)}
    assert answer == {
        "id": "https://my.vault.azure.net/keys/name/rotationpolicy",
        "lifetimeActions": [rotate(after="P2M"), NOTIFY],  # the service adds this one
        "attributes": times,
    }
    wire.advance(5)
    own = {"trigger": {"timeBeforeExpiry": "P60D"}, "action": {"type": "notify"}}
    answer = wire.put("/keys/name/rotationpolicy", {"lifetimeActions": [own], "attributes": {"expiryTime": "P90D"}})
    assert answer.json["lifetimeActions"] == [{**own, "action": {"type": "Notify"}}]
    assert answer.json["attributes"] == {"expiryTime": "P90D", **times, "updated": int(START) + 5}
    assert wire.get("/keys/name/rotationpolicy").json == answer.json


@pytest.mark.parametrize(
    "body",
    [
        {"lifetimeActions": [rotate(before="P30D")]},  # before which expiry?
        {"lifetimeActions": [rotate(after="P6D")]},
        {"lifetimeActions": [rotate(before="P27D")], "attributes": {"expiryTime": "P30D"}},
        {"attributes": {"expiryTime": "P27D"}},
        {"attributes": {"expiryTime": "90 days"}},
        {"attributes": {"expiryTime": 90}},
        {"attributes": []},
        {"lifetimeActions": {}},
        {"lifetimeActions": [NOTIFY] * 11},
        {"lifetimeActions": [1]},
        {"lifetimeActions": [{"trigger": {}, "action": {"type": "Notify"}}]},
        {"lifetimeActions": [{"trigger": {"timeAfterCreate": "P30D"}, "action": {"type": "Notify"}}]},
        {"lifetimeActions": [{**rotate(after="P30D"), "action": {"type": "Dance"}}]},
        {"lifetimeActions": [{**rotate(after="P30D"), "action": None}]},
        {"lifetimeActions": [{"trigger": {"timeAfterCreate": "P30D", "timeBeforeExpiry": "P30D"}, "action": {}}]},
    ],
)
def test_policies_that_make_no_sense(wire: Wire, body: Any) -> None:
    create(wire)
    answer = wire.put("/keys/name/rotationpolicy", body)
    assert (answer.status, answer.code) == (400, "BadParameter")
    assert wire.get("/keys/name/rotationpolicy").json["attributes"] == {}


def test_a_managed_hsm_wants_an_expiry() -> None:
    hsm = Wire(hsm=True)
    create(hsm)
    policy = {"lifetimeActions": [rotate(after="P6M")]}
    assert hsm.put("/keys/name/rotationpolicy", policy).status == 400
    answer = hsm.put("/keys/name/rotationpolicy", {**policy, "attributes": {"expiryTime": "P1Y"}})
    assert answer.json["lifetimeActions"] == [rotate(after="P6M")]


@pytest.mark.parametrize(
    ("policy", "period"),
    [
        ({"lifetimeActions": [rotate(after="P10D")]}, 10),
        ({"lifetimeActions": [rotate(before="P30D")], "attributes": {"expiryTime": "P40D"}}, 10),
        ({"lifetimeActions": [rotate(after="P20D"), rotate(before="P30D")], "attributes": {"expiryTime": "P40D"}}, 10),
    ],
)
def test_rotating_on_the_clock(wire: Wire, policy: dict[str, Any], period: int) -> None:
    create(wire, attributes={"exp": int(START) + 40 * DAY})
    wire.put("/keys/name/rotationpolicy", policy)
    wire.advance(period * DAY - 1)
    assert len(versions(wire)) == 1
    wire.advance(1)
    assert len(versions(wire)) == 2
    wire.advance(3 * period * DAY)
    assert [each["created"] - int(START) for each in versions(wire)] == [n * period * DAY for n in range(5)]
    expires = [each.get("exp") for each in versions(wire)[1:]]
    lasts = 40 * DAY if "attributes" in policy else None
    assert expires == [lasts and each["created"] + lasts for each in versions(wire)[1:]]


def test_whatever_reads_first_sees_the_rotated_key(wire: Wire) -> None:
    for read in ("/keys", "/keys/name", "/keys/name/versions"):
        wire.emulator.reset()
        create(wire)
        wire.put("/keys/name/rotationpolicy", {"lifetimeActions": [rotate(after="P10D")]})
        now = int(wire.emulator.clock.time())
        wire.advance(10 * DAY)
        answer = wire.get(read).json
        shown = answer.get("value", [answer])
        assert max(each["attributes"]["created"] for each in shown) == now + 10 * DAY


def test_a_deleted_key_rests_and_is_rotated_when_it_is_recovered(wire: Wire) -> None:
    create(wire)
    wire.put("/keys/name/rotationpolicy", {"lifetimeActions": [rotate(after="P10D")]})
    wire.delete("/keys/name")
    wire.advance(15 * DAY)
    assert wire.get("/deletedkeys/name").json["attributes"]["created"] == int(START)
    wire.post("/deletedkeys/name/recover")
    wire.advance(2)
    assert wire.get("/keys/name").json["attributes"]["created"] == int(START) + 10 * DAY


def test_a_century_is_made_up_for_in_bounds(wire: Wire) -> None:
    create(wire, kty="oct")
    wire.put("/keys/name/rotationpolicy", {"lifetimeActions": [rotate(after="P7D")]})
    wire.advance(36_500 * DAY)
    stored = wire.vault.keys.find("name", START)
    wire.get("/keys/name")
    assert stored is not None
    assert len(stored.versions) == 1 + MOST_OVERDUE
    assert wire.get("/keys/name").json["attributes"]["created"] > wire.emulator.clock.time() - 7 * DAY


def test_a_restart_forgets_no_rotation(wire: Wire) -> None:
    create(wire)
    wire.put("/keys/name/rotationpolicy", {"lifetimeActions": [rotate(after="P10D")]})
    document = wire.emulator.snapshot()
    wire.advance(10 * DAY)
    wire.emulator.restore(document)
    assert len(versions(wire)) == 2


# Durations


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("P90D", (2024, 1, 1), (2024, 3, 31)),
        ("P1M", (2024, 1, 31), (2024, 2, 29)),
        ("P1Y", (2024, 2, 29), (2025, 2, 28)),
        ("P1Y2M3W4D", (2023, 11, 15), (2025, 2, 9)),
        ("P2W", (2024, 12, 25), (2025, 1, 8)),
        ("PT48H", (2024, 1, 1), (2024, 1, 3)),
        ("P11M", (2024, 1, 31), (2024, 12, 31)),
    ],
)
def test_durations_go_by_the_calendar(text: str, start: tuple[int, int, int], end: tuple[int, int, int]) -> None:
    begin, finish = (datetime(*date, tzinfo=timezone.utc).timestamp() for date in (start, end))
    assert Duration.parse(text).after(begin) == finish


@given(some.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)), some.integers(1, 5_000), some.integers(0, 86_399))
def test_exact_durations_are_undone(moment: datetime, days: int, seconds: int) -> None:
    begin = moment.replace(microsecond=0, tzinfo=timezone.utc).timestamp()
    duration = Duration.parse(f"P{days}DT{seconds}S")
    assert duration.after(begin) == begin + timedelta(days=days, seconds=seconds).total_seconds()
    assert duration.before(duration.after(begin)) == begin


@given(some.text("PYMWDTHS0123456789", max_size=9))
def test_other_texts_are_no_durations(text: str) -> None:
    try:
        duration = Duration.parse(text)
    except ValueError:
        return
    assert text.startswith("P")
    assert duration.after(START) > START


@pytest.mark.parametrize("text", ["", "P", "PT", "P0D", "P-1D", "P1.5D", "1D", "p1d", "P1D ", "P\u0661D"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration such as P90D"):
        Duration.parse(text)


def test_beyond_every_calendar() -> None:
    assert Duration.parse("P99999Y").after(START) == float("inf")
