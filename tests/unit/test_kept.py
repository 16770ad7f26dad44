"""Which errors a kept value may stand in for, and what readers get of one error."""

from __future__ import annotations

import ssl
import threading
from typing import Any

import azure.core.exceptions as azure_errors
import pytest

from safekv.errors import (
    AuthenticationFailed,
    ClientClosed,
    DeadlineExceeded,
    InvalidArgument,
    VaultThrottled,
    VaultUnavailable,
)
from safekv.secrets._kept import is_missing, is_transient, twin


def http(status: int, kind: type[azure_errors.HttpResponseError] = azure_errors.HttpResponseError) -> Any:
    error = kind("said")
    error.status_code = status
    return error


def caused(kind: type[Exception], cause: Exception) -> Exception:
    try:
        raise kind("wrapped") from cause
    except kind as error:
        return error


TRANSIENT = [
    VaultThrottled("x"),
    VaultUnavailable("x"),
    DeadlineExceeded("x"),
    azure_errors.ServiceRequestError("x"),
    azure_errors.ServiceRequestTimeoutError("x"),
    azure_errors.ServiceResponseError("x"),
    azure_errors.ServiceResponseTimeoutError("x"),
    azure_errors.IncompleteReadError("x"),
    caused(azure_errors.ServiceRequestError, ConnectionRefusedError()),
    *(http(status) for status in (408, 429, 500, 502, 503, 504, 599)),
    http(503, azure_errors.DecodeError),
]
PERMANENT = [
    *(http(status) for status in (400, 403, 404, 409)),
    http(401, azure_errors.ClientAuthenticationError),
    http(404, azure_errors.ResourceNotFoundError),
    http(200, azure_errors.DecodeError),
    azure_errors.ClientAuthenticationError("no token"),
    AuthenticationFailed("x"),
    InvalidArgument("x"),
    ClientClosed("x"),
    caused(azure_errors.ServiceRequestError, ssl.SSLCertVerificationError("bad")),
    azure_errors.ServiceRequestError("Bearer token authentication is not permitted for non-TLS protected URLs."),
    ValueError("x"),
    KeyboardInterrupt(),
]


@pytest.mark.parametrize("error", TRANSIENT, ids=lambda error: f"{type(error).__name__}-{error}")
def test_what_passes(error: BaseException) -> None:
    assert is_transient(error)
    assert not is_missing(error)


@pytest.mark.parametrize("error", PERMANENT, ids=lambda error: f"{type(error).__name__}-{error}")
def test_what_does_not(error: BaseException) -> None:
    assert not is_transient(error)
    assert is_missing(error) == isinstance(error, azure_errors.ResourceNotFoundError)


@pytest.mark.parametrize("error", [*TRANSIENT, *PERMANENT], ids=lambda error: type(error).__name__)
def test_a_twin_is_the_same_error_and_another_object(error: BaseException) -> None:
    try:
        raise error
    except BaseException as caught:
        made = twin(caught)
    assert made is not error
    assert type(made) is type(error)
    assert str(made) == str(error)
    assert made.args == error.args
    assert made.__cause__ is error.__cause__
    assert made.__traceback__ is None
    assert getattr(made, "exc_traceback", None) is None
    assert getattr(made, "status_code", None) == getattr(error, "status_code", None)
    assert getattr(made, "hint", None) == getattr(error, "hint", None)
    assert is_transient(made) == is_transient(error)


def test_a_twin_of_what_cannot_be_copied() -> None:
    class Odd(Exception):
        def __init__(self) -> None:
            super().__init__("odd")
            self.lock = threading.Lock()

    error = Odd()
    made = twin(error)
    assert isinstance(made, Odd)
    assert made.lock is error.lock
