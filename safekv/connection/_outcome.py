"""What an attempt that failed says: whether the vault may have carried it out."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from typing import Any

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    ServiceRequestError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline import PipelineResponse

from safekv.errors import SafeKVError
from safekv.resilience._flow import Outcome

#: What urllib3 and aiohttp raise before a byte of the request is on its way, and what their subclasses stand for.
_NOT_SENT = frozenset({"NewConnectionError", "ConnectTimeoutError", "ClientConnectorError", "ConnectionTimeoutError"})


def outcome_of(error: Exception) -> Outcome | None:
    """What is known of a request that raised ``error``; None if that is no matter of repeating."""
    if isinstance(error, AttributeError):
        # Two threads in the SDK's challenge policy: one drops the token that the other is
        # about to read, before its request is sent.
        return Outcome.OURS if error.name == "token" and error.obj is None else None
    if not isinstance(error, AzureError) or isinstance(error, SafeKVError):
        return None
    if getattr(error, "status_code", None) is not None:
        return None
    if isinstance(error, ClientAuthenticationError):
        return None  # no token: the credential has made its own attempts
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return Outcome.PERMANENT
    if any(map(_before_sending, causes)):
        return Outcome.NOT_SENT
    if isinstance(error, ServiceRequestError) and "non-TLS" in str(error):
        return Outcome.PERMANENT
    return Outcome.TIMED_OUT if isinstance(error, ServiceResponseTimeoutError) else Outcome.UNKNOWN


def let_in(response: PipelineResponse[Any, Any]) -> bool:
    """Whether the vault has dealt with a token, rather than asked who we are."""
    return response.http_response.status_code != 401 and "Authorization" in response.http_request.headers


def _before_sending(cause: BaseException) -> bool:
    if isinstance(cause, (socket.gaierror, ConnectionRefusedError)):
        return True
    return any(kind.__name__ in _NOT_SENT for kind in type(cause).__mro__)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it was made from, however the layers below wrapped it.

    Not its ``__context__``: that leads on to whatever the application was handling.
    """
    seen: set[int] = set()
    pending = [error]
    while pending:
        current = pending.pop()
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        wrapped = (getattr(current, "inner_exception", None), getattr(current, "reason", None))
        pending += [current.__cause__, *wrapped, *current.args]
