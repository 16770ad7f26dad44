"""From an exception on the way to the vault to the error that says what to do.

Only what the SDK and Python raise is translated, by its exact class: an exception of the
application's own (a credential's, a hook's) is the application's to catch.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import traceback

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    IncompleteReadError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)

from safekv.errors._base import SafeKVError
from safekv.errors._causes import before_sending, causes
from safekv.errors._diagnosis import Asked, completes, error_about
from safekv.errors._meanings import Meaning, general
from safekv.errors._reading import without_tokens
from safekv.errors._service import credential_unavailable
from safekv.errors._topics import TOPICS

_IDENTITYS = ("azure.identity", "CredentialUnavailableError")
_OWN_TOPICS = {
    "AmbiguousWrite": "ambiguous-write",
    "AuthenticationFailed": "credential-failed",
    "CredentialTooOld": "credential-too-old",
    "DeadlineExceeded": "deadline",
    "VaultThrottled": "throttled",
    "VaultUnavailable": "service-fault",
}
_UNKNOWN_KEYWORD = re.compile("unexpected keyword argument '(tenant_id|claims|enable_cae|options)'")
_CHALLENGE = re.compile("The challenge (resource .* does not match the requested domain|contains invalid scope)")
_HOST = re.compile(r"resolve '([\w.-]+)'|host='([\w.-]+)'|connect to host ([\w.-]+):\d")


def translated(error: Exception, asked: Asked) -> SafeKVError | None:
    """The error of ours for ``error``; itself, completed, if it is one of a call; None if it is to stay as it is."""
    if isinstance(error, SafeKVError):
        slug = _OWN_TOPICS.get(type(error).__name__)
        if slug is None:
            return None
        completes(error, asked, TOPICS[slug])
        return error
    if isinstance(error, (DecodeError, json.JSONDecodeError, RecursionError)):
        return _unreadable(error, asked)
    if type(error) is ClientAuthenticationError or _is_unavailable(error):
        return _no_token(error, asked)
    if type(error) in _NETWORK:
        return _not_reached(error, asked)
    meaning = _python_error(error)
    return error_about(meaning, str(error), asked) if meaning else None


def original(error: BaseException | None) -> BaseException | None:
    """A copy of an exception that keeps its class and its text, and nothing else: no request, no frame.

    urllib3's, requests' and azure-core's exceptions lead to requests with tokens and bodies.
    """
    if error is None:
        return None
    copy = _plain_copy(error)
    if isinstance(copy, AzureError):
        roots = (_system_error(each) for each in causes(error) if isinstance(each, OSError))
        root = next((each for each in roots if each is not None), None)
        copy.inner_exception = copy.__cause__ = root
        copy.exc_value = copy.exc_traceback = None
        copy.exc_msg = copy.message
    return copy


def _plain_copy(error: BaseException) -> BaseException | None:
    text = without_tokens(str(error))
    if isinstance(error, (DecodeError, json.JSONDecodeError)):
        kind = IncompleteReadError if isinstance(error, IncompleteReadError) else DecodeError
        return kind(_without_content(text))
    if type(error) in (*_NETWORK, *_HTTP):
        return type(error)(text)
    if _is_unavailable(error):
        return ClientAuthenticationError(text)
    if type(error) in (ValueError, TypeError, AttributeError, RuntimeError, RecursionError):
        return type(error)(text)
    return None


def _unreadable(error: Exception, asked: Asked) -> SafeKVError:
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None) or getattr(error, "status_code", None)
    text = _without_content(str(getattr(error, "message", "") or error))
    if isinstance(error, IncompleteReadError):
        return error_about(_means("incomplete-answer"), text, asked, status_code=status)
    made = error_about(_means("unreadable-answer"), text, asked, status_code=status)
    made.transient = bool(status and status >= 400 and general(status).topic.transient)
    return made


def not_key_vaults(content_type: str | None, status: int, asked: Asked) -> SafeKVError:
    """The error for an answer that looks like a success, and is none of Key Vault's."""
    kind = (content_type or "no content type")[:80]
    return error_about(
        _means("unreadable-answer"), f"The answer ({status}, {kind}) is no JSON object.", asked, status_code=status
    )


