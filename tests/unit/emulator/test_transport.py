"""The in-process transports under the real SDK: real host names, verification on, and no waiting.

Most tests have one body for both colours: ``Colour.run`` awaits in the aio colour, and not in the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import inspect
import io
import itertools
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from azure.core.credentials import AccessTokenInfo
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    IncompleteReadError,
    ResourceNotFoundError,
    ResponseNotReadError,
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
    StreamClosedError,
    StreamConsumedError,
)
from azure.core.pipeline import AsyncPipeline, Pipeline
from azure.core.pipeline.transport import HttpRequest as LegacyRequest
from azure.core.rest import HttpRequest
from azure.keyvault.secrets import SecretClient
from azure.keyvault.secrets.aio import SecretClient as AsyncSecretClient

from safekv._clock import VirtualClock
from safekv.emulator import Emulator, Reply, Request, Response, make_token
from safekv.emulator.in_process._transport import AsyncEmulatorTransport, EmulatorTransport

_numbers = itertools.count()
START = 1_700_000_000


class Credential:
    """A token that the emulator reads; works in both colours, as the SDK's clients only call it."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.claims: list[str | None] = []

    def get_token_info(self, *scopes: str, options: Any = None) -> AccessTokenInfo:
        options = options or {}
        self.claims.append(options.get("claims"))
        payload: dict[str, Any] = {"aud": scopes[0].removesuffix("/.default"), "tid": options.get("tenant_id")}
        if options.get("claims"):
            payload |= {"acrs": json.loads(options["claims"])["access_token"]["acrs"]["value"]}
        now = int(self._clock.time())
        token = make_token({**payload, "iat": now, "nbf": now, "exp": now + 3600, "uti": str(next(_numbers))})
        return AccessTokenInfo(token, int(time.time()) + 3600)

    def close(self) -> None: ...


class AsyncCredential(Credential):
    async def get_token_info(self, *scopes: str, options: Any = None) -> AccessTokenInfo:
        return super().get_token_info(*scopes, options=options)

    async def close(self) -> None: ...


@dataclass
class Colour:
    """The emulator's ``my…`` vault, and the SDK in one colour."""

    aio: bool
    emulator: Emulator
    loop: asyncio.AbstractEventLoop
    vault: str
    credential: Credential

    def run(self, result: Any) -> Any:
        """What a call returns in the end."""
        return self.loop.run_until_complete(_awaited(result)) if inspect.isawaitable(result) else result

    def transport(self, **options: Any) -> Any:
        return (AsyncEmulatorTransport if self.aio else EmulatorTransport)(self.emulator, **options)

    def client(self, transport: Any = None, **options: Any) -> Any:
        url = f"https://{self.vault}.vault.azure.net"
        transport = transport or self.transport()
        return (AsyncSecretClient if self.aio else SecretClient)(url, self.credential, transport=transport, **options)

    def listed(self, pages: Any) -> list[Any]:
        return self.run(_all(pages)) if self.aio else list(pages)

    def send(self, request: Any, *, transport: Any = None, **options: Any) -> Any:
        """Through an empty pipeline."""
        pipeline = (AsyncPipeline if self.aio else Pipeline)(transport or self.transport())
        return self.run(pipeline.run(request, **options)).http_response


async def _awaited(awaitable: Any) -> Any:
    return await awaitable


async def _all(pages: Any) -> list[Any]:
    return [item async for item in pages]


@pytest.fixture(params=["sync", "aio"])
def colour(request: pytest.FixtureRequest) -> Iterator[Colour]:
    # A name of its own, because the SDK remembers challenges by host for the whole process.
    emulator, vault = Emulator(clock=VirtualClock(START)), f"my{next(_numbers)}"
    emulator.add_vault(vault)
    aio = request.param == "aio"
    credential = (AsyncCredential if aio else Credential)(emulator.clock)
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        yield Colour(aio, emulator, loop, vault, credential)


