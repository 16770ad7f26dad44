"""What a client accepts for TLS: a certificate for the vault's own host, and no version before 1.2."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken

import safekv.secrets
import safekv.secrets.aio
from safekv.connection import _registry
from safekv.connection.wire._tls import ssl_context
from safekv.emulator.server._authority import make_certificates
from safekv.errors import SafeKVError

pytestmark = pytest.mark.sockets


class Credential:
    def get_token(self, *_: str, **__: Any) -> AccessToken:
        raise AssertionError("a token was asked for")


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    before = _registry.replace(_registry.Registry())
    yield
    _registry.replace(before)


@contextmanager
def listening(context: ssl.SSLContext, host: str) -> Iterator[tuple[str, list[bytes]]]:
    """A URL, and what was received there inside of TLS."""
    received: list[bytes] = []
    with socket.create_server((host, 0)) as listener:

        def serve() -> None:
            while listener.fileno() >= 0:
                with suppress(OSError):  # of a client that goes away; of the listener's end
                    connection, _ = listener.accept()
                    with context.wrap_socket(connection, server_side=True) as inside:
                        received.append(inside.recv(1000))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"https://{host}:{listener.getsockname()[1]}", received
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join(5)


@pytest.fixture(params=["sync", "aio"])
def refused(request: pytest.FixtureRequest) -> Any:
    def sync(url: str, **options: Any) -> str:
        with safekv.secrets.SecretClient(url, Credential(), retry_total=0, **options) as client:
            with pytest.raises(SafeKVError) as caught:
                client.get_secret("a")
            return type(caught.value).__name__

    async def aio(url: str, **options: Any) -> str:
        async with safekv.secrets.aio.SecretClient(url, Credential(), retry_total=0, **options) as client:
            with pytest.raises(SafeKVError) as caught:
                await client.get_secret("a")
            return type(caught.value).__name__.removeprefix("Async")

    return sync if request.param == "sync" else lambda *given, **options: asyncio.run(aio(*given, **options))


def test_a_certificate_for_another_host_is_refused(refused: Any, tmp_path: Path) -> None:
    made = make_certificates()
    (tmp_path / "ca.pem").write_bytes(made.ca)
    with listening(made.good, "127.0.0.2") as (url, received):
        assert refused(url, connection_verify=str(tmp_path / "ca.pem")) == "UntrustedCertificate"
    assert not any(received)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_tls_before_1_2_is_refused(refused: Any, tmp_path: Path) -> None:
    made = make_certificates()
    (tmp_path / "ca.pem").write_bytes(made.ca)
    made.good.minimum_version = made.good.maximum_version = ssl.TLSVersion.TLSv1_1
    made.good.set_ciphers("DEFAULT:@SECLEVEL=0")
    with listening(made.good, "127.0.0.1") as (url, received):
        assert refused(url, connection_verify=str(tmp_path / "ca.pem"))
    assert not any(received)


def test_one_context_serves_all_connections() -> None:
    context = ssl_context(None)
    assert context is ssl_context(None)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