def _without_content(text: str) -> str:
    """azure-core puts the answer's text below its message."""
    return text.partition("\nContent:")[0][:500]


def _no_token(error: Exception, asked: Asked) -> SafeKVError:
    text = str(error)
    facts = {"credential_message": without_tokens(text)[:2_000]}
    if "not configured to acquire tokens for tenant" in text:
        wanted = re.search(r"for tenant '?([0-9a-fA-F-]{8,64})", text)
        facts = {"expected_tenant": wanted[1]} if wanted else {}
        return error_about(_means("wrong-tenant"), text, asked, facts)
    if _is_unavailable(error):
        plain = error_about(_means("credential-unavailable"), text, asked)
        _, (_, message, fields) = plain.__reduce__()
        return credential_unavailable(message, fields)
    if "failed to retrieve a token from the included credentials" in text and "AADSTS" not in text:
        return error_about(_means("credential-unavailable"), text, asked)
    made = error_about(_means("credential-failed"), text, asked, facts)
    del made.details["credential_message"]
    return made


def _not_reached(error: Exception, asked: Asked) -> SafeKVError:
    found = list(causes(error))
    text = str(error)
    named = _HOST.search(text)
    host = next((group for group in named.groups() if group), "") if named else ""
    elsewhere = bool(host and asked.host and host.lower() != asked.host.partition(":")[0].lower())
    return error_about(_network_meaning(error, found, elsewhere), text, asked, {"host": host} if elsewhere else None)


def _network_meaning(error: Exception, found: list[BaseException], elsewhere: bool) -> Meaning:
    if isinstance(error, ServiceResponseTimeoutError):
        return _means("no-answer")
    if isinstance(error, ServiceResponseError):
        return _means("connection-lost")
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in found):
        return _means("untrusted-certificate")
    if "non-TLS" in str(error):
        return _means("insecure")
    if isinstance(error, ServiceRequestTimeoutError):
        return _means("cannot-connect", "ConnectTimeout")
    if any(isinstance(cause, socket.gaierror) for cause in found):
        return _means("cannot-connect" if elsewhere else "vault-not-found")
    if any(map(before_sending, found)):
        return _means("cannot-connect")
    return _means("connection-lost", "AsyncConnectionLost")


def _python_error(error: Exception) -> Meaning | None:
    """What of Python's own errors is known to come out of the SDK, by its text."""
    text = str(error)
    if isinstance(error, ValueError) and (_CHALLENGE.match(text) or _of_a_challenge(error)):
        return _means("challenge-mismatch")
    if isinstance(error, AttributeError) and getattr(error, "name", None) == "token" and error.obj is None:
        return _means("token-lost")
    if isinstance(error, TypeError) and _UNKNOWN_KEYWORD.search(text):
        return _means("credential-too-old")
    if type(error) is RuntimeError and "loop is closed" in text:
        return _means("event-loop-closed")
    return None


def _of_a_challenge(error: Exception) -> bool:
    """Whether the SDK could not read a challenge: its parser, or an address in it, was what failed."""
    modules = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    while modules and modules[-1] in ("urllib.parse", "ipaddress"):
        modules.pop()
    return bool(modules) and modules[-1].endswith(("challenge_auth_policy", "http_challenge", "http_challenge_cache"))


def _means(slug: str, kind: str | None = None) -> Meaning:
    topic = TOPICS[slug]
    return Meaning(kind or topic.kind, topic)


def _is_unavailable(error: BaseException) -> bool:
    kind = type(error)
    return kind.__module__.startswith(_IDENTITYS[0]) and kind.__name__ == _IDENTITYS[1]


def _system_error(error: OSError) -> OSError | None:
    """The operating system's part of a failure: a number and a text."""
    kind = next((each for each in type(error).__mro__ if each.__module__ in ("builtins", "socket", "ssl")), OSError)
    return kind(*(each for each in error.args if isinstance(each, (int, str)))) if kind is not OSError else None


_NETWORK = (ServiceRequestError, ServiceRequestTimeoutError, ServiceResponseError, ServiceResponseTimeoutError)
_HTTP = (
    ClientAuthenticationError,
    HttpResponseError,
    IncompleteReadError,
    ResourceExistsError,
    ResourceNotFoundError,
)
