"""Every error and warning that safekv raises itself.

::

    SafeKVError
    ├── InvalidArgument          ValueError: what was given cannot be sent; nothing was
    │   └── InvalidCredential    also TypeError: no object that can give a token
    ├── AuthenticationFailed     azure.core ClientAuthenticationError
    │   └── CredentialTooOld     also TypeError: the credential knows no tenants
    ├── DeadlineExceeded         azure.core ServiceRequestTimeoutError: time ran out before sending
    ├── VaultThrottled           azure.core HttpResponseError (429): no turn before the call's deadline
    ├── VaultUnavailable         azure.core HttpResponseError (503): left alone after failures, or by hand
    ├── AmbiguousWrite           azure.core HttpResponseError and ServiceResponseTimeoutError: perhaps written
    ├── PrivateKeyUnavailable    azure.core HttpResponseError: a certificate's key may not leave the vault, or not to us
    ├── ClientClosed             ValueError: used after the last close()
    ├── CredentialNotPicklable   TypeError: pickling would write a secret
    ├── MissingPackage           ModuleNotFoundError: an extra is not installed
    └── UnsupportedVersion       ImportError: an Azure package below its floor

    SafeKVWarning (UserWarning)
    ├── ManyCredentialsWarning   several credential objects for one vault
    ├── CryptographyWarning      an algorithm that is not what it seems
    └── ManyServiceCallsWarning  data encrypted by the service, one request for each piece

Each class is also a subclass of what the Azure SDK (or Python) raises for that case, so
existing ``except`` clauses keep working. Errors carry text, never a request: no token, no
body, no secret value. All of them pickle.
"""

from __future__ import annotations

from typing import Any

from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestTimeoutError,
    ServiceResponseTimeoutError,
)

__all__ = [
    "AmbiguousWrite",
    "AuthenticationFailed",
    "ClientClosed",
    "CredentialNotPicklable",
    "CredentialTooOld",
    "CryptographyWarning",
    "DeadlineExceeded",
    "InvalidArgument",
    "InvalidCredential",
    "ManyCredentialsWarning",
    "ManyServiceCallsWarning",
    "MissingPackage",
    "PrivateKeyUnavailable",
    "SafeKVError",
    "SafeKVWarning",
    "UnsupportedVersion",
    "VaultThrottled",
    "VaultUnavailable",
]


class SafeKVError(Exception):
    """Base of all errors that safekv raises itself.

    :param message: what happened and to what.
    :param hint: what to do about it, in one sentence or two.
    :param guide_url: where Microsoft's troubleshooting guide says more.
    :param remedies: further things to do, the likeliest first.
    :param code: the service's error code (``Throttled``, ``Forbidden``).
    :param inner_code: the service's inner code (``ForbiddenByRbac``).
    :param vault: the vault's host name.
    :param operation: the SDK's name for what was asked (``get_secret``).
    :param request_id: ``x-ms-request-id`` of the answer.
    :param retry_in: seconds after which trying again makes sense.
    :param transient: whether the same call may succeed later without anybody changing anything.
    :param status_code: the answer's HTTP status.
    """

    transient: bool = False
    status_code: int | None = None

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        guide_url: str | None = None,
        remedies: tuple[str, ...] = (),
        code: str | None = None,
        inner_code: str | None = None,
        vault: str | None = None,
        operation: str | None = None,
        request_id: str | None = None,
        retry_in: float | None = None,
        transient: bool | None = None,
        status_code: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.guide_url = guide_url
        self.remedies = remedies
        self.code = code
        self.inner_code = inner_code
        self.vault = vault
        self.operation = operation
        self.request_id = request_id
        self.retry_in = retry_in
        if transient is not None:
            self.transient = transient
        # azure-core's HttpResponseError has just set it to None.
        self.status_code = type(self).status_code if status_code is None else status_code

    def __str__(self) -> str:
        return "\n".join(part for part in (self.message, self.hint, self.guide_url) if part)

    def __reduce__(self) -> tuple[Any, ...]:
        # azure-core's errors keep a traceback and a response, which must not travel.
        return _rebuild, (type(self), self.message, {name: getattr(self, name) for name in _TRAVELS})


_TRAVELS = (
    "hint",
    "guide_url",
    "remedies",
    "code",
    "inner_code",
    "vault",
    "operation",
    "request_id",
    "retry_in",
    "transient",
    "status_code",
)


def _rebuild(kind: type[SafeKVError], message: str, details: dict[str, Any]) -> SafeKVError:
    return kind(message, **details)


class InvalidArgument(SafeKVError, ValueError):
    """An argument that Key Vault could only refuse. Raised before any request is sent."""


class InvalidCredential(InvalidArgument, TypeError):
    """The credential is no object that can give a token."""


class AuthenticationFailed(SafeKVError, ClientAuthenticationError):
    """No token could be got, or the vault refused it."""


class CredentialTooOld(AuthenticationFailed, TypeError):
    """The credential's ``get_token`` does not take ``tenant_id``, ``claims`` or ``enable_cae``."""


class DeadlineExceeded(SafeKVError, ServiceRequestTimeoutError):
    """The call's ``timeout`` was over before a request could be sent."""


class VaultThrottled(SafeKVError, HttpResponseError):
    """The vault answers 429, and the call's deadline leaves no turn; ``retry_in`` says when there may be one."""

    transient = True
    status_code = 429


class VaultUnavailable(SafeKVError, HttpResponseError):
    """Nothing was sent: the vault has just failed several times in a row, or was isolated by hand."""

    transient = True
    status_code = 503


class AmbiguousWrite(SafeKVError, HttpResponseError, ServiceResponseTimeoutError):
    """A write may or may not have been carried out, and repeating it could do it twice.

    Both ``except HttpResponseError`` (the service answered 5xx) and ``except
    ServiceResponseError`` (no answer came) catch it, whatever was the cause.
    """


class ClientClosed(SafeKVError, ValueError):
    """The client was used after its last lease was given back by ``close()`` or ``with``."""


class CredentialNotPicklable(SafeKVError, TypeError):
    """Pickling this client would write a client secret, a password or a certificate."""


class MissingPackage(SafeKVError, ModuleNotFoundError):
    """A package that is needed for this is not installed; the hint is the command that installs it."""


class UnsupportedVersion(SafeKVError, ImportError):
    """An installed Azure package is older than safekv can make safe."""


class SafeKVWarning(UserWarning):
    """Base of all warnings that safekv gives."""


class ManyCredentialsWarning(SafeKVWarning):
    """Several credential objects are in use for one vault, so nothing can be shared."""


class CryptographyWarning(SafeKVWarning):
    """An algorithm that is broken, or does less than its arguments suggest."""


class ManyServiceCallsWarning(SafeKVWarning):
    """The service encrypts or decrypts piece by piece what could be done here with one wrapped key."""


class PrivateKeyUnavailable(SafeKVError, HttpResponseError):
    """The private key of a certificate cannot be read: the secret that holds it is denied, or does not hold it."""
