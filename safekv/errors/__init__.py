"""Every error and warning that safekv raises itself.

::

    SafeKVError
    ├── InvalidArgument          ValueError: what was given cannot be sent; nothing was
    │   └── InvalidCredential    also TypeError: no object that can give a token
    ├── AuthenticationFailed     azure.core ClientAuthenticationError
    │   └── CredentialTooOld     also TypeError: the credential knows no tenants
    ├── DeadlineExceeded         azure.core ServiceRequestTimeoutError: time ran out before sending
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

from typing import Any

from azure.core.exceptions import ClientAuthenticationError, ServiceRequestTimeoutError

__all__ = [
    "AuthenticationFailed",
    "ClientClosed",
    "CredentialNotPicklable",
    "CredentialTooOld",
    "DeadlineExceeded",
    "InvalidArgument",
    "InvalidCredential",
    "ManyCredentialsWarning",
    "MissingPackage",
    "SafeKVError",
    "SafeKVWarning",
    "UnsupportedVersion",
]


class SafeKVError(Exception):
    """Base of all errors that safekv raises itself.

    :param message: what happened and to what.
    :param hint: what to do about it.
    :param guide_url: where Microsoft's troubleshooting guide says more.
    """

    def __init__(self, message: str, *, hint: str | None = None, guide_url: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.guide_url = guide_url

    def __str__(self) -> str:
        return "\n".join(part for part in (self.message, self.hint, self.guide_url) if part)

    def __reduce__(self) -> tuple[Any, ...]:
        # azure-core's errors keep a traceback and a response, which must not travel.
        return _rebuild, (type(self), self.message, self.hint, self.guide_url)


def _rebuild(kind: type[SafeKVError], message: str, hint: str | None, guide_url: str | None) -> SafeKVError:
    return kind(message, hint=hint, guide_url=guide_url)


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
