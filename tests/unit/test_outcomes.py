"""What is known of a request from the error that it ended in, as urllib3, requests and aiohttp raise them."""

from __future__ import annotations

import socket
import ssl
from typing import Any

import aiohttp
import pytest
import requests
from aiohttp.client_reqrep import ConnectionKey
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from safekv.connection.pipeline._outcome import outcome_of
from safekv.errors import CredentialTooOld, DeadlineExceeded
from safekv.resilience._flow import Outcome

POOL: Any = HTTPSConnection("my-vault.vault.azure.net")
KEY = ConnectionKey("my-vault.vault.azure.net", 443, True, True, None, None, None)
UNTRUSTED = ssl.SSLCertVerificationError(1, "certificate verify failed")


def from_requests(reason: Exception, kind: Any = requests.exceptions.ConnectionError) -> ServiceRequestError:
    error = kind(MaxRetryError(POOL, "/secrets/a", reason))
    return ServiceRequestError(error, error=error)


def from_aiohttp(error: Exception, kind: Any = ServiceRequestError) -> AzureError:
    """As azure-core does it: with the error as argument, as attribute and as cause."""
    wrapped: AzureError = kind(error, error=error)
    wrapped.__cause__ = error
    return wrapped


def response_error(error: Exception, kind: Any = ServiceResponseError) -> AzureError:
    wrapped: AzureError = kind(error, error=error)
    return wrapped


NOT_SENT = {
    "refused": from_requests(NewConnectionError(POOL, "refused")),
    "dns": from_requests(NameResolutionError("my-vault", POOL, socket.gaierror(-2, "unknown"))),
    "connect timeout": from_requests(ConnectTimeoutError(POOL, "slow"), requests.exceptions.ConnectTimeout),
    "bare": ServiceRequestTimeoutError("x", error=ConnectTimeoutError(POOL, "slow")),
    "proxy": from_requests(NewConnectionError(POOL, "no proxy"), requests.exceptions.ProxyError),
    "aio refused": from_aiohttp(aiohttp.ClientConnectorError(KEY, ConnectionRefusedError(111, "refused"))),
    "aio dns": from_aiohttp(aiohttp.ClientConnectorDNSError(KEY, socket.gaierror(-2, "unknown"))),
    "aio connect timeout": from_aiohttp(aiohttp.ConnectionTimeoutError("slow"), ServiceRequestTimeoutError),
    "a bare gaierror": ServiceRequestError("x", error=socket.gaierror(-2, "unknown")),
    "a bare refusal": ServiceRequestError("x", error=ConnectionRefusedError(111, "refused")),
}
UNKNOWN = {
    "reset": response_error(requests.exceptions.ConnectionError(ProtocolError("aborted", ConnectionResetError()))),
    "aio disconnect": from_aiohttp(aiohttp.ServerDisconnectedError()),
    "aio os error": from_aiohttp(aiohttp.ClientOSError(104, "reset")),
    "half an answer": IncompleteReadError("half", error=ProtocolError("half")),
    "something": AzureError("something"),
    "a credential's": HttpResponseError("no response"),
}
TIMED_OUT = {
    "read timeout": response_error(
        requests.exceptions.ReadTimeout(ReadTimeoutError(POOL, "/", "slow")), ServiceResponseTimeoutError
    ),
    "aio read timeout": from_aiohttp(aiohttp.SocketTimeoutError(), ServiceResponseTimeoutError),
}
PERMANENT = {
    "certificate": from_requests(SSLError(UNTRUSTED), requests.exceptions.SSLError),
    "aio certificate": from_aiohttp(aiohttp.ClientConnectorCertificateError(KEY, UNTRUSTED)),
    "not https": ServiceRequestError("Bearer token authentication is not permitted for non-TLS protected URLs."),
}


@pytest.mark.parametrize("error", NOT_SENT.values(), ids=NOT_SENT)
def test_not_sent(error: Exception) -> None:
    assert outcome_of(error) is Outcome.NOT_SENT


@pytest.mark.parametrize("error", UNKNOWN.values(), ids=UNKNOWN)
def test_unknown(error: Exception) -> None:
    assert outcome_of(error) is Outcome.UNKNOWN


@pytest.mark.parametrize("error", TIMED_OUT.values(), ids=TIMED_OUT)
def test_timed_out(error: Exception) -> None:
    assert outcome_of(error) is Outcome.TIMED_OUT


@pytest.mark.parametrize("error", PERMANENT.values(), ids=PERMANENT)
def test_permanent(error: Exception) -> None:
    assert outcome_of(error) is Outcome.PERMANENT


def with_status() -> HttpResponseError:
    error = HttpResponseError("with a response")
    error.status_code = 500
    return error


@pytest.mark.parametrize(
    "error",
    [
        with_status(),
        ClientAuthenticationError("no"),
        CredentialTooOld("old"),
        DeadlineExceeded("not sent"),
        ValueError("no"),
        AttributeError("value"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_matter_of_repeating(error: Exception) -> None:
    assert outcome_of(error) is None


def test_the_race_in_the_sdks_authentication() -> None:
    cases: list[tuple[Any, Any]] = [(None, Outcome.OURS), (object(), None)]
    for it, expected in cases:
        with pytest.raises(AttributeError) as caught:
            _ = it.token
        assert outcome_of(caught.value) is expected


def test_chains_that_bite_their_own_tail() -> None:
    error = ServiceResponseError("x")
    error.__cause__ = error
    error.inner_exception = error
    error.args = (error,)
    assert outcome_of(error) is Outcome.UNKNOWN


@pytest.mark.parametrize("context", [NewConnectionError(POOL, "x"), UNTRUSTED, ConnectionRefusedError()])
def test_what_was_being_handled_says_nothing(context: Exception) -> None:
    error = ServiceResponseError("reset", error=ConnectionResetError())
    error.__context__ = context
    assert error.inner_exception is not None
    error.inner_exception.__context__ = context
    assert outcome_of(error) is Outcome.UNKNOWN
