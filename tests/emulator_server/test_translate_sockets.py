"""What requests and aiohttp raise over real sockets, translated, and what is left of their requests."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from azure.core.credentials import AccessToken

import safekv.errors as errors
import safekv.secrets
import safekv.secrets.aio
from safekv.connection import _registry
from safekv.emulator import EmulatorServer

pytestmark = [
    pytest.mark.sockets,
    # Python 3.10 and aiohttp forget one when a server resets a connection.
    pytest.mark.filterwarnings("ignore:unclosed transport <asyncio.sslproto:ResourceWarning"),
]
TOKEN, VALUE = "a-planted-token", "a-planted-value"
FAULTS: list[tuple[str, type[Exception]]] = [
    ("reset-before", errors.ConnectionLost),
    ("black-hole", errors.AnswerTimeout),
    ("truncated", errors.IncompleteAnswer),
]


class Credential:
    def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken(TOKEN, int(time.time()) + 3600)


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    before = _registry.replace(_registry.Registry())
    yield
    _registry.replace(before)


@pytest.fixture
def server() -> Iterator[EmulatorServer]:
    with EmulatorServer() as server:
        next(iter(server.emulator.vaults.values())).set_secret("a", VALUE)
        yield server


@pytest.fixture(params=["sync", "aio"])
def failure(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """What reading a secret raises, with a client that gives up at once."""

    def sync(url: str, **options: Any) -> Any:
        with safekv.secrets.SecretClient(url, Credential(), retry_total=0, read_timeout=0.3, **options) as client:
            with pytest.raises(errors.SafeKVError) as caught:
                client.get_secret("a")
            return caught.value

    async def aio(url: str, **options: Any) -> Any:
        kind = safekv.secrets.aio.SecretClient
        async with kind(url, Credential(), retry_total=0, read_timeout=0.3, **options) as client:
            with pytest.raises(errors.SafeKVError) as caught:
                await client.get_secret("a")
        await asyncio.sleep(0.05)  # aiohttp closes a broken connection a little later
        return caught.value

    return sync if request.param == "sync" else lambda url, **options: asyncio.run(aio(url, **options))


def url_of(server: EmulatorServer) -> str:
    return next(iter(server.vault_urls.values()))


def chain(error: BaseException | None) -> list[BaseException]:
    return [] if error is None else [error, *chain(error.__cause__), *chain(error.__context__)]


@pytest.mark.parametrize(("network", "kind"), FAULTS)
def test_faults_of_a_connection(
    server: EmulatorServer, failure: Callable[..., Any], network: str, kind: type[Exception]
) -> None:
    server.emulator.fail(operation="get_secret", network=network, count=None)
    error = failure(url_of(server), connection_verify=server.ca_file)
    assert isinstance(error, kind)
    for each in chain(error):
        assert TOKEN not in repr(vars(each))
        held = gc.get_referents(each, *vars(each).values())
        assert not any(isinstance(one, (requests.PreparedRequest, requests.Response)) for one in held)


def test_a_certificate_that_is_not_trusted(server: EmulatorServer, failure: Callable[..., Any]) -> None:
    error = failure(url_of(server))
    assert isinstance(error, errors.UntrustedCertificate)
    assert any(isinstance(each, ssl.SSLError) for each in chain(error))


def test_nobody_listens(failure: Callable[..., Any]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = failure(f"https://127.0.0.1:{taken.getsockname()[1]}")
    assert type(error) is errors.CannotConnect
    assert error.transient


def test_a_name_that_is_not_known(failure: Callable[..., Any]) -> None:
    error = failure("https://there-is-no-such-vault.invalid")
    assert type(error) is errors.VaultNotFound
    assert "there-is-no-such-vault.invalid" in str(error)
    assert 'az keyvault list-deleted --query "[].name"' in error.remedies


def test_errors_of_the_service(server: EmulatorServer, failure: Callable[..., Any]) -> None:
    server.emulator.fail(operation="get_secret", error="403_policy", count=None)
    error = failure(url_of(server), connection_verify=server.ca_file)
    assert type(error) is errors.MissingPermission
    assert error.request_id
    assert "Authorization" not in error.response.request.headers
    assert TOKEN not in repr(vars(error.response)) + repr(vars(error.response.request))
