"""Failures on demand."""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from emulator_wire import START, Wire, decoded
from hypothesis import given
from hypothesis import strategies as some

from safekv.emulator import Emulator, Network, NetworkFault, Request, Response
from safekv.emulator._router import OPERATIONS
from safekv.errors._catalogue import ROWS

OK = 200


@pytest.fixture
def wire() -> Wire:
    wire = Wire()
    wire.vault.set_secret("name", "v")
    return wire


def statuses(wire: Wire, times: int, path: str = "/secrets/name") -> list[int]:
    return [wire.get(path).status for _ in range(times)]


def test_a_status_for_some_requests(wire: Wire) -> None:
    fault = wire.emulator.fail(status=503, count=2)
    assert statuses(wire, 4) == [503, 503, OK, OK]
    assert (fault.matched, fault.fired) == (4, 2)


def test_from_the_nth_request_on(wire: Wire) -> None:
    wire.emulator.fail(status=503, nth=3)
    assert statuses(wire, 5) == [OK, OK, 503, OK, OK]
    wire.emulator.fail(status=500, nth=2, count=None)
    assert statuses(wire, 4) == [OK, 500, 500, 500]


def test_chance_is_repeatable() -> None:
    def run() -> list[int]:
        wire = Wire()
        wire.emulator.fail(status=503, probability=0.3, count=None)
        return statuses(wire, 1_000, "/secrets")

    assert run() == run()
    assert 250 < run().count(503) < 350


def test_a_fault_meets_only_what_it_is_given(wire: Wire) -> None:
    emulator = wire.emulator
    other = emulator.add_vault("other")
    emulator.fail(operation="set_secret", method="put", path="/secrets/app-[0-9]+$", vault="MY", status=500, count=None)
    assert wire.put("/secrets/app-1", {"value": "v"}).status == 500
    assert wire.put("/secrets/app-x", {"value": "v"}).status == OK
    assert wire.get("/secrets/app-1").status == 404
    wire.vault = other
    assert wire.put("/secrets/app-1", {"value": "v"}).status == OK
    emulator.fail(vault="other.vault.azure.net", status=502)
    assert wire.get("/secrets").status == 502


def test_operations_go_by_the_names_of_the_sdk(wire: Wire) -> None:
    assert set(OPERATIONS) >= {"get_secret", "set_secret", "update_secret_properties", "restore_secret_backup"}
    wire.emulator.fail(operation="begin_delete_secret", status=500)
    assert wire.delete("/secrets/name").status == 500
    wire.emulator.fail(operation="begin_recover_deleted_secret", status=501)
    assert wire.post("/deletedsecrets/name/recover").status == 501
    with pytest.raises(ValueError, match="operation='read_secret' is unknown; known: set_secret, get_secret"):
        wire.emulator.fail(operation="read_secret", status=500)


def test_the_first_leg_passes_faults_by_operation(wire: Wire) -> None:
    token, wire.token = wire.token, None
    by_operation = wire.emulator.fail(operation="get_secret", status=429, count=2)
    about_tokens = wire.emulator.fail(error="401_sigkey")
    assert statuses(wire, 3) == [401] * 3
    assert by_operation.matched == about_tokens.matched == 0
    wire.token = token
    assert statuses(wire, 4) == [429, 429, 401, OK]


def test_other_faults_meet_the_first_leg_too(wire: Wire) -> None:
    wire.token = None
    wire.emulator.fail(path="/secrets", status=500)
    wire.emulator.fail(network="refused")
    assert wire.get("/secrets/name").status == 500
    assert isinstance(wire.send("GET", "/secrets/name"), NetworkFault)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_every_error_of_the_catalogue(wire: Wire, row: Any) -> None:
    wire.emulator.fail(error=row.id)
    answer = wire.get("/secrets/name")
    assert answer.status == row.status
    if row.code is None:
        assert answer.json is None
    else:
        assert (answer.code, answer.inner_code) == (row.code, row.inner_code)
        assert "<vault>" not in answer.message
        assert "<name>" not in answer.message
    assert ("WWW-Authenticate" in answer.headers) == (row.status == 401)


@pytest.mark.parametrize(
    ("status", "code"), [(429, "Throttled"), (403, "Forbidden"), (500, "InternalServerError"), (599, "Error")]
)
def test_bodies_of_bare_statuses(wire: Wire, status: int, code: str) -> None:
    wire.emulator.fail(status=status)
    answer = wire.get("/secrets/name")
    assert (answer.status, answer.code) == (status, code)


