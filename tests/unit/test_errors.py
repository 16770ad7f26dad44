"""Every error of ours: what it is, what it says, and what of it travels."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
from typing import Any

import pytest
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

import safekv.errors as errors
from safekv.errors import SafeKVError, SafeKVWarning

KINDS = [getattr(errors, name) for name in errors.__all__]
ERRORS = [kind for kind in KINDS if issubclass(kind, SafeKVError)]
WARNINGS = [kind for kind in KINDS if issubclass(kind, Warning)]
BASES = {
    errors.LoadError: [SafeKVError],
    errors.MalformedSecret: [ValueError],
    errors.InvalidArgument: [ValueError],
    errors.InvalidCredential: [errors.InvalidArgument, TypeError],
    errors.AuthenticationFailed: [ClientAuthenticationError],
    errors.WrongTenant: [errors.AuthenticationFailed],
    errors.WrongAudience: [errors.AuthenticationFailed],
    errors.TokenExpired: [errors.AuthenticationFailed],
    errors.TokenLost: [errors.AuthenticationFailed, AttributeError],
    errors.CredentialUnavailable: [errors.AuthenticationFailed],
    errors.CredentialTooOld: [errors.AuthenticationFailed, TypeError],
    errors.ChallengeMismatch: [errors.AuthenticationFailed, ValueError],
    errors.AccessDenied: [HttpResponseError],
    errors.MissingPermission: [errors.AccessDenied],
    errors.BlockedByFirewall: [errors.AccessDenied],
    errors.PublicAccessDisabled: [errors.AccessDenied],
    errors.KeyOperationNotAllowed: [errors.AccessDenied],
    errors.ManagedByKeyVault: [errors.AccessDenied],
    errors.PrivateKeyUnavailable: [errors.AccessDenied],
    errors.SecretDisabled: [HttpResponseError],
    errors.KeyDisabled: [HttpResponseError],
    errors.NotFound: [ResourceNotFoundError],
    errors.SecretNotFound: [errors.NotFound],
    errors.KeyNotFound: [errors.NotFound],
    errors.CertificateNotFound: [errors.NotFound],
    errors.RoleAssignmentNotFound: [errors.NotFound],
    errors.Conflict: [ResourceExistsError],
    errors.DeletedButRecoverable: [errors.Conflict],
    errors.BeingDeleted: [errors.Conflict],
    errors.BeingRecovered: [errors.Conflict],
    errors.OperationInProgress: [errors.Conflict],
    errors.OperationFailed: [HttpResponseError],
    errors.InvalidRequest: [HttpResponseError],
    errors.UnreadableAnswer: [DecodeError, json.JSONDecodeError],
    errors.IncompleteAnswer: [errors.UnreadableAnswer, IncompleteReadError],
    errors.ConnectionFailed: [AzureError],
    errors.VaultNotFound: [errors.ConnectionFailed, ServiceRequestError],
    errors.CannotConnect: [errors.ConnectionFailed, ServiceRequestError],
    errors.ConnectTimeout: [errors.CannotConnect, ServiceRequestTimeoutError],
    errors.UntrustedCertificate: [errors.ConnectionFailed, ServiceRequestError],
    errors.InsecureConnection: [errors.ConnectionFailed, ServiceRequestError],
    errors.ConnectionLost: [errors.ConnectionFailed, ServiceResponseError],
    errors.AsyncConnectionLost: [errors.ConnectionLost, ServiceRequestError],
    errors.AnswerTimeout: [errors.ConnectionFailed, ServiceResponseTimeoutError],
    errors.EventLoopClosed: [RuntimeError],
    errors.DeadlineExceeded: [ServiceRequestTimeoutError],
    errors.VaultThrottled: [HttpResponseError],
    errors.VaultUnavailable: [HttpResponseError],
    errors.AmbiguousWrite: [HttpResponseError, ServiceResponseError, ServiceResponseTimeoutError],
    errors.ClientClosed: [ValueError],
    errors.CredentialNotPicklable: [TypeError],
    errors.MissingPackage: [ImportError],
    errors.UnsupportedVersion: [ImportError],
    errors.ManyCredentialsWarning: [SafeKVWarning, UserWarning],
    errors.CryptographyWarning: [SafeKVWarning, UserWarning],
    errors.UncachedReadsWarning: [SafeKVWarning, UserWarning],
    errors.ManyServiceCallsWarning: [SafeKVWarning, UserWarning],
}
FIELDS: dict[str, Any] = {
    "message": "what happened",
    "hint": "what to do",
    "guide_url": "https://guide",
    "remedies": ("this", "that"),
    "code": "Throttled",
    "inner_code": "ForbiddenByRbac",
    "vault": "my.vault.azure.net",
    "operation": "get_secret",
    "request_id": "1",
    "retry_in": 2.5,
    "transient": True,
    "status_code": 418,
    "details": {"oid": "7"},
}
TEXT = "what happened\n[get_secret on my.vault.azure.net, HTTP 418 Throttled ForbiddenByRbac, request 1]\nwhat to do\nhttps://guide"


def test_everything_is_one_or_the_other_and_in_the_drawing() -> None:
    assert set(KINDS) == set(ERRORS) | set(WARNINGS)
    for kind in KINDS:
        assert kind.__name__ in (errors.__doc__ or "")
        assert kind.__doc__
        assert kind.__module__ == "safekv.errors"
    assert set(BASES) == set(KINDS) - {SafeKVError, SafeKVWarning}
    public = {
        name for name, value in vars(errors).items() if isinstance(value, type) and value.__module__ == errors.__name__
    }
    assert public == set(errors.__all__)


@pytest.mark.parametrize(("kind", "bases"), BASES.items())
def test_what_catches_them(kind: type, bases: list[type]) -> None:
    assert all(issubclass(kind, base) for base in bases)


def make(kind: Any) -> SafeKVError:
    error: SafeKVError = kind(**FIELDS)
    return error


def fields_of(error: SafeKVError) -> dict[str, Any]:
    return {name: getattr(error, name) for name in FIELDS}


@pytest.mark.parametrize("kind", ERRORS)
def test_text(kind: Any) -> None:
    assert str(make(kind)) == TEXT
    assert str(kind("what happened")) == "what happened"
    assert kind("what happened").hint is kind("what happened").guide_url is None
    assert "what happened" in repr(make(kind))
    assert isinstance(make(kind), Exception)


@pytest.mark.parametrize("kind", ERRORS)
def test_a_command_to_copy_is_part_of_the_text(kind: Any) -> None:
    error = kind("what happened", hint="what to do", remedies=("az login", "something else"), guide_url="https://guide")
    assert str(error) == "what happened\nwhat to do\naz login\nhttps://guide"


@pytest.mark.parametrize("kind", ERRORS)
def test_they_do_not_keep_what_was_being_handled(kind: Any) -> None:
    """azure-core's errors do, and with it every frame, whose locals are requests and tokens."""
    try:
        raise ValueError("hunter2")
    except ValueError:
        error = make(kind)
    assert "hunter2" not in str(vars(error))
    assert not any(isinstance(value, BaseException) for value in vars(error).values())


