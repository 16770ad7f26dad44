"""The errors that azure-core's real transports raise for each way in which a network fails.

Types and messages are those of the real ones over requests (sync) and aiohttp (aio). The inner
exceptions come from the standard library, as the emulator knows neither requests nor aiohttp.
"""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
from dataclasses import dataclass
from typing import Protocol

from azure.core.exceptions import (
    AzureError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)

from safekv.emulator._messages import Network

_UNTRUSTED = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Where the request went, how long an answer may take (seconds), and the bytes of its body that are to come."""

    host: str
    port: int
    read_timeout: float
    length: int = 0


class NetworkErrors(Protocol):
    """The error for a fault, in the manner of one transport."""

    def __call__(self, kind: Network, where: Circumstances) -> AzureError: ...


def sync_error(kind: Network, where: Circumstances) -> AzureError:
    """As ``RequestsTransport`` raises it."""
    connection = f"HTTPSConnection(host='{where.host}', port={where.port})"
    match kind:
        case Network.DNS:
            cause: Exception = _unknown_name()
            return ServiceRequestError(f"{connection}: Failed to resolve '{where.host}' ({cause})", error=cause)
        case Network.REFUSED:
            cause = _refused()
            return ServiceRequestError(f"{connection}: Failed to establish a new connection: {cause}", error=cause)
        case Network.BAD_CERTIFICATE:
            return ServiceRequestError(_UNTRUSTED, error=_untrusted())
        case Network.BLACK_HOLE:
            pool = f"HTTPSConnectionPool(host='{where.host}', port={where.port})"
            text = f"{pool}: Read timed out. (read timeout={where.read_timeout:g})"
            return ServiceResponseTimeoutError(text, error=TimeoutError(text))
        case Network.TRUNCATED:
            received = where.length // 2
            cause = http.client.IncompleteRead(b"", where.length - received)
            text = f"IncompleteRead({received} bytes read, {where.length - received} more expected)"
            return IncompleteReadError(f"('Connection broken: {text}', {text})", error=cause)
        case _:
            cause = http.client.RemoteDisconnected("Remote end closed connection without response")
            return ServiceResponseError(f"('Connection aborted.', {cause!r})", error=cause)


def aio_error(kind: Network, where: Circumstances) -> AzureError:
    """As ``AioHttpTransport`` raises it."""
    unreachable = f"Cannot connect to host {where.host}:{where.port}"
    match kind:
        case Network.DNS:
            cause: Exception = _unknown_name()
            return ServiceRequestError(f"{unreachable} ssl:default [{_unknown_name().strerror}]", error=cause)
        case Network.REFUSED:
            text = f"Connect call failed ('{where.host}', {where.port})"
            return ServiceRequestError(f"{unreachable} ssl:default [{text}]", error=_refused())
        case Network.BAD_CERTIFICATE:
            text = f"{unreachable} ssl:True [SSLCertVerificationError: (1, '{_UNTRUSTED}')]"
            return ServiceRequestError(text, error=_untrusted())
        case Network.BLACK_HOLE:
            text = "Timeout on reading data from socket"
            return ServiceResponseTimeoutError(text, error=TimeoutError(text))
        case Network.TRUNCATED:
            cause = http.client.IncompleteRead(b"", where.length - where.length // 2)
            text = "Response payload is not completed: Not enough data to satisfy content length header."
            return IncompleteReadError(text, error=cause)
        case _:
            # aiohttp calls it a request error, although the request may well have been processed.
            return ServiceRequestError("Server disconnected", error=ConnectionResetError("Server disconnected"))


def _unknown_name() -> socket.gaierror:
    return socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def _refused() -> ConnectionRefusedError:
    return ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")


def _untrusted() -> ssl.SSLCertVerificationError:
    return ssl.SSLCertVerificationError(1, _UNTRUSTED)
