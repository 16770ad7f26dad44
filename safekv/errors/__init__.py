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
    ├── LoadError                several secrets were asked for and some could not be read
    ├── ClientClosed             ValueError: used after the last close()
    ├── CredentialNotPicklable   TypeError: pickling would write a secret
    ├── MissingPackage           ModuleNotFoundError: an extra is not installed
    └── UnsupportedVersion       ImportError: an Azure package below its floor

    SafeKVWarning (UserWarning)
    └── ManyCredentialsWarning   several credential objects for one vault

Each class is also a subclass of what the Azure SDK (or Python) raises for that case, so
existing ``except`` clauses keep working. Errors carry text, never a request: no token, no
body, no secret value. All of them pickle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
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
    "DeadlineExceeded",
    "InvalidArgument",
    "InvalidCredential",
    "LoadError",
    "ManyCredentialsWarning",
    "MissingPackage",
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


class LoadError(SafeKVError):
    """Several secrets were asked for at once and some could not be read; the message lists all of them.

    :ivar failures: the error of each, by name.
    """

    failures: Mapping[str, BaseException] = MappingProxyType({})

    @classmethod
    def of(cls, vault: str, failures: Mapping[str, BaseException], *, transient: bool = False) -> LoadError:
        """The error for these failures; ``transient`` if all of them may pass by themselves."""
        lines = "".join(f"\n  {name}: {_in_short(error)}" for name, error in failures.items())
        count = f"{len(failures)} secrets" if len(failures) > 1 else "1 secret"
        made = cls(f"{count} of {vault} could not be read:{lines}", vault=vault, transient=transient)
        made.failures = MappingProxyType(dict(failures))
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        rebuild, (kind, message, details) = super().__reduce__()
        failures = {name: _portable(error) for name, error in self.failures.items()}
        return _rebuild_load, (rebuild, kind, message, details, failures)


def _rebuild_load(
    rebuild: Callable[..., LoadError],
    kind: type[LoadError],
    message: str,
    details: dict[str, Any],
    failures: dict[str, BaseException],
) -> LoadError:
    made = rebuild(kind, message, details)
    made.failures = MappingProxyType(failures)
    return made


def _portable(error: BaseException) -> BaseException:
    """The error, or its text if it does not survive pickling."""
    import pickle

    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  (what was pickled just now)
    except Exception:
        return SafeKVError(_in_short(error))
    return error


#: What to do about an answer of the service that has no hint of its own.
_ADVICE = {
    404: "Create it, or name it in optional=.",
    403: "The identity needs the role Key Vault Secrets User (secrets/get), the network to be allowed, "
    "and the secret to be enabled.",
}


def _in_short(error: BaseException) -> str:
    """What is wrong, in one line, with a hint."""
    said = getattr(error, "message", None) or str(error) or type(error).__name__
    first = str(said).strip().splitlines()[0][:300]
    hint = getattr(error, "hint", None) or _ADVICE.get(getattr(error, "status_code", None) or 0)
    return f"{first} {hint}" if hint else first


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
