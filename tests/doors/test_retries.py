"""What is repeated, when, and for how long: through the SDK's own pipeline, on a virtual clock."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.pipeline.policies import AsyncRetryPolicy, RetryPolicy, SansIOHTTPPolicy
from azure.core.rest import HttpRequest
from colours import Colour
from doubles import InfoCredential, sent, watched
from urllib3.exceptions import NewConnectionError

from safekv.errors import DeadlineExceeded
from safekv.testing import LocalKeyVault

NETWORK = ["reset-before", "reset-after", "black-hole", "truncated"]


def get(client: Any, **options: Any) -> Any:
    return client.get_secret("greeting", **options)


def elapsed(local: LocalKeyVault, call: Callable[[], Any]) -> float:
    """Seconds of the emulator's clock that a call takes, whether it succeeds or fails."""
    before = local.emulator.clock.monotonic()
    with contextlib.suppress(Exception):
        call()
    return local.emulator.clock.monotonic() - before


def given(colour: Colour, local: LocalKeyVault) -> Any:
    """The transport that ``LocalKeyVault`` itself uses."""
    return local.transport(colour.name)


def statuses(local: LocalKeyVault) -> list[Any]:
    return [entry.status for entry in sent(local)]


# Throttling


def test_waits_grow_and_differ_when_the_vault_says_nothing(colour: Colour, local: LocalKeyVault) -> None:
    transport = watched(colour, local)
    client = colour.client(local, transport=transport)
    runs = []
    for _ in range(3):
        local.fail(operation="get_secret", status=429, count=4)
        assert colour.run(get(client)).value == "hello"
        runs.append(transport.sleeps[-4:])
    for run in runs:
        for wait, longest in zip(run, (1, 2, 4, 8), strict=True):
            assert longest / 2 <= wait <= longest
    assert len({tuple(run) for run in runs}) == 3


def test_throttling_without_end_is_over_before_the_deadline(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation="get_secret", status=429, count=None)
    client = colour.client(local)
    for timeout in (0.2, 5, 30, 120):
        with pytest.raises(HttpResponseError, match="Throttled") as caught:
            colour.run(get(client, timeout=timeout))
        assert caught.value.status_code == 429
        assert elapsed(local, lambda timeout=timeout: colour.run(get(client, timeout=timeout))) <= timeout  # type: ignore[misc]


@pytest.mark.parametrize(
    ("style", "seconds"), [("seconds", 3), ("http-date", 7), ("retry-after-ms", 0.25), ("x-ms-retry-after-ms", 0.25)]
)
def test_retry_after_is_honoured(colour: Colour, local: LocalKeyVault, style: str, seconds: float) -> None:
    local.fail(operation="get_secret", status=429, count=2, retry_after=seconds, retry_after_style=style)
    transport = watched(colour, local)
    assert colour.run(get(colour.client(local, transport=transport))).value == "hello"
    for wait in transport.sleeps:
        assert wait == pytest.approx(seconds, abs=1.0 if style == "http-date" else 1e-6)  # dates have no fractions
    assert len(transport.sleeps) == 2


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "3", "retry-after-ms": "250"}, 3),
        ({"retry-after-ms": "10.5"}, 0.0105),
    ],
)
def test_other_forms_of_retry_after(colour: Colour, local: LocalKeyVault, headers: dict[str, str], wait: float) -> None:
    local.fail(operation="get_secret", status=429)
    transport = watched(colour, local, headers=headers)
    assert colour.run(get(colour.client(local, transport=transport))).value == "hello"
    assert transport.sleeps == [wait]