@pytest.fixture(autouse=True)
def _no_waiting_and_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: Any) -> None:
        raise AssertionError("there is no need to sleep or to connect")

    monkeypatch.setattr(time, "sleep", forbidden)
    monkeypatch.setattr(socket.socket, "connect", forbidden)
    monkeypatch.setattr(socket, "getaddrinfo", forbidden)


# The SDK's clients


def test_set_get_list_and_versions(colour: Colour) -> None:
    client = colour.client()
    first = colour.run(client.set_secret("a", "one", tags={"k": "v"}))
    colour.run(client.set_secret("a", "two"))
    assert colour.run(client.get_secret("a")).value == "two"
    assert colour.run(client.get_secret("a", first.properties.version)).value == "one"
    assert first.id.startswith(f"https://{colour.vault}.vault.azure.net/secrets/a/")
    assert [item.name for item in colour.listed(client.list_properties_of_secrets())] == ["a"]
    assert len(colour.listed(client.list_properties_of_secret_versions("a"))) == 2


def test_a_missing_secret_is_the_sdks_own_error(colour: Colour) -> None:
    with pytest.raises(ResourceNotFoundError) as caught:
        colour.run(colour.client().get_secret("none"))
    assert caught.value.error is not None
    assert caught.value.error.code == "SecretNotFound"
    assert caught.value.reason == "Not Found"


def test_the_first_request_is_challenged_and_verification_stays_on(colour: Colour) -> None:
    colour.run(colour.client().set_secret("a", "one"))
    assert [entry.status for entry in colour.emulator.journal] == [401, 200]
    stranger = f"stranger{next(_numbers)}"
    colour.emulator.add_vault(stranger, resource="https://elsewhere.example")
    colour.vault = stranger
    with pytest.raises(ValueError, match=r"challenge resource 'elsewhere\.example' does not match"):
        colour.run(colour.client().get_secret("a"))


def test_deleting_and_recovering_move_the_clock_and_take_no_time(colour: Colour) -> None:
    client, clock = colour.client(), colour.emulator.clock
    colour.run(client.set_secret("a", "one"))
    started, began = time.monotonic(), clock.time()
    _wait(colour, client, "delete_secret", "a")
    assert clock.time() - began == pytest.approx(2.0)  # one poll of the SDK's
    assert colour.run(client.get_deleted_secret("a")).name == "a"
    _wait(colour, client, "recover_deleted_secret", "a")
    assert colour.run(client.get_secret("a")).value == "one"
    assert time.monotonic() - started < 2


def _wait(colour: Colour, client: Any, operation: str, name: str) -> None:
    if colour.aio:
        colour.run(getattr(client, operation)(name))
    else:
        getattr(client, f"begin_{operation}")(name).wait()


def test_backing_off_moves_the_clock(colour: Colour) -> None:
    client = colour.client()
    colour.run(client.set_secret("a", "one"))
    colour.emulator.fail(operation="get_secret", status=429, count=2, retry_after=30)
    began = colour.emulator.clock.time()
    assert colour.run(client.get_secret("a")).value == "one"
    assert colour.emulator.clock.time() - began == pytest.approx(60)


def test_a_claims_challenge_is_answered(colour: Colour) -> None:
    client = colour.client()
    colour.run(client.set_secret("a", "one"))
    colour.emulator.require_claims('{"access_token": {"acrs": {"essential": true, "value": "c1"}}}')
    assert colour.run(client.get_secret("a")).value == "one"
    assert colour.credential.claims[-1] is not None


def test_closing_is_harmless(colour: Colour) -> None:
    transport = colour.transport()
    client = colour.client(transport)
    colour.run(client.set_secret("a", "one"))
    colour.run(client.close())
    assert colour.run(colour.client(transport).get_secret("a")).value == "one"


def test_one_transport_serves_many_threads_and_loops(colour: Colour) -> None:
    client = colour.client()
    colour.run(client.set_secret("a", "one"))
    values: list[str] = []

    def work() -> None:
        for _ in range(5):
            got = client.get_secret("a")
            values.append((asyncio.run(_awaited(got)) if colour.aio else got).value)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert values == ["one"] * 40


