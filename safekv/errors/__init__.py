"""Every error and warning that safekv raises itself.

::

    SafeKVError
    ├── InvalidArgument          ValueError: what was given cannot be sent; nothing was
    │   └── InvalidCredential    also TypeError: no object that can give a token
    ├── AuthenticationFailed     azure.core ClientAuthenticationError (401, or no token)
    │   ├── WrongTenant          AKV10032: the token is of another tenant than the vault
    │   ├── WrongAudience        AKV10022: the token is for another service
    │   ├── TokenExpired         the vault takes the token for expired
    │   ├── TokenLost            also AttributeError: a race in the SDK's authentication
    │   ├── CredentialUnavailable  also azure.identity CredentialUnavailableError
    │   ├── CredentialTooOld     also TypeError: the credential knows no tenants
    │   └── ChallengeMismatch    also ValueError: who answers is not the vault that was asked
    ├── AccessDenied             azure.core HttpResponseError (403)
    │   ├── MissingPermission    by access policy, RBAC or a role of the Managed HSM
    │   ├── BlockedByFirewall    the address is not one of those let in
    │   ├── PublicAccessDisabled private endpoints only
    │   ├── KeyOperationNotAllowed  by the key's own list, or by permission
    │   ├── ManagedByKeyVault    the object belongs to a certificate
    │   └── PrivateKeyUnavailable  a certificate's key may not leave the vault, or not to us
    ├── SecretDisabled           azure.core HttpResponseError (403)
    ├── KeyDisabled              azure.core HttpResponseError (403)
    ├── NotFound                 azure.core ResourceNotFoundError (404)
    │   ├── SecretNotFound
    │   ├── KeyNotFound
    │   ├── CertificateNotFound
    │   └── RoleAssignmentNotFound  of a Managed HSM
    ├── Conflict                 azure.core ResourceExistsError (409)
    │   ├── DeletedButRecoverable  a deleted object has the name
    │   ├── BeingDeleted         for some seconds
    │   ├── BeingRecovered       for some seconds
    │   └── OperationInProgress  a full backup or restore of a Managed HSM
    ├── OperationFailed          azure.core HttpResponseError: a backup or restore of an HSM ended without success
    ├── InvalidRequest           azure.core HttpResponseError (400): the service refused what was sent
    ├── VaultThrottled           azure.core HttpResponseError (429): no turn before the call's deadline
    ├── VaultUnavailable         azure.core HttpResponseError (5xx): or left alone after failures, or by hand
    ├── UnreadableAnswer         azure.core DecodeError, also JSONDecodeError: not Key Vault's JSON
    │   └── IncompleteAnswer     also azure.core IncompleteReadError: half an answer
    ├── ConnectionFailed         azure.core AzureError: no answer
    │   ├── VaultNotFound        ServiceRequestError: DNS knows no such vault
    │   ├── CannotConnect        ServiceRequestError: refused, unreachable
    │   │   └── ConnectTimeout   ServiceRequestTimeoutError
    │   ├── UntrustedCertificate ServiceRequestError: TLS
    │   ├── InsecureConnection   ServiceRequestError: not https://, or not the vault's host
    │   ├── ConnectionLost       ServiceResponseError: perhaps carried out
    │   │   └── AsyncConnectionLost  also ServiceRequestError, as aio clients raise today
    │   └── AnswerTimeout        ServiceResponseTimeoutError: perhaps carried out
    ├── DeadlineExceeded         azure.core ServiceRequestTimeoutError: time ran out before sending
    ├── AmbiguousWrite           azure.core HttpResponseError and ServiceResponseTimeoutError: perhaps written
    ├── MalformedSecret          ValueError: a secret's value is not of the type that its setting has
    ├── LoadError                several secrets were asked for and some could not be read
    ├── EventLoopClosed          RuntimeError: an aio client outlived its event loop
    ├── ClientClosed             ValueError: used after the last close()
    ├── CredentialNotPicklable   TypeError: pickling would write a secret
    ├── MissingPackage           ModuleNotFoundError: an extra is not installed
    └── UnsupportedVersion       ImportError: an Azure package below its floor

    SafeKVWarning (UserWarning)
    ├── ManyCredentialsWarning   several credential objects for one vault
    ├── CryptographyWarning      an algorithm that is not what it seems
    ├── ManyServiceCallsWarning  data encrypted by the service, one request for each piece
    └── UncachedReadsWarning     the same secret read all the time by a client without a cache

Each class is also a subclass of what the Azure SDK (or Python) raises for that case, so
existing ``except`` clauses keep working. Errors carry text, never a request: no token, no
body, no secret value. All of them pickle.
"""