@pytest.mark.parametrize(
    "text",
    [
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
        "Mon",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Thu, 01 Jan 0000 00:00:00 GMT",
        "9" * 400,
        "Fri, 31 Dec 9999 23:59:59 -2359",
    ],
)
def test_garbage_in_retry_after_does_no_harm(colour: Colour, local: LocalKeyVault, text: str) -> None:
    for name in ("Retry-After", "retry-after-ms", "x-ms-retry-after-ms"):
        local.fail(operation="get_secret", status=429)
        client = colour.client(local, transport=watched(colour, local, headers={name: text}))

        before = local.emulator.clock.monotonic()
        with contextlib.suppress(HttpResponseError):
            assert colour.run(get(client)).value == "hello"
        assert local.emulator.clock.monotonic() - before < 30
        assert set(statuses(local)) <= {200, 429}
    assert len(local.emulator.faults) == 3


@pytest.mark.parametrize("text", ["31", "86400", "1e9", "inf", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_retry_after_beyond_the_deadline_returns_the_429_at_once(
    colour: Colour, local: LocalKeyVault, text: str
) -> None:
    local.fail(operation="get_secret", status=429, count=None)
    transport = watched(colour, local, headers={"Retry-After": text})
    client = colour.client(local, transport=transport)
    with pytest.raises(HttpResponseError) as caught:
        colour.run(get(client))
    assert caught.value.status_code == 429
    if text != "inf":
        assert transport.sleeps == []
        assert statuses(local) == [429]
    transport.sleeps.clear()
    with pytest.raises(HttpResponseError) as caught:
        colour.run(get(client, timeout=1))
    assert caught.value.status_code == 429
    assert sum(transport.sleeps) < 1


def test_a_longer_deadline_waits_for_it(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation="get_secret", status=429, retry_after=3000)
    assert elapsed(local, lambda: colour.run(get(colour.client(local), timeout=4000))) == pytest.approx(3000, abs=1)
    assert statuses(local) == [429, 200]


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


# Faults of the service and of the network


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_reads_are_repeated_after_a_fault_of_the_service(colour: Colour, local: LocalKeyVault, status: int) -> None:
    local.fail(operation="get_secret", status=status, count=3)
    assert colour.run(get(colour.client(local))).value == "hello"
    local.fail(operation="get_secret", status=status, count=None)
    local.journal.clear()
    with pytest.raises(HttpResponseError) as caught:
        colour.run(get(colour.client(local)))
    assert caught.value.status_code == status
    assert statuses(local) == [status] * 4


@pytest.mark.parametrize("network", NETWORK)
def test_reads_are_repeated_after_a_fault_of_the_network(colour: Colour, local: LocalKeyVault, network: str) -> None:
    client = colour.client(local, read_timeout=2)
    local.fail(operation="get_secret", network=network, count=2)
    assert colour.run(get(client, read_timeout=2)).value == "hello"
    assert [entry.fault for entry in sent(local)] == [network, network, None]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 501])
def test_what_repeating_cannot_help_is_not_repeated(colour: Colour, local: LocalKeyVault, status: int) -> None:
    local.fail(operation="get_secret", status=status, count=None, retry_after=1)
    with pytest.raises(HttpResponseError) as caught:
        colour.run(get(colour.client(local)))
    assert caught.value.status_code == status
    assert len(sent(local)) == 1
    assert local.emulator.clock.monotonic() == 0


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_write_is_not_repeated_after_a_fault_of_the_service(
    colour: Colour, local: LocalKeyVault, status: int
) -> None:
    client = colour.client(local)
    for retry_after in (None, 1):
        local.journal.clear()
        local.fail(operation="set_secret", status=status, retry_after=retry_after)
        with pytest.raises(HttpResponseError) as caught:
            colour.run(client.set_secret("greeting", "again"))
        assert caught.value.status_code == status
        assert [entry.method for entry in sent(local)] == ["PUT"]


@pytest.mark.parametrize("network", NETWORK)
def test_a_write_is_not_repeated_when_it_may_have_been_done(colour: Colour, local: LocalKeyVault, network: str) -> None:
    local.fail(operation="set_secret", network=network)
    with pytest.raises(AzureError):
        colour.run(colour.client(local).set_secret("greeting", "again", read_timeout=2))
    assert [entry.method for entry in sent(local)] == ["PUT"]


