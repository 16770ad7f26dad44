"""What an attempt that failed says: whether the vault may have carried it out."""

from __future__ import annotations

import ssl
from typing import Any

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    ServiceRequestError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline import PipelineResponse

from safekv.errors import SafeKVError
from safekv.errors._causes import before_sending, causes
from safekv.resilience._flow import Outcome


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
    found = list(causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in found):
        return Outcome.PERMANENT
    if any(map(before_sending, found)):
        return Outcome.NOT_SENT
    if isinstance(error, ServiceRequestError) and "non-TLS" in str(error):
        return Outcome.PERMANENT
    return Outcome.TIMED_OUT if isinstance(error, ServiceResponseTimeoutError) else Outcome.UNKNOWN


def let_in(response: PipelineResponse[Any, Any]) -> bool:
    """Whether the vault has dealt with a token, rather than asked who we are."""
    return response.http_response.status_code != 401 and "Authorization" in response.http_request.headers
