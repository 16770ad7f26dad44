"""azure-core transports that hand requests to an emulator in the same process.

No sockets, no TLS, no DNS: clients use real host names such as ``https://my.vault.azure.net`` and
verify challenges as always. No waiting either: back-off, polling and slow answers move the
emulator's clock.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from azure.core.configuration import ConnectionConfiguration
from azure.core.exceptions import AzureError
from azure.core.pipeline.transport import AsyncHttpTransport, HttpTransport
from azure.core.rest import HttpRequest

from safekv._clock import VirtualClock
from safekv.emulator._emulator import Emulator
from safekv.emulator._messages import Network, NetworkFault, Request, Response
from safekv.emulator._network_errors import Circumstances, NetworkErrors, aio_error, sync_error
from safekv.emulator._responses import AsyncEmulatorResponse, EmulatorResponse

READ_TIMEOUT = 300.0  # seconds; azure-core's default
#: Real seconds in which other threads go to sleep too.
_MOMENT = 0.0002
_BEFORE_READING = (Network.DNS, Network.REFUSED, Network.BAD_CERTIFICATE)


class EmulatorTransport(HttpTransport[HttpRequest, EmulatorResponse]):
    """The sync transport: ``SecretClient(url, credential, transport=EmulatorTransport(emulator))``.

    Thread-safe; any number of clients may share it, and it goes on working after ``close()``.
    ``read_timeout`` is in seconds of the emulator's clock; a call may bring its own.
    """

    def __init__(self, emulator: Emulator, *, read_timeout: float = READ_TIMEOUT) -> None:
        self.emulator = emulator
        self.read_timeout = read_timeout

    @property
    def clock(self) -> VirtualClock:
        return self.emulator.clock

    @property
    def connection_config(self) -> ConnectionConfiguration:
        """The timeouts, where azure-core's policies look for them."""
        return ConnectionConfiguration(read_timeout=self.read_timeout)

    def send(self, request: HttpRequest, *, stream: bool = False, **options: Any) -> EmulatorResponse:
        """Have the request answered. Options of real transports other than ``read_timeout`` mean nothing here."""
        read_timeout = options.get("read_timeout", self.read_timeout)
        outcome = _ask(self.emulator, request, _body(request), read_timeout, sync_error)
        self.sleep(outcome.wait)
        response = EmulatorResponse(request, outcome.arrived(), outcome.error)
        if not stream:
            response.read()
        return response

    def sleep(self, duration: float) -> None:
        """Move the emulator's clock instead of waiting. Sleeps of several threads overlap, as real ones do."""
        if not duration:
            return
        end = self.clock.monotonic() + duration
        threading.Event().wait(_MOMENT)
        self.clock.advance(max(0.0, end - self.clock.monotonic()))

    def open(self) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """Nothing to close."""

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncEmulatorTransport(AsyncHttpTransport[HttpRequest, AsyncEmulatorResponse]):
    """The aio transport; the same in the other colour. Usable from several event loops at once."""

    def __init__(self, emulator: Emulator, *, read_timeout: float = READ_TIMEOUT) -> None:
        self.emulator = emulator
        self.read_timeout = read_timeout

    @property
    def clock(self) -> VirtualClock:
        return self.emulator.clock

    @property
    def connection_config(self) -> ConnectionConfiguration:
        """The timeouts, where azure-core's policies look for them."""
        return ConnectionConfiguration(read_timeout=self.read_timeout)

    async def send(self, request: HttpRequest, *, stream: bool = False, **options: Any) -> AsyncEmulatorResponse:
        """Have the request answered. Options of real transports other than ``read_timeout`` mean nothing here."""
        read_timeout = options.get("read_timeout", self.read_timeout)
        outcome = _ask(self.emulator, request, await _async_body(request), read_timeout, aio_error)
        await self.sleep(outcome.wait)
        response = AsyncEmulatorResponse(request, outcome.arrived(), outcome.error)
        if not stream:
            await response.read()
        return response

    async def sleep(self, duration: float) -> None:
        """Move the emulator's clock instead of waiting. Sleeps of several tasks overlap, as real ones do."""
        end = self.clock.monotonic() + duration
        await asyncio.sleep(0)
        self.clock.advance(max(0.0, end - self.clock.monotonic()))

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def __aexit__(self, *_: object) -> None:
        await self.close()


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What the client sees after ``wait`` seconds. With both, the response arrives in part, then the error."""

    wait: float
    response: Response | None = None
    error: AzureError | None = None

    def arrived(self) -> Response:
        """The response, whole or not; raises the error if nothing arrives."""
        if self.response is None:
            assert self.error is not None  # one of the two is always there
            raise self.error
        return self.response


def _ask(emulator: Emulator, request: HttpRequest, body: bytes, read_timeout: float, errors: NetworkErrors) -> _Outcome:
    url = urlsplit(request.url)
    where = Circumstances(url.hostname or "", url.port or 443, read_timeout)
    reply = emulator.handle(_request(request, url, body))
    kind = reply.kind if isinstance(reply, NetworkFault) else None
    if kind is Network.BLACK_HOLE or (reply.delay > read_timeout and kind not in _BEFORE_READING):
        return _Outcome(read_timeout, error=errors(Network.BLACK_HOLE, where))
    if isinstance(reply, Response):
        return _Outcome(reply.delay, reply)
    if reply.kind is not Network.TRUNCATED or reply.response is None:
        return _Outcome(reply.delay, error=errors(reply.kind, where))
    where = Circumstances(where.host, where.port, read_timeout, len(reply.response.body))
    return _Outcome(reply.delay, reply.response, errors(reply.kind, where))


def _request(request: HttpRequest, url: SplitResult, body: bytes) -> Request:
    return Request(
        method=request.method,
        authority=url.netloc.lower().removesuffix(":443"),
        path=url.path,
        query=dict(parse_qsl(url.query, keep_blank_values=True)),
        headers={name.lower(): str(value) for name, value in request.headers.items()},
        body=body,
    )


def _body(request: HttpRequest) -> bytes:
    """The body's bytes, of a request of either kind: ``azure.core.rest`` has ``content``, the older one ``data``."""
    content = request.content if hasattr(request, "content") else request.data
    if content is None or isinstance(content, bytes | str):
        return _bytes(content or b"")
    if isinstance(content, Mapping):
        return urlencode(content, doseq=True).encode()
    if hasattr(content, "read"):
        return _bytes(content.read())
    return b"".join(map(_bytes, content))


async def _async_body(request: HttpRequest) -> bytes:
    content: Any = getattr(request, "content", None)
    if hasattr(content, "__aiter__"):
        return b"".join([_bytes(part) async for part in content])
    return _body(request)


def _bytes(part: str | bytes) -> bytes:
    return part.encode() if isinstance(part, str) else part