def test_what_the_caller_was_handling_does_not_count(colour: Colour, local: LocalKeyVault) -> None:
    """An earlier error of the application's own is no reason to send a write twice."""
    for mine in (ConnectionRefusedError("the application's database"), NewConnectionError(None, "its cache")):  # type: ignore[arg-type]
        local.fail(operation="set_secret", network="reset-after")
        client = colour.client(local)
        local.journal.clear()
        try:
            raise mine
        except Exception:
            with pytest.raises((ServiceResponseError, ServiceRequestError)):
                colour.run(client.set_secret("greeting", "again"))
        assert [entry.method for entry in sent(local)] == ["PUT"]


def test_nor_does_a_certificate_that_the_caller_met(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation="get_secret", network="reset-after")
    client = colour.client(local)
    try:
        raise ssl.SSLCertVerificationError(1, "the application's own")
    except ssl.SSLError:
        assert colour.run(get(client)).value == "hello"


@pytest.mark.parametrize("operation", ["get_secret", "update_secret_properties", "backup_secret"])
def test_what_may_safely_be_done_twice_is_repeated(colour: Colour, local: LocalKeyVault, operation: str) -> None:
    local.fail(operation=operation, network="reset-after")
    local.fail(operation=operation, status=503)
    client = colour.client(local)
    arguments = {"tags": {"a": "b"}} if operation == "update_secret_properties" else {}
    colour.run(getattr(client, operation)("greeting", **arguments))
    assert [entry.fault for entry in sent(local)] == ["reset-after", "503", None]


