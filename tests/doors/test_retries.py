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
)
from azure.core.pipeline.policies import AsyncRetryPolicy, RetryPolicy, SansIOHTTPPolicy
from azure.core.rest import HttpRequest
from colours import Colour
from doubles import InfoCredential, sent, watched

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


@pytest.mark.parametrize("status", [400, 403, 404, 409, 501])
def test_what_repeating_cannot_help_is_not_repeated(colour: Colour, local: LocalKeyVault, status: int) -> None:
    local.fail(operation="get_secret", status=status, count=None, retry_after=1)
    with pytest.raises(HttpResponseError) as caught:
        colour.run(get(colour.client(local)))
    assert caught.value.status_code == status
    assert len(sent(local)) == 1
    assert local.emulator.clock.monotonic() == 0


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
    for options, attempts in (({}, 2), ({"retry_status": 4}, 5), ({"retry_total": 0}, 1), ({}, 2)):
        local.journal.clear()
        client._lease.connection.traffic.breaker.restore()
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
    transport = watched(colour, local)
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
    client = colour.client(local, timeout=1e300)
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
