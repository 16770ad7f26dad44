"""What the service answers, and how reaching it fails, as classes. The tree is drawn in ``safekv.errors``."""

from __future__ import annotations

from json import JSONDecodeError
from typing import Any

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


class AuthenticationFailed(SafeKVError, ClientAuthenticationError):
    """No token could be got, or the vault refused it."""


class WrongTenant(AuthenticationFailed):
    """The token is of another tenant than the vault (AKV10032), or the credential may not ask the vault's."""


class WrongAudience(AuthenticationFailed):
    """The token is for another service than Key Vault (AKV10022)."""


class TokenExpired(AuthenticationFailed):
    """The vault takes the token for expired, although it had just been got."""

    transient = True


class TokenLost(AuthenticationFailed, AttributeError):
    """Two threads in the SDK's authentication: one dropped the token that the other was about to send."""

    transient = True


class CredentialUnavailable(AuthenticationFailed):
    """No credential of the chain can give a token here.

    What is raised is azure.identity's ``CredentialUnavailableError`` as well.
    """


class CredentialTooOld(AuthenticationFailed, TypeError):
    """The credential's ``get_token`` does not take ``tenant_id``, ``claims`` or ``enable_cae``."""


class ChallengeMismatch(AuthenticationFailed, ValueError):
    """Who answers names another domain than the vault's as what the token is for. No token was sent."""


class AccessDenied(SafeKVError, HttpResponseError):
    """403: the vault knows who asks, and does not allow it."""

    status_code = 403


class MissingPermission(AccessDenied):
    """No access policy and no role gives the caller the permission that ``details`` names."""


class BlockedByFirewall(AccessDenied):
    """The vault's firewall does not let the address in that the request came from."""


class PublicAccessDisabled(AccessDenied):
    """The vault takes requests over private endpoints alone, and this one came over the internet."""


class KeyOperationNotAllowed(AccessDenied):
    """The key's own list of operations, or the caller's permissions, do not include this operation."""


class ManagedByKeyVault(AccessDenied):
    """The key or secret belongs to a certificate, and is changed through that."""


class SecretDisabled(SafeKVError, HttpResponseError):
    """The secret's version is disabled. No permission changes that."""

    status_code = 403


class KeyDisabled(SafeKVError, HttpResponseError):
    """The key's version is disabled. No permission changes that."""

    status_code = 403


class NotFound(SafeKVError, ResourceNotFoundError):
    """404: the vault has no such object, or no such version of it."""

    status_code = 404


class SecretNotFound(NotFound):
    """The vault has no such secret, or no such version; a deleted one counts as not there."""


class KeyNotFound(NotFound):
    """The vault has no such key, or no such version; a deleted one counts as not there."""


class CertificateNotFound(NotFound):
    """The vault has no such certificate, or no such version; a deleted one counts as not there."""


class RoleAssignmentNotFound(NotFound):
    """The Managed HSM has no such role assignment at this scope."""


class Conflict(SafeKVError, ResourceExistsError):
    """409: the object's state does not allow it."""

    status_code = 409


class DeletedButRecoverable(Conflict):
    """A deleted object has the name until it is recovered or purged."""


class BeingDeleted(Conflict):
    """The deletion of an object of this name is under way; it takes seconds."""

    transient = True


class BeingRecovered(Conflict):
    """The recovery of an object of this name is under way; it takes seconds."""

    transient = True


class OperationInProgress(Conflict):
    """A Managed HSM does one full backup or restore at a time, and one is under way; it takes minutes."""

    transient = True


class OperationFailed(SafeKVError, HttpResponseError):
    """A backup or restore of a Managed HSM, or the check before one, has ended without success."""


class InvalidRequest(SafeKVError, HttpResponseError):
    """The service refused what was sent (400, and other 4xx without a class of their own)."""


class VaultThrottled(SafeKVError, HttpResponseError):
    """The vault answers 429, and the call's deadline leaves no turn; ``retry_in`` says when there may be one."""

    transient = True
    status_code = 429


class VaultUnavailable(SafeKVError, HttpResponseError):
    """The vault answers 5xx; or nothing was sent, because it has just failed repeatedly or was isolated by hand."""

    transient = True
    status_code = 503


class _WithoutDocument(JSONDecodeError):
    """json's error without the text that could not be read: that may hold a secret's value."""

    def __init__(self, message: str) -> None:
        ValueError.__init__(self, message)
        self.msg, self.doc, self.pos, self.lineno, self.colno = message, "", 0, 1, 1


class UnreadableAnswer(SafeKVError, DecodeError, _WithoutDocument):
    """What answered is not Key Vault's JSON: a proxy's page, or half an answer."""


class IncompleteAnswer(UnreadableAnswer, IncompleteReadError):
    """The connection ended in the middle of an answer."""

    transient = True


class ConnectionFailed(SafeKVError, AzureError):
    """No answer: the vault could not be reached, or the connection failed on the way."""

    transient = True


class VaultNotFound(ConnectionFailed, ServiceRequestError):
    """DNS knows no such vault."""


class CannotConnect(ConnectionFailed, ServiceRequestError):
    """The connection was refused, or could not be made. Nothing was sent."""


class ConnectTimeout(CannotConnect, ServiceRequestTimeoutError):
    """The connection was not made in time. Nothing was sent."""


class UntrustedCertificate(ConnectionFailed, ServiceRequestError):
    """The certificate that answered is not one that this machine trusts. Nothing was sent."""

    transient = False


class InsecureConnection(ConnectionFailed, ServiceRequestError):
    """Tokens and values travel over https:// only, and to the client's vault only. Nothing was sent."""

    transient = False


class ConnectionLost(ConnectionFailed, ServiceResponseError):
    """The connection broke before the answer was there; whether the request was carried out is unknown."""


class AsyncConnectionLost(ConnectionLost, ServiceRequestError):
    """``ConnectionLost`` as the aio clients raise it: azure-core calls it a ServiceRequestError there."""


class AnswerTimeout(ConnectionFailed, ServiceResponseTimeoutError):
    """No answer in time; whether the request was carried out is unknown."""


class EventLoopClosed(SafeKVError, RuntimeError):
    """An aio client was used in, or after the end of, an event loop that is closed."""


def _as_identity_knows_it() -> type[CredentialUnavailable]:
    """``CredentialUnavailable`` that is azure.identity's error too.

    azure.identity takes a third of a second to import, so this waits until one was raised.
    """
    from azure.identity import CredentialUnavailableError

    class Unavailable(CredentialUnavailable, CredentialUnavailableError):
        def __reduce__(self) -> tuple[Any, ...]:
            _, (_, message, fields) = super().__reduce__()
            return credential_unavailable, (message, fields)

    Unavailable.__name__ = Unavailable.__qualname__ = "CredentialUnavailable"
    Unavailable.__module__ = "safekv.errors"
    Unavailable.__doc__ = CredentialUnavailable.__doc__
    return Unavailable


_unavailable: type[CredentialUnavailable] | None = None


def credential_unavailable(message: str, fields: dict[str, Any]) -> CredentialUnavailable:
    """A ``CredentialUnavailable`` that ``except azure.identity.CredentialUnavailableError`` catches."""
    global _unavailable
    if _unavailable is None:
        try:
            _unavailable = _as_identity_knows_it()
        except ImportError:  # unpickled where azure.identity is not
            return CredentialUnavailable(message, **fields)
    return _unavailable(message, **fields)