def test_a_certificate_that_does_not_verify_is_final(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(network="bad-certificate", count=None)
    with pytest.raises(ServiceRequestError, match="CERTIFICATE_VERIFY_FAILED"):
        colour.run(get(colour.client(local)))
    assert len(list(local.journal)) == 1


@pytest.mark.parametrize("network", ["dns", "refused"])
@pytest.mark.parametrize("write", [False, True])
def test_a_vault_that_cannot_be_reached_is_tried_a_few_times(
    colour: Colour, local: LocalKeyVault, network: str, write: bool
) -> None:
    client = colour.client(local)
    local.fail(network=network, count=None)
    with pytest.raises(ServiceRequestError):
        colour.run(client.set_secret("greeting", "again") if write else get(client))
    assert len(list(local.journal)) == 4  # nothing was sent, so that even a write may be
    assert local.emulator.clock.monotonic() < 3


@pytest.mark.parametrize("kind", [watched, given])
def test_a_black_hole_is_left_at_the_deadline(colour: Colour, local: LocalKeyVault, kind: Any) -> None:
    client = colour.client(local, transport=kind(colour, local))
    local.fail(network="black-hole", count=None)
    for timeout in (0.5, 30):
        with pytest.raises(AzureError):
            colour.run(get(client, timeout=timeout))
        assert elapsed(local, lambda timeout=timeout: colour.run(get(client, timeout=timeout))) <= timeout + 0.001  # type: ignore[misc]


def test_a_transport_that_waits_for_ever_is_left_at_the_deadline(colour: Colour, local: LocalKeyVault) -> None:
    transport = watched(colour, local, read_timeout=None)
    local.fail(network="black-hole", count=None)
    assert elapsed(local, lambda: colour.run(get(colour.client(local, transport=transport)))) <= 30.001


@pytest.mark.parametrize("kind", [watched, given])
def test_slow_answers_are_left_at_the_deadline(colour: Colour, local: LocalKeyVault, kind: Any) -> None:
    local.fail(operation="get_secret", delay=8.0, count=None)
    client = colour.client(local, transport=kind(colour, local))
    assert elapsed(local, lambda: colour.run(get(client, timeout=5))) <= 5.001
    assert colour.run(get(client)).value == "hello"


# Whose fault it is not: credentials


def test_a_credential_that_fails_is_asked_once_per_call(colour: Colour, local: LocalKeyVault) -> None:
    credential = InfoCredential()
    credential.fails = 99
    client = colour.client(local, credential=credential)
    for number in (1, 2):
        with pytest.raises(ClientAuthenticationError, match="no token today"):
            colour.run(get(client))
        assert len(credential.asked) == number
    assert local.emulator.clock.monotonic() == 0


# Knobs


def test_no_retries(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation="get_secret", status=429, count=None)
    for client, options in (
        (colour.client(local, retry_total=0), {}),
        (colour.client(local), {"retry_total": 0}),
        (colour.client(local, retry_status=0), {}),
        (colour.client(local, retry_total=9), {"retry_status": 0}),
    ):
        local.journal.clear()
        with pytest.raises(HttpResponseError, match="Throttled"):
            colour.run(get(client, **options))
        assert statuses(local) == [429]


def test_a_call_has_the_last_word_on_the_number(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation="get_secret", status=503, count=None)
    client = colour.client(local, retry_status=1)
    for options, attempts in (({}, 2), ({"retry_status": 5}, 6), ({"retry_total": 0}, 1), ({}, 2)):
        local.journal.clear()
        with pytest.raises(HttpResponseError):
            colour.run(get(client, **options))
        assert len(sent(local)) == attempts


def test_numbers_for_the_network(colour: Colour, local: LocalKeyVault) -> None:
    for network, keyword in (("dns", "retry_connect"), ("reset-before", "retry_read")):
        local.emulator.clear_faults()
        local.fail(network=network, count=None)
        local.journal.clear()
        with pytest.raises(AzureError):
            colour.run(get(colour.client(local), **{keyword: 1}))
        assert len(list(local.journal)) == 2


def test_back_off_keywords(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation="get_secret", status=503, count=None)
    transport = watched(colour, local)
    with pytest.raises(HttpResponseError):
        colour.run(
            get(colour.client(local, transport=transport, retry_backoff_factor=2, retry_backoff_max=3, retry_status=4))
        )
    assert all(longest / 2 <= wait <= longest for wait, longest in zip(transport.sleeps, (2, 3, 3, 3), strict=True))
    transport.sleeps.clear()
    with pytest.raises(HttpResponseError):
        colour.run(get(colour.client(local, transport=transport), retry_backoff_factor=-1))
    assert transport.sleeps == [0, 0, 0]


def test_a_policy_of_the_users_own(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation="get_secret", status=503, count=None)
    kind = RetryPolicy if colour.loop is None else AsyncRetryPolicy
    with pytest.raises(HttpResponseError):
        colour.run(get(colour.client(local, retry_policy=kind(retry_total=2, retry_backoff_factor=0))))
    assert len(sent(local)) == 3


def test_timeouts_of_a_client_and_of_a_call(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation="get_secret", status=429, count=None)
    client = colour.client(local, timeout=4)
    assert elapsed(local, lambda: colour.run(get(client))) <= 4
    assert 4 < elapsed(local, lambda: colour.run(get(client, timeout=60))) <= 60
    assert elapsed(local, lambda: colour.run(get(client, timeout=None))) <= 4


@pytest.mark.parametrize("timeout", [0, -1, 0.0])
def test_no_time_at_all(colour: Colour, local: LocalKeyVault, timeout: float) -> None:
    for client, options in ((colour.client(local), {"timeout": timeout}), (colour.client(local, timeout=timeout), {})):
        with pytest.raises(DeadlineExceeded, match=r"get_secret on local\.vault\.azure\.net was not sent"):
            colour.run(get(client, **options))
    assert not list(local.journal)


def test_all_the_time_in_the_world(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local, timeout=float("inf"))
    assert colour.run(get(client)).value == "hello"
    assert colour.run(get(client, timeout=10**12)).value == "hello"


def test_methods_to_repeat(colour: Colour, local: LocalKeyVault) -> None:
    for client, options in (
        (colour.client(local), {"retry_on_methods": ["PUT"]}),
        (colour.client(local, retry_on_methods=["PUT"]), {}),
    ):
        local.journal.clear()
        local.fail(operation="set_secret", network="reset-before")
        colour.run(client.set_secret("greeting", "again", **options))
        assert [entry.method for entry in sent(local)] == ["PUT", "PUT"]


def test_statuses_to_repeat(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation="get_secret", status=409, count=2)
    assert colour.run(get(colour.client(local, retry_on_status_codes=[409]))).value == "hello"
    assert statuses(local) == [409, 409, 200]


def test_keywords_of_the_retry_do_not_reach_the_transport(colour: Colour, local: LocalKeyVault) -> None:
    transport = watched(colour, local)
    client = colour.client(local, transport=transport)
    keywords = {"retry_total": 1, "retry_connect": 1, "retry_read": 1, "retry_status": 1, "retry_backoff_factor": 1}
    colour.run(get(client, **keywords, retry_backoff_max=1, retry_on_methods=["GET"], timeout=9))
    for options in transport.options:
        assert not [name for name in options if name.startswith(("retry", "timeout"))]


# What is left of a call that ran out of time


def test_a_sleep_that_takes_too_long_does_not_hide_the_answer(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation="get_secret", status=429, count=None)
    client = colour.client(local, transport=watched(colour, local, overshoot=60))
    with pytest.raises(HttpResponseError) as caught:
        colour.run(get(client))
    assert caught.value.status_code == 429


def test_a_sleep_that_takes_too_long_does_not_hide_the_error(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local, transport=watched(colour, local, overshoot=60))
    local.fail(network="dns", count=None)
    with pytest.raises(ServiceRequestError) as caught:
        colour.run(get(client))
    assert not isinstance(caught.value, DeadlineExceeded)


# Around the policy


def test_paging_goes_on_after_a_429_in_the_middle(colour: Colour, local: LocalKeyVault) -> None:
    names = [f"name-{number:02}" for number in range(60)]
    for name in names:
        local.set_secret(name, "value", vault="paged")
    local.fail(operation="list_properties_of_secrets", status=429, nth=2, count=2)
    local.fail(operation="list_properties_of_secrets", status=503, nth=2)
    client = colour.client(local, vault="paged")
    assert sorted(item.name for item in colour.items(client.list_properties_of_secrets(max_page_size=25))) == names
    assert statuses(local).count(429) == 2


def test_send_request_does_not_raise_on_a_status(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local)
    local.fail(operation="get_secret", status=429)
    response = colour.run(client.send_request(HttpRequest("GET", "/secrets/greeting")))
    assert response.json()["value"] == "hello"
    assert colour.run(client.send_request(HttpRequest("GET", "/secrets/nothing"))).status_code == 404
    assert statuses(local) == [429, 200, 404]


class Counts(SansIOHTTPPolicy[Any, Any]):
    """Notes what tracing calls http.request.resend_count."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def on_request(self, request: Any) -> None:
        self.seen.append(request.context.get("retry_count"))


def test_attempts_are_counted_for_tracing(colour: Colour, local: LocalKeyVault) -> None:
    counts = Counts()
    local.fail(operation="get_secret", status=503, count=2)
    client = colour.client(local, per_retry_policies=[counts])
    colour.run(get(client, logging_enable=False))
    assert counts.seen[-3:] == [0, 1, 2]


def test_deleting_waits_on_the_clock_of_the_transport(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local)
    colour.delete(client, "greeting")
    assert colour.run(client.get_deleted_secret("greeting")).name == "greeting"
    assert local.emulator.clock.monotonic() > 0


def test_a_body_that_can_be_read_once_is_sent_once(local: LocalKeyVault) -> None:
    """After an attempt there is nothing left of it: a second one would store something else."""
    local.client.get_secret("greeting")
    local.journal.clear()
    local.fail(operation="set_secret", status=429, count=1)
    request = HttpRequest("PUT", "/secrets/streamed", content=iter([b'{"value": ', b'"x"}']))
    assert local.client.send_request(request).status_code == 429
    assert len(local.journal) == 1
