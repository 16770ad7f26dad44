"""Windows of time."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from emulator_wire import START, Wire
from hypothesis import given
from hypothesis import strategies as some

from safekv.emulator import EmulatorSettings, Limits
from safekv.emulator._throttle import Throttle

GAPS = some.lists(some.floats(0, 6, allow_nan=False) | some.sampled_from([0.0, 10.0]), max_size=120)


def admitted(limits: Limits, gaps: list[float]) -> tuple[list[float], list[tuple[float, float]]]:
    """When requests were admitted, and when others were refused with how long to wait."""
    throttle, now = Throttle(), START
    yes, no = [], []
    for gap in gaps:
        now += gap
        wait = throttle.refuse(limits, "other", now)
        if wait is None:
            yes.append(now)
        else:
            no.append((now, wait))
    return yes, no


@given(gaps=GAPS, most=some.integers(0, 8), sliding=some.booleans(), count_rejected=some.booleans())
def test_no_window_has_more_than_the_limit(gaps: list[float], most: int, sliding: bool, count_rejected: bool) -> None:
    yes, no = admitted(Limits(other=most, sliding=sliding, count_rejected=count_rejected), gaps)
    for begin in yes if sliding else {now // 10 * 10 for now in yes}:
        inside = [now for now in yes if begin <= now < begin + 10]
        assert len(inside) <= most
    assert all(0 < wait <= 10 for _, wait in no)


@given(gaps=GAPS, most=some.integers(1, 8))
def test_a_sliding_window_admits_as_soon_as_there_is_room(gaps: list[float], most: int) -> None:
    yes, no = admitted(Limits(other=most), gaps)
    for now, _ in no:
        assert len([each for each in yes if now - 10 < each <= now]) >= most


def test_after_the_wait_the_next_one_is_admitted() -> None:
    for limits in (Limits(other=3), Limits(other=3, sliding=False)):
        throttle = Throttle()
        waits = [throttle.refuse(limits, "other", START + 4) for _ in range(4)]
        assert waits[:3] == [None] * 3
        assert waits[3] is not None
        assert throttle.refuse(limits, "other", START + 4 + waits[3] + 1e-6) is None


def test_refused_requests_count_if_wanted() -> None:
    gaps = [1.0] * 40
    assert len(admitted(Limits(other=5), gaps)[0]) == 20
    assert len(admitted(Limits(other=5, count_rejected=True), gaps)[0]) == 5


def test_the_defaults_are_the_services() -> None:
    limits = Limits()
    assert (limits.secret_create, limits.other, limits.window) == (300, 4_000, 10.0)
    wire = Wire()
    statuses = [wire.put("/secrets/name", {"value": "v"}).status for _ in range(301)]
    assert statuses == [200] * 300 + [429]
    assert wire.get("/secrets/name").status == 200  # another class
    wire.advance(10)
    assert wire.put("/secrets/name", {"value": "v"}).status == 200


def test_4000_reads_per_window() -> None:
    wire = Wire()
    wire.vault.set_secret("name", "v")
    assert sum(wire.get("/secrets/name").status == 200 for _ in range(4_100)) == 4_000


def test_the_answer_is_the_recorded_one() -> None:
    wire = Wire(limits=Limits(other=0))
    answer = wire.get("/secrets/name")
    assert answer.status == 429
    assert answer.json == {
        "error": {
            "code": "Throttled",
            "message": "Request was not processed because too many requests were received. "
            "Reason: VaultRequestTypeLimitReached",
        }
    }
    assert not [name for name in answer.headers if "retry" in name.lower()]


@pytest.mark.parametrize(
    ("style", "header", "value"),
    [
        ("seconds", "Retry-After", "7"),
        ("retry-after-ms", "retry-after-ms", "6500"),
        ("x-ms-retry-after-ms", "x-ms-retry-after-ms", "6500"),
    ],
)
def test_retry_after(style: str, header: str, value: str) -> None:
    wire = Wire(limits=Limits(other=1, retry_after=style))
    wire.get("/secrets")
    wire.advance(3.5)
    assert wire.get("/secrets").headers[header] == value


def test_retry_after_as_a_date() -> None:
    wire = Wire(EmulatorSettings(limits=Limits(other=1, retry_after="http-date")))
    wire.get("/secrets")
    wire.advance(4)
    assert parsedate_to_datetime(wire.get("/secrets").headers["Retry-After"]).timestamp() == START + 10


def test_vaults_are_counted_apart_and_challenges_not_at_all() -> None:
    wire = Wire(EmulatorSettings(limits=Limits(other=1)))
    wire.token = None
    assert [wire.get("/secrets").status for _ in range(3)] == [401] * 3
    wire.token = "t"
    assert [wire.get("/secrets").status for _ in range(2)] == [200, 429]
    wire.vault = wire.emulator.add_vault("other")
    assert wire.get("/secrets").status == 200


def test_limits_change_while_it_runs() -> None:
    wire = Wire(limits=Limits(other=None))
    assert {wire.get("/secrets").status for _ in range(10)} == {200}
    wire.vault.limits = Limits(other=3)
    assert [wire.get("/secrets").status for _ in range(4)] == [200, 200, 200, 429]
    wire.vault.limits = Limits(other=4)
    assert [wire.get("/secrets").status for _ in range(2)] == [200, 429]
    wire.vault.limits = Limits(other=2)
    assert wire.get("/secrets").status == 429
    wire.emulator.reset()
    assert wire.get("/secrets").status == 200


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"other": -1}, "other must be 0 to 10000000 requests, or None for no limit, not -1"),
        ({"secret_create": 1.5}, "secret_create must be"),
        ({"other": True}, "other must be"),
        ({"window": 0}, "window must be 0.001 to 86400 seconds, such as 10.0, not 0"),
        ({"window": "10"}, "window must be"),
        ({"sliding": 1}, "sliding must be True or False, not 1"),
        ({"retry_after": "days"}, "retry_after='days' is unknown; known: seconds, http-date, retry-after-ms"),
    ],
)
def test_bad_limits(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Limits(**wrong)
