"""A vault that answers 429, through the SDK's own pipeline, on a virtual clock."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.rest import HttpRequest
from colours import Colour
from doubles import sent, watched

import safekv
from safekv.errors import InvalidArgument, ManyCredentialsWarning, VaultThrottled
from safekv.events import Event, GateChanged, GaveUp, Throttled, Waiting
from safekv.testing import LocalCredential, LocalKeyVault

READ = "get_secret"


def get(client: Any, **options: Any) -> Any:
    return client.get_secret("greeting", **options)


def statuses(local: LocalKeyVault) -> list[Any]:
    return [entry.status for entry in sent(local)]


def now(local: LocalKeyVault) -> float:
    return local.emulator.clock.monotonic()


@pytest.fixture
def events() -> Any:
    seen: list[Event] = []
    off = safekv.subscribe(seen.append)
    yield seen
    off()


# Waiting


def test_waits_differ_between_processes_when_the_vault_says_nothing(colour: Colour, local: LocalKeyVault) -> None:
    """The SDK repeats at once, then after 1.6 and 3.2 s, in every process at the same moment."""
    runs = set()
    for _ in range(3):
        transport = watched(colour, local)
        local.fail(operation=READ, status=429, count=4)
        assert colour.run(get(colour.client(local, transport=transport))).value == "hello"
        assert sum(transport.sleeps) > 1
        runs.add(tuple(transport.sleeps))
    assert len(runs) == 3


def test_throttling_without_end_is_over_before_the_deadline(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation=READ, status=429, count=None)
    for timeout in (0.2, 5, 30, 120):
        client = colour.client(local, transport=watched(colour, local))
        before = now(local)
        with pytest.raises(VaultThrottled, match="Throttled") as caught:
            colour.run(get(client, timeout=timeout))
        assert caught.value.status_code == 429
        assert caught.value.retry_in is not None
        assert now(local) - before <= timeout


def test_a_vault_that_throttles_for_six_seconds_fails_nobody(colour: Colour, local: LocalKeyVault) -> None:
    """The SDK gives up after 4.8 s, whoever calls."""
    clock = local.emulator.clock
    local.fail(operation=READ, status=429, count=None)
    transport = watched(colour, local)
    client = colour.client(local, transport=transport)
    nap = transport.clock.advance

    def until_it_is_over(seconds: float) -> float:
        result: float = nap(seconds)
        if clock.monotonic() >= 6:
            local.emulator.clear_faults()
        return result

    clock.advance = until_it_is_over
    assert colour.run(get(client)).value == "hello"
    assert 6 <= clock.monotonic() < 12


@pytest.mark.parametrize(
    ("style", "seconds"), [("seconds", 3), ("http-date", 7), ("retry-after-ms", 0.25), ("x-ms-retry-after-ms", 0.25)]
)
def test_a_call_does_not_come_back_before_its_own_retry_after(
    colour: Colour, local: LocalKeyVault, style: str, seconds: float
) -> None:
    local.fail(operation=READ, status=429, count=2, retry_after=seconds, retry_after_style=style)
    assert colour.run(get(colour.client(local, transport=watched(colour, local)))).value == "hello"
    times = [entry.time for entry in sent(local)]
    for earlier, later in itertools.pairwise(times):
        assert later - earlier >= seconds - (1.0 if style == "http-date" else 1e-6)  # dates have no fractions
    assert len(times) == 3


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "3", "retry-after-ms": "250"}, 3),
        ({"retry-after-ms": "10.5"}, 0.0105),
    ],
)
def test_other_forms_of_retry_after(colour: Colour, local: LocalKeyVault, headers: dict[str, str], wait: float) -> None:
    local.fail(operation=READ, status=429)
    transport = watched(colour, local, headers=headers)
    assert colour.run(get(colour.client(local, transport=transport))).value == "hello"
    assert wait <= transport.sleeps[0] <= 1.1 * wait


GARBAGE = [
    "soon",
    "",
    " ",
    "-5",
    "0",
    "-inf",
    "nan",
    "NaN",
    "1,5",
    "0x10",
    "Wed, 99 Foo 2026 25:61:61 GMT",
    "1e",
    "\u0663",
]
GARBAGE += ["Mon", "Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 01 Jan 0000 00:00:00 GMT", "9" * 400]
GARBAGE += ["Fri, 31 Dec 9999 23:59:59 -2359"]


@pytest.mark.parametrize("text", GARBAGE)
def test_garbage_in_retry_after_does_no_harm(colour: Colour, local: LocalKeyVault, text: str) -> None:
    for name in ("Retry-After", "retry-after-ms", "x-ms-retry-after-ms"):
        local.fail(operation=READ, status=429)
        client = colour.client(local, transport=watched(colour, local, headers={name: text}))
        before = now(local)
        with contextlib.suppress(HttpResponseError):
            assert colour.run(get(client)).value == "hello"
        assert now(local) - before < 30
        assert set(statuses(local)) <= {200, 429}
    assert len(local.emulator.faults) == 3


@pytest.mark.parametrize("text", ["31", "86400", "1e9", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_retry_after_beyond_the_deadline_fails_at_once(colour: Colour, local: LocalKeyVault, text: str) -> None:
    """The SDK sleeps it out, three times: a day, or until the end of time."""
    local.fail(operation=READ, status=429, count=None)
    transport = watched(colour, local, headers={"Retry-After": text})
    with pytest.raises(VaultThrottled) as caught:
        colour.run(get(colour.client(local, transport=transport)))
    assert transport.sleeps == []
    assert statuses(local) == [429]
    assert caught.value.retry_in is not None
    assert caught.value.retry_in >= 30
    assert "after one attempt" in str(caught.value)


def test_a_longer_deadline_waits_for_it(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation=READ, status=429, retry_after=3000)
    assert colour.run(get(colour.client(local), timeout=4000)).value == "hello"
    assert 3000 <= now(local) <= 3300 + 1
    assert statuses(local) == [429, 200]


@pytest.mark.parametrize("gate", ["window", "strict"])
def test_whom_a_retry_after_binds(colour: Colour, local: LocalKeyVault, gate: str) -> None:
    client = colour.client(local, gate=gate)
    local.fail(operation=READ, status=429, retry_after=9)
    with pytest.raises(VaultThrottled):
        colour.run(get(client, timeout=8))  # told to wait for 9 s
    before = now(local)
    assert colour.run(get(client)).value == "hello"  # another call
    assert (now(local) - before >= 9) is (gate == "strict")


def test_after_a_429_calls_queue_and_the_hopeless_are_refused_unsent(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local, transport=watched(colour, local))
    local.fail(operation=READ, status=429)
    with pytest.raises(VaultThrottled):
        colour.run(get(client, retry_total=0))
    count = len(sent(local))
    with pytest.raises(VaultThrottled, match="nothing was sent") as caught:
        colour.run(get(client, timeout=0.05))
    assert len(sent(local)) == count
    assert caught.value.retry_in is not None
    assert colour.run(get(client)).value == "hello"


def test_time_in_the_queue_is_no_time_for_the_socket(colour: Colour, local: LocalKeyVault) -> None:
    """25 s for a turn leave 5 s of 30 for the answer, not the usual 10."""
    local.fail(operation=READ, network="black-hole", count=None)
    client = colour.client(local, max_rate=0.04, transport=watched(colour, local))
    with pytest.raises(AzureError):
        colour.run(get(client))
    assert 25 <= now(local) <= 30.001


# Every write may be repeated: what was throttled was not done


@pytest.mark.parametrize(
    ("operation", "method"),
    [
        ("set_secret", "PUT"),
        ("update_secret_properties", "PATCH"),
        ("backup_secret", "POST"),
        ("restore_secret_backup", "POST"),
        ("delete_secret", "DELETE"),
        ("recover_deleted_secret", "POST"),
        ("purge_deleted_secret", "DELETE"),
    ],
)
def test_every_write_is_repeated_when_it_was_throttled(
    colour: Colour, local: LocalKeyVault, operation: str, method: str
) -> None:
    client = colour.client(local)
    backup = colour.run(client.backup_secret("greeting"))
    if operation in ("recover_deleted_secret", "purge_deleted_secret", "restore_secret_backup"):
        colour.delete(client, "greeting")
    if operation == "restore_secret_backup":
        colour.run(client.purge_deleted_secret("greeting"))
        local.advance(seconds=60)
    local.journal.clear()
    local.fail(operation=operation, status=429, count=2)
    calls: dict[str, Callable[[], Any]] = {
        "set_secret": lambda: client.set_secret("greeting", "again"),
        "update_secret_properties": lambda: client.update_secret_properties("greeting", tags={}),
        "backup_secret": lambda: client.backup_secret("greeting"),
        "restore_secret_backup": lambda: client.restore_secret_backup(backup),
        "delete_secret": lambda: colour.delete(client, "greeting"),
        "recover_deleted_secret": lambda: (
            client.begin_recover_deleted_secret("greeting").wait()
            if colour.loop is None
            else client.recover_deleted_secret("greeting")
        ),
        "purge_deleted_secret": lambda: client.purge_deleted_secret("greeting"),
    }
    colour.run(calls[operation]())
    assert [entry.status for entry in sent(local, method)][:2] == [429, 429]
    assert len(sent(local, method)) == 3
    assert sent(local, method)[2].status in (200, 204)


def test_paging_goes_on_after_a_429_in_the_middle(colour: Colour, local: LocalKeyVault) -> None:
    names = [f"name-{number:02}" for number in range(60)]
    for name in names:
        local.set_secret(name, "value", vault="paged")
    local.fail(operation="list_properties_of_secrets", status=429, nth=2, count=2)
    local.fail(operation="list_properties_of_secrets", status=503, nth=2)
    client = colour.client(local, vault="paged")
    assert sorted(item.name for item in colour.items(client.list_properties_of_secrets(max_page_size=25))) == names
    assert statuses(local).count(429) == 2


def test_send_request_gets_the_429_itself(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local)
    local.fail(operation=READ, status=429)
    response = colour.run(client.send_request(HttpRequest("GET", "/secrets/greeting")))
    assert response.json()["value"] == "hello"
    assert colour.run(client.send_request(HttpRequest("GET", "/secrets/nothing"))).status_code == 404
    assert statuses(local) == [429, 200, 404]
    local.fail(operation=READ, status=429, count=None)
    assert colour.run(client.send_request(HttpRequest("GET", "/secrets/greeting"), timeout=3)).status_code == 429
    assert colour.run(client.send_request(HttpRequest("GET", "/secrets/greeting"), retry_total=0)).status_code == 429


# Who shares a lane


def test_all_clients_of_a_vault_share_its_lanes(colour: Colour, local: LocalKeyVault) -> None:
    """The vault counts requests whoever sends them."""
    one = colour.client(local)
    with pytest.warns(ManyCredentialsWarning):
        other = colour.client(local, credential=LocalCredential(local.emulator))
    local.fail(operation=READ, status=429)
    with pytest.raises(VaultThrottled):
        colour.run(get(one, retry_total=0))
    assert other.lane_status()["secrets"].throttled == 1
    assert other.lane_status()["secrets"].on
    elsewhere = colour.client(local, vault="elsewhere")
    assert "secrets" not in elsewhere.lane_status()


def test_writes_are_counted_in_a_lane_of_their_own(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local)
    local.fail(operation="set_secret", status=429)
    colour.run(client.set_secret("new", "value"))
    colour.run(get(client))
    assert client.lane_status()["secrets:create"].throttled == 1
    assert not client.lane_status()["secrets"].on


def test_both_colours_share_a_lane() -> None:
    with LocalKeyVault() as local:
        local.set_secret("greeting", "hello")
        client, aio = safekv.secrets.SecretClient(local.url()), local.aio_client()
        plain = safekv.secrets.aio.SecretClient(local.url())
        client.get_secret("greeting")
        assert plain.lane_status()["secrets"].accepted == 1
        assert not aio.lane_status()  # by a transport of its own: who knows where that leads


def test_bulk_work_lets_others_go_first(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local, max_rate=1.0, transport=watched(colour, local))
    with safekv.bulk():
        assert colour.run(get(client)).value == "hello"
    status = client.lane_status()["secrets"]
    assert status.rate == pytest.approx(1.0)
    local.fail(operation=READ, status=429, count=None)
    before = now(local)
    with safekv.bulk(), pytest.raises(VaultThrottled):
        colour.run(get(client))
    assert 200 < now(local) - before <= 300  # bulk work has more time


# Knobs


def test_a_rate_from_the_start(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local, max_rate=5.0)
    for _ in range(11):
        colour.run(get(client))
    assert 2.0 <= now(local) <= 2.4


def test_a_share_of_the_documented_limit(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local, share=0.01)  # of 4,000 per 10 s
    for _ in range(10):
        colour.run(get(client))
    assert client.lane_status()["secrets"].rate == pytest.approx(0.97 * 4)


@pytest.mark.parametrize("options", [{"max_rate": 0}, {"share": 1.5}, {"gate": "ajar"}, {"min_rate": float("nan")}])
def test_knobs_that_make_no_sense(colour: Colour, local: LocalKeyVault, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument, match=next(iter(options))):
        colour.client(local, **options)


# What is told


def test_nothing_sleeps_silently(colour: Colour, local: LocalKeyVault, events: list[Event]) -> None:
    transport = watched(colour, local)
    client = colour.client(local, transport=transport)
    local.fail(operation=READ, status=429, count=2, retry_after=2)
    colour.run(get(client))
    host = "local.vault.azure.net"
    throttled = [event for event in events if isinstance(event, Throttled)]
    assert [event.attempt for event in throttled] == [1, 2]
    assert {(event.vault, event.operation, event.lane, event.retry_after) for event in throttled} == {
        (host, READ, "secrets", 2.0)
    }
    gates = [event for event in events if isinstance(event, GateChanged)]
    assert [event.seconds > 0 for event in gates] == [True, True, False]
    waits = [event.seconds for event in events if isinstance(event, Waiting)]
    assert sum(waits) >= 4
    assert not [event for event in events if isinstance(event, GaveUp)]
    assert "hello" not in repr(events)


def test_giving_up_is_told(colour: Colour, local: LocalKeyVault, events: list[Event]) -> None:
    local.fail(operation=READ, status=429, count=None)
    with pytest.raises(VaultThrottled):
        colour.run(get(colour.client(local, transport=watched(colour, local)), timeout=9))
    (end,) = [event for event in events if isinstance(event, GaveUp)]
    assert end.attempts >= 2
    assert end.elapsed <= 9
    assert end.retry_in is not None


def test_the_error_says_what_to_do(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation=READ, status=429, count=None)
    with pytest.raises(VaultThrottled) as caught:
        colour.run(get(colour.client(local), timeout=2))
    error = caught.value
    assert (error.vault, error.operation, error.code) == ("local.vault.azure.net", READ, "Throttled")
    assert error.transient
    text = str(error)
    for part in (
        "get_secret on local.vault.azure.net",
        "VaultRequestTypeLimitReached",
        "retry_in",
        "#http-429-too-many",
    ):
        assert part in text
