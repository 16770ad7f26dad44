"""What joins the client's view with the vault's log: ids in every request, event and error, and the User-Agent."""

from __future__ import annotations

import pickle
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from colours import Colour
from key_doors import Doors

import safekv
from safekv import events
from safekv.errors import AmbiguousWrite, SafeKVError, SecretNotFound, VaultThrottled, VaultUnavailable
from safekv.testing import LocalKeyVault

OF_A_CALL = (events.RequestFinished, events.CallFinished, events.Throttled, events.Waiting, events.GaveUp)


@pytest.fixture
def told() -> Iterator[list[Any]]:
    told: list[Any] = []
    stop = safekv.subscribe(told.append)
    yield told
    stop()


def ids(local: LocalKeyVault) -> set[str | None]:
    return {entry.client_request_id for entry in local.journal}


def test_each_call_has_an_id_of_its_own_that_all_its_requests_share(
    colour: Colour, local: LocalKeyVault, told: list[Any]
) -> None:
    client = colour.client(local)
    local.fail(operation="get_secret", status=429, count=2)
    colour.run(client.get_secret("greeting"))
    (one,) = ids(local)
    assert one
    assert uuid.UUID(one)
    assert {event.client_request_id for event in told if isinstance(event, OF_A_CALL)} == {one}
    colour.run(client.get_secret("greeting"))
    assert len(ids(local)) == 2


def test_the_id_that_the_caller_gives_is_kept(colour: Colour, local: LocalKeyVault, told: list[Any]) -> None:
    client = colour.client(local)
    for status in (429, 503):
        local.fail(operation="get_secret", status=status, count=1)
    colour.run(client.get_secret("greeting", request_id="of-the-caller"))
    assert ids(local) == {"of-the-caller"}
    kinds = {type(event) for event in told if getattr(event, "client_request_id", None) == "of-the-caller"}
    assert kinds == set(OF_A_CALL) - {events.GaveUp}
    (finished,) = [event for event in told if isinstance(event, events.CallFinished)]
    assert (finished.status, finished.attempts, finished.error) == (200, 3, None)
    assert finished.request_id


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 429, "count": None}, VaultThrottled),
        ({"error": "404_secret"}, SecretNotFound),
        ({"status": 503, "count": None}, VaultUnavailable),
        ({"network": "reset-before", "count": None}, SafeKVError),
    ],
)
def test_errors_have_it(colour: Colour, local: LocalKeyVault, told: list[Any], fault: Any, kind: Any) -> None:
    local.fail(operation="get_secret", **fault)
    with pytest.raises(kind) as caught:
        colour.run(colour.client(local).get_secret("greeting", request_id="of-the-caller", timeout=2))
    error = caught.value
    assert error.client_request_id == "of-the-caller"
    assert pickle.loads(pickle.dumps(error)).client_request_id == "of-the-caller"
    assert f"request {error.request_id or 'of-the-caller'}" in str(error)
    (finished,) = [event for event in told if isinstance(event, events.CallFinished)]
    assert (finished.error, finished.client_request_id) == (type(error).__name__, "of-the-caller")
    assert finished.status == error.status_code


def test_a_write_of_unknown_outcome_has_it(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation="create_key", network="reset-after", count=None)
    with pytest.raises(AmbiguousWrite) as caught:
        colour.run(Doors(colour, local).keys().create_ec_key("new", request_id="of-the-caller"))
    assert caught.value.client_request_id == "of-the-caller"


def test_a_call_that_is_not_sent_says_so(colour: Colour, local: LocalKeyVault, told: list[Any]) -> None:
    client = colour.client(local)
    colour.run(client.get_secret("greeting"))
    client._lease.connection.traffic.breaker.isolate()
    with pytest.raises(VaultUnavailable) as caught:
        colour.run(client.get_secret("greeting"))
    client._lease.connection.traffic.breaker.restore()
    finished = [event for event in told if isinstance(event, events.CallFinished)][-1]
    assert (finished.attempts, finished.status, finished.error) == (0, None, "VaultUnavailable")
    assert caught.value.client_request_id == finished.client_request_id != None  # noqa: E711


def test_hooks_learn_names_only_if_they_ask(colour: Colour, local: LocalKeyVault) -> None:
    quiet: list[Any] = []
    named: list[Any] = []
    stops = safekv.subscribe(quiet.append), safekv.subscribe(named.append, names=True)
    client = colour.client(local)
    colour.run(client.get_secret("greeting"))
    colour.items(client.list_properties_of_secrets())
    for stop in stops:
        stop()
    assert "greeting" not in repr(quiet)
    assert [event.name for event in named if isinstance(event, events.CallFinished)] == ["greeting", None]


@pytest.mark.parametrize(
    ("of_client", "of_call", "expected"),
    [
        ({}, {}, "safekv/{} azsdk-python-keyvault-secrets/"),
        ({"user_agent": "my-app/2"}, {}, "my-app/2 safekv/{} azsdk-python-keyvault-secrets/"),
        ({"user_agent": "my-app/2"}, {"user_agent": "job"}, "job my-app/2 safekv/{} azsdk-python-keyvault-secrets/"),
    ],
)
def test_the_user_agent_says_safekv_after_the_applications(
    colour: Colour, local: LocalKeyVault, of_client: Any, of_call: Any, expected: str
) -> None:
    seen: list[str] = []
    client = colour.client(local, **of_client)
    hook = lambda request: seen.append(request.http_request.headers["User-Agent"])  # noqa: E731
    colour.run(client.get_secret("greeting", raw_request_hook=hook, **of_call))
    assert seen[0].startswith(expected.format(safekv.__version__))


def test_the_other_doors_say_it_too(doors: Doors) -> None:
    seen: list[str] = []
    hook = lambda request: seen.append(request.http_request.headers["User-Agent"])  # noqa: E731
    key = doors.run(doors.keys().create_rsa_key("key", size=2048, raw_request_hook=hook))
    doors.run(doors.crypto(key.id).sign("RS256", b"0" * 32, raw_request_hook=hook))
    doors.colour.items(doors.certificates().list_properties_of_certificates(raw_request_hook=hook))
    assert len(seen) >= 3
    assert all(each.startswith(f"safekv/{safekv.__version__} azsdk-python-keyvault-") for each in seen)