def test_pages_and_bodies(wire: Wire) -> None:
    emulator = wire.emulator
    emulator.fail(html=True)
    emulator.fail(html=True, status=502, body="<p>down</p>")
    emulator.fail(body={"odd": 1})
    emulator.fail(status=500, body=b"\xff")
    replies = [wire.send("GET", "/secrets/name") for _ in range(4)]
    shown = [(each.status, each.headers["Content-Type"], each.body) for each in replies if isinstance(each, Response)]
    assert shown[0][:2] == (200, "text/html; charset=utf-8")
    assert shown[0][2].startswith(b"<!DOCTYPE html>")
    assert shown[1:] == [
        (502, "text/html; charset=utf-8", b"<p>down</p>"),
        (200, "application/json; charset=utf-8", b'{"odd": 1}'),
        (500, "application/json; charset=utf-8", b"\xff"),
    ]


@pytest.mark.parametrize(
    ("style", "given_seconds", "header", "value"),
    [
        ("seconds", 3, "Retry-After", "3"),
        ("seconds", 0.2, "Retry-After", "1"),
        ("retry-after-ms", 0.25, "retry-after-ms", "250"),
        ("x-ms-retry-after-ms", 1, "x-ms-retry-after-ms", "1000"),
    ],
)
def test_retry_after(wire: Wire, style: str, given_seconds: float, header: str, value: str) -> None:
    wire.emulator.fail(status=503, retry_after=given_seconds, retry_after_style=style)
    assert wire.get("/secrets/name").headers[header] == value


def test_retry_after_in_the_past(wire: Wire) -> None:
    wire.emulator.fail(status=429, retry_after=-5, retry_after_style="http-date")
    assert parsedate_to_datetime(wire.get("/secrets/name").headers["Retry-After"]).timestamp() == START - 5


@pytest.mark.parametrize(
    "kind", [Network.DNS, Network.REFUSED, Network.BAD_CERTIFICATE, Network.RESET_BEFORE, Network.BLACK_HOLE]
)
def test_broken_before_the_request_is_processed(wire: Wire, kind: Network) -> None:
    wire.emulator.fail(operation="set_secret", network=kind, delay=2)
    assert wire.send("PUT", "/secrets/new", {"value": "v"}) == NetworkFault(kind, None, 2)
    assert wire.get("/secrets/new").status == 404


@pytest.mark.parametrize("kind", ["reset-after", "truncated"])
def test_broken_after_the_request_was_processed(wire: Wire, kind: str) -> None:
    wire.emulator.fail(operation="set_secret", network=kind)
    reply = wire.send("PUT", "/secrets/new", {"value": "v"})
    assert isinstance(reply, NetworkFault)
    assert reply.kind.value == kind
    assert wire.get("/secrets/new").json["value"] == "v"
    if kind == "truncated":
        assert reply.response is not None
        assert json.loads(reply.response.body)["value"] == "v"
    else:
        assert reply.response is None


def test_delays(wire: Wire) -> None:
    wire.emulator.fail(delay=1.5, count=None)
    wire.emulator.fail(delay={"uniform": [2, 3]}, count=None)
    reply = wire.send("GET", "/secrets/name")
    assert isinstance(reply, Response)
    assert reply.status == OK
    assert 3.5 <= reply.delay <= 4.5
    wire.emulator.fail(status=500, delay=10)
    failed = wire.send("GET", "/secrets/name")
    assert isinstance(failed, Response)
    assert (failed.status, failed.delay > 13) == (500, True)


def test_delays_from_a_distribution(wire: Wire) -> None:
    wire.emulator.fail(delay={"lognormal": [0.02, 1.0]}, count=None)
    replies = [wire.send("GET", "/secrets/name") for _ in range(999)]
    delays = sorted(reply.delay for reply in replies)
    assert 0.017 < delays[499] < 0.023
    assert delays[-1] > 0.1
    wire.emulator.clear_faults()
    wire.emulator.fail(delay={"lognormal": [600, 10]}, count=None)
    assert max(wire.send("GET", "/secrets/name").delay for _ in range(50)) == 600