# What becomes of faults

NETWORK = [
    # fault, sync error, aio error, what the message says in both
    ("dns", ServiceRequestError, ServiceRequestError, "Name or service not known"),
    ("refused", ServiceRequestError, ServiceRequestError, "Connect"),
    ("bad-certificate", ServiceRequestError, ServiceRequestError, "CERTIFICATE_VERIFY_FAILED"),
    ("reset-before", ServiceResponseError, ServiceRequestError, ""),
    ("reset-after", ServiceResponseError, ServiceRequestError, ""),
    ("truncated", IncompleteReadError, IncompleteReadError, ""),
    ("black-hole", ServiceResponseTimeoutError, ServiceResponseTimeoutError, ""),
]
CAUSES = {
    "dns": socket.gaierror,
    "refused": ConnectionRefusedError,
    "bad-certificate": ssl.SSLCertVerificationError,
    "reset-before": ConnectionResetError,
    "reset-after": ConnectionResetError,
    "truncated": http.client.IncompleteRead,
    "black-hole": TimeoutError,
}


@pytest.mark.parametrize(("kind", "sync", "aio", "says"), NETWORK)
def test_a_network_fault_is_the_real_transports_error(
    colour: Colour, kind: str, sync: type[AzureError], aio: type[AzureError], says: str
) -> None:
    client = colour.client(retry_total=2, retry_backoff_factor=0.1)
    colour.run(client.set_secret("a", "one"))
    fault = colour.emulator.fail(operation="get_secret", network=kind, count=None)
    with pytest.raises(AzureError) as caught:
        colour.run(client.get_secret("a"))
    assert type(caught.value) is (aio if colour.aio else sync)
    assert says in caught.value.message
    assert isinstance(caught.value.inner_exception, CAUSES[kind])
    assert fault.fired == 3
    fault.remove()
    assert colour.run(client.get_secret("a")).value == "one"


def test_a_reset_after_means_that_it_was_done(colour: Colour) -> None:
    client = colour.client(retry_total=0)
    colour.run(client.set_secret("a", "one"))
    for kind, value in (("reset-before", "one"), ("reset-after", "two")):
        colour.emulator.fail(operation="set_secret", network=kind)
        with pytest.raises(AzureError):
            colour.run(client.set_secret("a", "two"))
        assert colour.run(client.get_secret("a")).value == value


def test_an_unknown_vault_has_no_address(colour: Colour) -> None:
    colour.vault = "nowhere"
    with pytest.raises(ServiceRequestError, match=r"nowhere\.vault\.azure\.net") as caught:
        colour.run(colour.client(retry_total=0).get_secret("a"))
    assert isinstance(caught.value.inner_exception, socket.gaierror)


@pytest.mark.parametrize(
    ("fault", "error"), [({"body": "<html>"}, DecodeError), ({"html": True}, json.JSONDecodeError)]
)
def test_junk_instead_of_json_is_what_the_sdk_makes_of_it(
    colour: Colour, fault: dict[str, Any], error: type[Exception]
) -> None:
    client = colour.client()
    colour.run(client.set_secret("a", "one"))
    colour.emulator.fail(operation="get_secret", **fault)
    with pytest.raises(error):
        colour.run(client.get_secret("a"))


def test_a_slow_answer_moves_the_clock(colour: Colour) -> None:
    client = colour.client()
    colour.run(client.set_secret("a", "one"))
    began = colour.emulator.clock.time()
    colour.emulator.fail(operation="get_secret", delay=7.0)
    assert colour.run(client.get_secret("a")).value == "one"
    assert colour.emulator.clock.time() - began == pytest.approx(7.0)