def test_a_secret_is_not_kept_as_the_text_that_could_not_be_read() -> None:
    assert errors.UnreadableAnswer("no JSON").doc == ""


def test_an_unavailable_credential_is_azures_as_well() -> None:
    from azure.identity import CredentialUnavailableError

    from safekv.errors._service import credential_unavailable

    error = credential_unavailable("none", {"hint": "az login"})
    assert isinstance(error, errors.CredentialUnavailable)
    assert isinstance(error, CredentialUnavailableError)
    assert type(error).__name__ == "CredentialUnavailable"
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (str(again), again.hint) == (str(error), "az login")


def test_azure_identity_is_not_imported_for_the_errors() -> None:
    program = "import safekv.errors, safekv.errors._failures, sys; print([n for n in sys.modules if 'identity' in n])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=60)
    assert done.stdout.decode().strip() == "[]"


@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_they_travel_whole(kind: Any, protocol: int) -> None:
    again = pickle.loads(pickle.dumps(make(kind), protocol))
    assert type(again) is kind
    assert fields_of(again) == FIELDS
    assert str(again) == str(make(kind))


@pytest.mark.parametrize("kind", ERRORS)
def test_copies(kind: Any) -> None:
    for duplicate in (copy.copy(make(kind)), copy.deepcopy(make(kind))):
        assert (type(duplicate), fields_of(duplicate)) == (kind, FIELDS)


@pytest.mark.parametrize("kind", WARNINGS)
def test_warnings_travel(kind: Any) -> None:
    assert str(pickle.loads(pickle.dumps(kind("text")))) == "text"


def test_they_travel_to_another_process() -> None:
    program = (
        "import pickle, sys\n"
        "for error in pickle.load(sys.stdin.buffer):\n"
        "    print(type(error).__name__, error.message, error.hint, error.guide_url, sep='|')"
    )
    data = pickle.dumps([make(kind) for kind in ERRORS])
    done = subprocess.run([sys.executable, "-c", program], input=data, capture_output=True, check=True, timeout=60)
    assert done.stdout.decode().splitlines() == [
        f"{kind.__name__}|what happened|what to do|https://guide" for kind in ERRORS
    ]


class Secretive:
    """Stands for a request or a response that must not travel."""

    text = "Bearer hunter2"


def raise_from(error: Exception, cause: Exception) -> None:
    try:
        raise cause
    except Exception:
        raise error from cause


@pytest.mark.parametrize("kind", ERRORS)
def test_nothing_but_the_fields_travels(kind: Any) -> None:
    error: Any = make(kind)
    error.response = Secretive()
    with pytest.raises(SafeKVError) as caught:
        raise_from(error, AzureError("Bearer hunter2"))
    assert isinstance(caught.value.__cause__, AzureError)
    data = pickle.dumps(caught.value)
    assert b"hunter2" not in data
    assert b"Secretive" not in data
    assert fields_of(pickle.loads(data)) == FIELDS


def test_an_error_that_was_raised_before_travels_as_well() -> None:
    with pytest.raises(errors.CredentialTooOld) as caught:
        raise_from(make(errors.CredentialTooOld), TypeError("tenant_id"))
    with pytest.raises(errors.CredentialTooOld) as again:
        raise pickle.loads(pickle.dumps(caught.value))
    assert fields_of(again.value) == FIELDS
    assert again.value.__cause__ is None