from __future__ import annotations

from azure.core.exceptions import HttpResponseError, ServiceRequestTimeoutError, ServiceResponseTimeoutError

from safekv.errors._base import SafeKVError
from safekv.errors._load import LoadError
from safekv.errors._service import (
    AccessDenied,
    AnswerTimeout,
    AsyncConnectionLost,
    AuthenticationFailed,
    BeingDeleted,
    BeingRecovered,
    BlockedByFirewall,
    CannotConnect,
    CertificateNotFound,
    ChallengeMismatch,
    Conflict,
    ConnectionFailed,
    ConnectionLost,
    ConnectTimeout,
    CredentialTooOld,
    CredentialUnavailable,
    DeletedButRecoverable,
    EventLoopClosed,
    IncompleteAnswer,
    InsecureConnection,
    InvalidRequest,
    KeyDisabled,
    KeyNotFound,
    KeyOperationNotAllowed,
    ManagedByKeyVault,
    MissingPermission,
    NotFound,
    OperationFailed,
    OperationInProgress,
    PublicAccessDisabled,
    RoleAssignmentNotFound,
    SecretDisabled,
    SecretNotFound,
    TokenExpired,
    TokenLost,
    UnreadableAnswer,
    UntrustedCertificate,
    VaultNotFound,
    VaultThrottled,
    VaultUnavailable,
    WrongAudience,
    WrongTenant,
)

__all__ = [
    "AccessDenied",
    "AmbiguousWrite",
    "AnswerTimeout",
    "AsyncConnectionLost",
    "AuthenticationFailed",
    "BeingDeleted",
    "BeingRecovered",
    "BlockedByFirewall",
    "CannotConnect",
    "CertificateNotFound",
    "ChallengeMismatch",
    "ClientClosed",
    "Conflict",
    "ConnectTimeout",
    "ConnectionFailed",
    "ConnectionLost",
    "CredentialNotPicklable",
    "CredentialTooOld",
    "CredentialUnavailable",
    "CryptographyWarning",
    "DeadlineExceeded",
    "DeletedButRecoverable",
    "EventLoopClosed",
    "IncompleteAnswer",
    "InsecureConnection",
    "InvalidArgument",
    "InvalidCredential",
    "InvalidRequest",
    "KeyDisabled",
    "KeyNotFound",
    "KeyOperationNotAllowed",
    "LoadError",
    "MalformedSecret",
    "ManagedByKeyVault",
    "ManyCredentialsWarning",
    "ManyServiceCallsWarning",
    "MissingPackage",
    "MissingPermission",
    "NotFound",
    "OperationFailed",
    "OperationInProgress",
    "PrivateKeyUnavailable",
    "PublicAccessDisabled",
    "RoleAssignmentNotFound",
    "SafeKVError",
    "SafeKVWarning",
    "SecretDisabled",
    "SecretNotFound",
    "TokenExpired",
    "TokenLost",
    "UncachedReadsWarning",
    "UnreadableAnswer",
    "UnsupportedVersion",
    "UntrustedCertificate",
    "VaultNotFound",
    "VaultThrottled",
    "VaultUnavailable",
    "WrongAudience",
    "WrongTenant",
]


class InvalidArgument(SafeKVError, ValueError):
    """An argument that Key Vault could only refuse. Raised before any request is sent."""


class InvalidCredential(InvalidArgument, TypeError):
    """The credential is no object that can give a token."""


class DeadlineExceeded(SafeKVError, ServiceRequestTimeoutError):
    """The call's ``timeout`` was over before a request could be sent."""


class AmbiguousWrite(SafeKVError, HttpResponseError, ServiceResponseTimeoutError):
    """A write may or may not have been carried out, and repeating it could do it twice.

    Both ``except HttpResponseError`` (the service answered 5xx) and ``except
    ServiceResponseError`` (no answer came) catch it, whatever was the cause.
    """


class ClientClosed(SafeKVError, ValueError):
    """The client was used after its last lease was given back by ``close()`` or ``with``."""


class MalformedSecret(SafeKVError, ValueError):
    """A secret's value is not of the type that its setting has. The value is not in it."""


class CredentialNotPicklable(SafeKVError, TypeError):
    """Pickling this would write a client secret, a password, a certificate or the values of secrets."""


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


class UncachedReadsWarning(SafeKVWarning):
    """The same secret is read all the time by a client that keeps nothing."""


class PrivateKeyUnavailable(AccessDenied):
    """The private key of a certificate cannot be read: the secret that holds it is denied, or does not hold it."""


# The modules behind this one are nobody's business: reprs and pickles name this one.
for _name in __all__:
    globals()[_name].__module__ = __name__
