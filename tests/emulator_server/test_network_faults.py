"""What the SDK reports for every failure of the network, over real sockets, with ``retry_total=2``."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import (
    DecodeError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.keyvault.secrets import SecretClient
from azure.keyvault.secrets.aio import SecretClient as AsyncSecretClient

import safekv.secrets
import safekv.secrets.aio
from safekv.emulator import EmulatorServer

pytestmark = [
    pytest.mark.sockets,
    # Python 3.10 and aiohttp forget one when a server resets a connection.
    pytest.mark.filterwarnings("ignore:unclosed transport <asyncio.sslproto:ResourceWarning"),
]

FAULTS: list[tuple[dict[str, Any], type[Exception], type[Exception], int]] = [
    # fault, sync error, aio error, requests of the sync client
    ({"network": "reset-before"}, ServiceResponseError, ServiceRequestError, 3),
    ({"network": "reset-after"}, ServiceResponseError, ServiceRequestError, 3),
    ({"network": "truncated"}, IncompleteReadError, IncompleteReadError, 3),
    ({"network": "black-hole"}, ServiceResponseTimeoutError, ServiceResponseTimeoutError, 3),
    ({"delay": 30.0}, ServiceResponseTimeoutError, ServiceResponseTimeoutError, 3),
    ({"body": "<html>"}, DecodeError, DecodeError, 1),
    ({"html": True}, json.JSONDecodeError, json.JSONDecodeError, 1),
    ({"status": 429}, HttpResponseError, HttpResponseError, 3),
    ({"status": 503}, HttpResponseError, HttpResponseError, 3),
    ({"status": 403}, HttpResponseError, HttpResponseError, 1),
]
CONNECTION_FAULTS = ["dns", "refused", "bad-certificate"]
OPTIONS = {"retry_total": 2, "retry_backoff_factor": 0.01, "read_timeout": 0.3}


class Credential:
    def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken("any", int(time.time()) + 3600)

    def close(self) -> None: ...


class AsyncCredential:
    async def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken("any", int(time.time()) + 3600)

    async def close(self) -> None: ...


@pytest.fixture
def server() -> Iterator[EmulatorServer]:
    with EmulatorServer() as server:
        vault = next(iter(server.emulator.vaults.values()))
        vault.set_secret("a", "one")
        yield server


@pytest.fixture(params=["sync", "aio"])
def aio(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "aio")


def _get(server: EmulatorServer, aio: bool, times: int = 1) -> list[Any]:
    """Get the secret with a new client, ``times`` times: values or errors."""
    return asyncio.run(_get_aio(server, times)) if aio else _get_sync(server, times)


def _get_sync(server: EmulatorServer, times: int) -> list[Any]:
    def get() -> Any:
        try:
            return client.get_secret("a").value
        except Exception as error:
            return error

    url = server.vault_urls["emulator"]
    with SecretClient(url, Credential(), connection_verify=server.ca_file, **OPTIONS) as client:
        return [get() for _ in range(times)]


async def _get_aio(server: EmulatorServer, times: int) -> list[Any]:
    async def get() -> Any:
        try:
            return (await client.get_secret("a")).value
        except Exception as error:
            return error

    url = server.vault_urls["emulator"]
    async with AsyncSecretClient(url, AsyncCredential(), connection_verify=server.ca_file, **OPTIONS) as client:
        found = [await get() for _ in range(times)]
    await _goodbye()
    return found


async def _goodbye() -> None:
    """aiohttp goes on saying goodbye after close(), and must not outlive its loop."""
    for thread in threading.enumerate():
        if thread.name == "safekv-emulator":
            await asyncio.to_thread(thread.join, 5)
    await asyncio.sleep(0.01)
    gc.collect()


@pytest.mark.parametrize(("fault", "sync_error", "aio_error", "requests"), FAULTS)
def test_a_fault_of_a_request(
    server: EmulatorServer,
    aio: bool,
    fault: dict[str, Any],
    sync_error: type[Exception],
    aio_error: type[Exception],
    requests: int,
) -> None:
    waiting = server.emulator.fail(operation="get_secret", count=None, **fault)
    (error,) = _get(server, aio)
    assert type(error) is (aio_error if aio else sync_error)
    # aiohttp repeats some requests on its own
    assert waiting.fired >= requests if aio else waiting.fired == requests
    waiting.remove()
    assert _get(server, aio) == ["one"]


@pytest.mark.parametrize("kind", CONNECTION_FAULTS)
def test_a_fault_of_the_connection(server: EmulatorServer, aio: bool, kind: str) -> None:
    waiting = server.emulator.fail(network=kind, count=None)
    (error,) = _get(server, aio)
    assert type(error) is ServiceRequestError
    assert ("CERTIFICATE_VERIFY_FAILED" in str(error)) == (kind == "bad-certificate")
    assert waiting.fired == 3
    assert server.connections == 0
    waiting.remove()
    assert _get(server, aio) == ["one"]


@pytest.mark.parametrize("kind", CONNECTION_FAULTS)
def test_a_fault_of_the_connection_that_is_over_in_time_is_survived(
    server: EmulatorServer, aio: bool, kind: str
) -> None:
    waiting = server.emulator.fail(network=kind, count=2)
    assert _get(server, aio) == ["one"]
    assert waiting.fired == 2


@pytest.mark.parametrize("kind", CONNECTION_FAULTS)
def test_a_request_can_meet_it_on_a_connection_that_was_good(server: EmulatorServer, aio: bool, kind: str) -> None:
    """Its connection is reset, and so fails the next one; the third is good."""
    server.emulator.fail(operation="get_secret", network=kind, nth=2)
    assert _get(server, aio, 2) == ["one", "one"]
    assert server.connections >= 2


def test_a_fault_meets_only_its_vault() -> None:
    with EmulatorServer(vaults=("emulator", "other")) as server:
        for vault in server.emulator.vaults.values():
            vault.set_secret("a", "one")
        server.emulator.fail(network="refused", vault="other", count=None)
        assert _get(server, aio=False) == ["one"]


@pytest.mark.parametrize("part", ["head", "body"])
def test_an_answer_that_trickles_in_ends_at_the_calls_deadline(
    server: EmulatorServer, aio: bool, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte comes well within ``read_timeout``: only the call's own deadline can end it."""
    from safekv.emulator import _http

    url = server.vault_urls["emulator"]
    whole = _http.Exchange._send

    def trickle(self: Any, response: Any, **_: Any) -> None:
        if not self.path.startswith("/secrets/a") or response.status != 200:
            return whole(self, response)
        head, gap = f"HTTP/1.1 200 OK\r\nContent-Length: {len(response.body)}\r\n".encode(), b"\r\n"
        if part == "body":
            self.wfile.write(head + gap)
        slow = response.body if part == "body" else head + gap
        self.close_connection = True
        for byte in slow:
            if server_stops.wait(0.05):
                return None
            try:
                self.wfile.write(bytes([byte]))
            except OSError:
                return None
        return None

    server_stops = threading.Event()
    monkeypatch.setattr(_http.Exchange, "_send", trickle)
    options: dict[str, Any] = {"connection_verify": server.ca_file, "cache": None, "timeout": 1.0, "read_timeout": 0.8}

    async def read_aio() -> None:
        try:
            async with safekv.secrets.aio.SecretClient(url, AsyncCredential(), **options) as client:
                await client.get_secret("a")
        finally:
            server_stops.set()
            await _goodbye()

    def read() -> None:
        if aio:
            asyncio.run(read_aio())
        else:
            with safekv.secrets.SecretClient(url, Credential(), **options) as client:
                client.get_secret("a")

    began = time.monotonic()
    try:
        with pytest.raises(ServiceResponseError):
            read()
        assert time.monotonic() - began < 4
    finally:
        server_stops.set()
