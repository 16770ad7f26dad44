"""What an exception on the way becomes, and what is left of it as the cause."""

from __future__ import annotations

import json
import socket
import ssl
from typing import Any

import pytest
import requests
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

import safekv.errors as errors
from safekv.errors._diagnosis import Asked
from safekv.errors._failures import original, translated

SECRET = "hunter2"
ASKED = Asked("my.vault.azure.net", "set_secret", {"collection": "secrets", "name": "a"})


def prepared() -> requests.PreparedRequest:
    """A request with a token and a value in it."""
    request = requests.Request(
        "PUT", "https://my.vault.azure.net/secrets/a", headers={"Authorization": SECRET}, data=SECRET
    )
    return request.prepare()


def as_requests_raises(cause: Exception) -> requests.ConnectionError:
    return requests.ConnectionError(cause, request=prepared())


REFUSED = ConnectionRefusedError(111, "Connection refused")
UNKNOWN = socket.gaierror(-2, "Name or service not known")
UNTRUSTED = ssl.SSLCertVerificationError(1, "certificate verify failed")
FAILURES: list[tuple[Exception, type]] = [
    (ServiceRequestError("x", error=as_requests_raises(REFUSED)), errors.CannotConnect),
    (ServiceRequestError("x", error=as_requests_raises(UNKNOWN)), errors.VaultNotFound),
    (ServiceRequestError("x", error=as_requests_raises(UNTRUSTED)), errors.UntrustedCertificate),
    (
        ServiceRequestError("x", error=NewConnectionError(None, "no route")),  # type: ignore[arg-type]
        errors.CannotConnect,
    ),
    (
        ServiceRequestError("x", error=MaxRetryError(None, "/", NewConnectionError(None, "no"))),  # type: ignore[arg-type]
        errors.CannotConnect,
    ),
    (ServiceRequestError("not permitted for non-TLS protected URLs"), errors.InsecureConnection),
    (ServiceRequestTimeoutError("x"), errors.ConnectTimeout),
    (ServiceResponseTimeoutError("x"), errors.AnswerTimeout),
    (ServiceResponseError("x", error=as_requests_raises(ProtocolError("aborted"))), errors.ConnectionLost),
    (ServiceRequestError("Server disconnected"), errors.AsyncConnectionLost),
    (ClientAuthenticationError("no"), errors.AuthenticationFailed),
    (DecodeError("JSON is invalid"), errors.UnreadableAnswer),
    (RecursionError("brackets"), errors.UnreadableAnswer),
]


@pytest.mark.parametrize(("error", "kind"), FAILURES, ids=lambda each: getattr(each, "__name__", type(each).__name__))
def test_each_failure(error: Exception, kind: type) -> None:
    found = translated(error, ASKED)
    assert type(found) is kind
    assert found.vault == "my.vault.azure.net"
    assert found.hint
    assert found.guide_url


def reachable(error: BaseException) -> list[Any]:
    """All objects that an exception leads to, a few steps deep."""
    seen: dict[int, Any] = {}
    pending: list[Any] = [error]
    while pending and len(seen) < 5_000:
        current = pending.pop()
        if id(current) in seen or isinstance(current, type):
            continue
        seen[id(current)] = current
        pending += list(vars(current).values()) if hasattr(current, "__dict__") else []
        if isinstance(current, (list, tuple, set)):
            pending += list(current)
        if isinstance(current, dict):
            pending += list(current.values())
        if isinstance(current, BaseException):
            pending += [current.__cause__, current.__context__, current.args]
            assert current.__traceback__ is None
    return list(seen.values())


@pytest.mark.parametrize(("error", "kind"), FAILURES, ids=lambda each: getattr(each, "__name__", type(each).__name__))
def test_the_cause_is_the_sdks_error_without_its_request(error: Exception, kind: type) -> None:
    cause = original(error)
    assert type(cause) is type(error)
    assert str(cause) == str(error)
    assert cause is not error
    assert not any(isinstance(each, str) and SECRET in each for each in reachable(cause))
    assert not any(isinstance(each, requests.PreparedRequest) for each in reachable(cause))


def test_what_the_system_said_is_kept() -> None:
    cause = original(ServiceRequestError("x", error=as_requests_raises(REFUSED)))
    assert isinstance(cause, ServiceRequestError)
    assert isinstance(cause.inner_exception, ConnectionRefusedError)
    assert cause.inner_exception.errno == 111


def test_an_exception_that_was_being_handled_is_not_kept() -> None:
    try:
        raise ValueError(SECRET)
    except ValueError:
        cause = original(ServiceResponseError("x"))
        found = translated(ServiceResponseError("x"), ASKED)
    assert cause is not None
    assert found is not None
    assert SECRET not in repr(vars(cause)) + repr(vars(found))


def test_the_text_that_was_not_json_is_not_kept() -> None:
    cause = original(json.JSONDecodeError("Expecting value", SECRET, 0))
    assert type(cause) is DecodeError
    assert SECRET not in repr(vars(cause))
    found = translated(DecodeError(f"JSON is invalid\nContent: {SECRET}"), ASKED)
    assert found is not None
    assert SECRET not in str(found)


class Own(ServiceRequestError):
    """An application's own kind."""


@pytest.mark.parametrize(
    "error",
    [Own("mine"), ValueError("mine"), AttributeError("mine"), TypeError("mine"), AzureError("a"), KeyError("b")],
)
def test_what_is_not_ours_to_translate(error: Exception) -> None:
    assert translated(error, ASKED) is None


def test_an_error_of_ours_learns_where_it_happened() -> None:
    given = errors.VaultThrottled("no turn", retry_in=7)
    assert translated(given, ASKED) is given
    assert (given.vault, given.operation, given.retry_in) == ("my.vault.azure.net", "set_secret", 7)
    assert given.hint
    assert len(given.remedies) >= 4
    told = errors.AmbiguousWrite("?", hint="look", guide_url="https://guide", vault="other")
    assert translated(told, ASKED) is told
    assert (told.hint, told.guide_url, told.vault) == ("look", "https://guide", "other")
    assert translated(errors.InvalidArgument("no"), ASKED) is None


def test_causes_that_go_in_circles_end() -> None:
    error = ServiceRequestError("x")
    error.__cause__ = error
    error.inner_exception = error
    assert type(translated(error, ASKED)) is errors.AsyncConnectionLost
    assert original(error) is not None


def test_other_errors_of_azures_are_copied_by_class() -> None:
    assert type(original(ResourceNotFoundError("x"))) is ResourceNotFoundError
    assert type(original(HttpResponseError("x"))) is HttpResponseError
    assert original(KeyError("x")) is None
    assert original(None) is None