@pytest.mark.parametrize("fault", [{"delay": 9.0}, {"network": "black-hole"}, {"network": "reset-after", "delay": 9.0}])
@pytest.mark.parametrize("per_call", [True, False])
def test_an_answer_slower_than_the_read_timeout_does_not_come(
    colour: Colour, fault: dict[str, Any], per_call: bool
) -> None:
    client = colour.client(None if per_call else colour.transport(read_timeout=5.0), retry_total=0)
    colour.run(client.set_secret("a", "one"))
    colour.emulator.fail(operation="get_secret", **fault)
    began = colour.emulator.clock.time()
    with pytest.raises(ServiceResponseTimeoutError):
        colour.run(client.get_secret("a", **({"read_timeout": 5.0} if per_call else {})))
    assert colour.emulator.clock.time() - began == pytest.approx(5.0)


def test_sleeps_of_several_tasks_overlap() -> None:
    transport = AsyncEmulatorTransport(Emulator(clock=VirtualClock(START)))

    async def sleep_together() -> None:
        await asyncio.gather(transport.sleep(2), transport.sleep(3), transport.sleep(1))

    asyncio.run(sleep_together())
    assert transport.clock.time() - START == pytest.approx(3)


# Requests and responses of both kinds


def _request(colour: Colour, kind: Callable[..., Any] = HttpRequest, method: str = "GET", **options: Any) -> Any:
    url = f"https://{colour.vault}.VAULT.azure.net:443/secrets/a?api-version=7.4"
    return kind(method, url, headers={"Authorization": "Bearer t"}, **options)


def _stored(colour: Colour, value: str = "one") -> None:
    colour.emulator.vaults[f"{colour.vault}.vault.azure.net"].set_secret("a", value)


def test_a_response_has_all_that_the_pipeline_knows(colour: Colour) -> None:
    _stored(colour)
    response = colour.send(_request(colour))
    assert (response.status_code, response.reason) == (200, "OK")
    assert response.headers["content-type"] == response.content_type == "application/json; charset=utf-8"
    assert response.headers["Content-Length"] == str(len(response.content))
    assert response.json()["value"] == "one"
    assert json.loads(response.text())["value"] == json.loads(response.text("latin-1"))["value"] == "one"
    assert response.url == response.request.url
    assert response.is_closed
    assert response.is_stream_consumed
    assert "200 OK" in repr(response)
    response.raise_for_status()
    response.encoding = "ascii"
    assert response.encoding == "ascii"


def test_raise_for_status_raises_for_errors(colour: Colour) -> None:
    response = colour.send(_request(colour))
    with pytest.raises(HttpResponseError) as caught:
        response.raise_for_status()
    assert caught.value.status_code == 404


@pytest.mark.parametrize("how", ["iter_bytes", "iter_raw", "stream_download"])
def test_a_streamed_response_comes_in_blocks_and_once(colour: Colour, how: str) -> None:
    _stored(colour, "x" * 20_000)
    response = colour.send(_request(colour), stream=True)
    assert not response.is_stream_consumed
    with pytest.raises(ResponseNotReadError):
        _ = response.content
    blocks = _blocks(colour, response, how)
    assert len(blocks) == 5
    assert json.loads(b"".join(blocks))["value"] == "x" * 20_000
    assert response.is_closed
    with pytest.raises(StreamConsumedError):
        _blocks(colour, response, "iter_raw")


def _blocks(colour: Colour, response: Any, how: str) -> list[bytes]:
    given = getattr(response, how)(None) if how == "stream_download" else getattr(response, how)()
    return colour.run(_all(given)) if colour.aio else list(given)


def test_a_streamed_response_can_be_read_whole(colour: Colour) -> None:
    _stored(colour)
    response = colour.send(_request(colour), stream=True)
    assert colour.run(response.read()) == colour.run(response.read()) == response.content
    assert b"".join(_blocks(colour, response, "iter_bytes")) == response.content


def test_a_closed_response_cannot_be_read(colour: Colour) -> None:
    _stored(colour)
    response = colour.send(_request(colour), stream=True)
    colour.run(response.close())
    with pytest.raises(StreamClosedError):
        colour.run(response.read())