def test_removing_and_clearing(wire: Wire) -> None:
    first = wire.emulator.fail(status=500, count=None)
    wire.emulator.fail(status=501, count=None)
    first.remove()
    first.remove()
    assert statuses(wire, 1) == [501]
    assert len(wire.emulator.faults) == 1
    wire.emulator.clear_faults()
    assert statuses(wire, 1) == [OK]


def test_a_fault_that_is_used_up_lets_the_next_one_in(wire: Wire) -> None:
    wire.emulator.fail(status=500)
    wire.emulator.fail(status=501)
    assert statuses(wire, 3) == [500, 501, OK]


def test_a_refused_answer_does_not_touch_the_vault_or_its_limits(wire: Wire) -> None:
    wire.emulator.fail(status=500, count=None)
    wire.put("/secrets/new", {"value": "v"})
    wire.emulator.clear_faults()
    assert wire.get("/secrets/new").status == 404


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "a fault needs something to do: status=503"),
        ({"status": 99}, "status must be 200 to 599, such as 503, not 99"),
        ({"status": "500"}, "status must be"),
        ({"error": "nope"}, "error='nope' is unknown; known: 401_challenge"),
        ({"network": "nope"}, "network='nope' is unknown; known: dns, refused"),
        ({"network": "dns", "status": 500}, "a network failure or an answer"),
        ({"error": "429", "status": 500}, "error brings its own status and body"),
        ({"error": "429", "html": True}, "error brings its own status and body"),
        ({"status": 500, "path": "("}, "not a regular expression such as"),
        ({"status": 500, "nth": 0}, "nth must be a number of requests >= 1, or None, not 0"),
        ({"status": 500, "count": 0}, "count must be"),
        ({"status": 500, "count": True}, "count must be"),
        ({"status": 500, "probability": 1.1}, "probability must be 0 to 1, such as 0.1, not 1.1"),
        ({"status": 500, "delay": -1}, "delay must be 0 to 600 seconds"),
        ({"delay": {"uniform": [2, 1]}}, "delay must be"),
        ({"delay": {"uniform": [1]}}, "delay must be"),
        ({"delay": {"lognormal": [0, 1]}}, "delay must be"),
        ({"delay": {"normal": [0, 1]}}, "delay must be"),
        ({"delay": float("nan")}, "delay must be"),
        ({"status": 500, "retry_after": "3"}, "retry_after must be a number of seconds, such as 3, not '3'"),
        ({"delay": 1, "retry_after": 3}, "retry_after needs an answer to stand in"),
        ({"status": 500, "retry_after_style": "days"}, "retry_after_style='days' is unknown"),
        ({"body": 5}, "body must be a text, bytes, or an object or list that JSON can hold, not this int"),
        ({"body": {"a": {1}}}, "body must be"),
        ({"body": "\ud800"}, "body must be"),
        ({"status": 500, "method": 1}, "method must be a text, not 1"),
        ({"html": 1}, "html must be True or False, not 1"),
    ],
)
def test_bad_faults(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        Emulator().fail(**wrong)


def test_there_is_an_end_to_faults() -> None:
    emulator = Emulator()
    for _ in range(1_000):
        emulator.fail(status=500)
    with pytest.raises(ValueError, match="1000 faults already"):
        emulator.fail(status=500)


@given(
    some.lists(some.tuples(some.integers(1, 4) | some.none(), some.integers(1, 3) | some.none()), max_size=4),
    some.integers(0, 12),
)
def test_faults_count_as_they_say(rules: list[tuple[int | None, int | None]], requests: int) -> None:
    wire = Wire()
    faults = [wire.emulator.fail(status=500 + index, nth=nth, count=count) for index, (nth, count) in enumerate(rules)]
    seen = statuses(wire, requests, "/secrets")
    for index, fault in enumerate(faults):
        assert seen.count(500 + index) == fault.fired <= (fault.count or requests)
        assert fault.fired <= max(0, fault.matched - (fault.nth or 1) + 1)
    assert decoded(wire.send("GET", "/secrets", maxresults="1")).status in (200, *range(500, 505))


def test_an_unknown_authority_does_not_resolve() -> None:
    emulator = Emulator()
    emulator.fail(status=500)
    assert emulator.handle(Request("GET", "nobody.vault.azure.net", "/secrets")) == NetworkFault(Network.DNS)