def test_a_truncated_stream_breaks_in_the_middle(colour: Colour) -> None:
    _stored(colour, "x" * 20_000)
    colour.emulator.fail(network="truncated")
    response = colour.send(_request(colour), stream=True)
    assert response.status_code == 200
    arrived = bytearray()

    def read() -> None:
        for block in response.iter_bytes():
            arrived.extend(block)

    async def aread() -> None:
        async for block in response.iter_bytes():
            arrived.extend(block)

    with pytest.raises(IncompleteReadError):
        colour.run(aread() if colour.aio else read())
    assert len(arrived) == int(response.headers["Content-Length"]) // 2


def test_send_request_gives_the_response_whatever_its_status(colour: Colour) -> None:
    client = colour.client()
    response = colour.run(client.send_request(HttpRequest("GET", "secrets/none")))
    assert (response.status_code, response.json()["error"]["code"]) == (404, "SecretNotFound")


def test_legacy_requests_are_served_too(colour: Colour) -> None:
    request = _request(colour, LegacyRequest, "PUT")
    request.set_json_body({"value": "legacy"})
    response = colour.send(request)
    assert response.status_code == 200
    assert json.loads(response.body())["value"] == "legacy"
    if colour.aio:
        colour.run(response.load_body())


@pytest.mark.parametrize(
    "options",
    [
        {"json": {"value": "one"}},
        {"content": '{"value": "one"}'},
        {"content": b'{"value": "one"}'},
        {"content": [b'{"value":', b' "one"}']},
    ],
)
def test_bodies_come_in_many_forms(colour: Colour, options: dict[str, Any]) -> None:
    response = colour.send(_request(colour, HttpRequest, "PUT", **options))
    assert response.json()["value"] == "one"


def test_async_bodies_are_read_by_the_aio_transport() -> None:
    async def body() -> Any:
        yield b'{"value":'
        yield b' "one"}'

    emulator = Emulator()
    emulator.add_vault("my")
    url = "https://my.vault.azure.net/secrets/a?api-version=7.4"
    request = HttpRequest("PUT", url, content=body(), headers={"Authorization": "Bearer t"})
    response = asyncio.run(AsyncEmulatorTransport(emulator).send(request))
    assert response.json()["value"] == "one"


def test_a_refusal_of_credentials_is_the_sdks_own_error(colour: Colour) -> None:
    client = colour.client()
    colour.run(client.set_secret("a", "one"))
    colour.emulator.fail(operation="get_secret", error="401_sigkey", count=None)
    with pytest.raises(ClientAuthenticationError):
        colour.run(client.get_secret("a"))


class Recorder:
    """In an emulator's place: keeps what it is asked, and answers with a status that has no name."""

    def __init__(self) -> None:
        self.clock = VirtualClock(START)
        self.asked: list[Request] = []

    def handle(self, request: Request) -> Reply:
        self.asked.append(request)
        return Response(299, {}, b"\xef\xbb\xbf{}")


@pytest.mark.parametrize(
    ("options", "body"),
    [
        ({}, b""),
        ({"data": {"scope": "a b", "n": "1"}}, b"scope=a+b&n=1"),
        ({"content": io.BytesIO(b"from a file")}, b"from a file"),
    ],
)
def test_what_the_emulator_is_asked(options: dict[str, Any], body: bytes) -> None:
    recorder = Recorder()
    request = HttpRequest("POST", "https://My.Vault.Azure.Net:443/a%20b?x=1&x=2&y=", headers={"X-A": "b"}, **options)
    with EmulatorTransport(recorder) as transport, transport.send(request) as response:
        assert (response.reason, response.json()) == ("", {})
    (asked,) = recorder.asked
    assert (asked.method, asked.authority, asked.path) == ("POST", "my.vault.azure.net", "/a%20b")
    assert (asked.query, asked.headers["x-a"], asked.body) == ({"x": "2", "y": ""}, "b", body)
