"""What the cache keeps of an answer, and what it makes of it for each reader."""

from __future__ import annotations

from typing import Any

from azure.core.exceptions import (
    HttpResponseError,
    IncompleteReadError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.keyvault.secrets import KeyVaultSecret, SecretProperties

from safekv._clock import Clock
from safekv.cache._entry import Reading
from safekv.connection.pipeline._outcome import outcome_of
from safekv.errors import DeadlineExceeded, InsecureConnection, SafeKVError, UntrustedCertificate
from safekv.resilience._flow import Outcome

_new = object.__new__
#: Whoever is refused is not given what was kept, however soon that may change.
_REFUSALS = frozenset({401, 403, 404})


class Kept:
    """A secret as it is kept: enough to make the SDK's object again, in half a microsecond.

    ``deepcopy`` takes 40. Attributes of the SDK's objects that nobody can change without
    reaching for a private name are shared; the tags, a plain dict, are copied.
    """

    __slots__ = ("fields", "tags", "value")

    def __init__(self, secret: KeyVaultSecret) -> None:
        self.value = secret._value
        self.fields = secret._properties.__dict__.copy()
        self.tags = dict(self.fields["_tags"]) if self.fields["_tags"] else None
        self.fields["_tags"] = self.tags

    def __repr__(self) -> str:
        return "<a kept secret>"

    @property
    def properties(self) -> SecretProperties:
        return self.secret().properties

    def secret(self) -> KeyVaultSecret:
        """The secret, for one reader: no other has the same objects."""
        properties = _new(SecretProperties)
        properties.__dict__ = fields = self.fields.copy()
        if self.tags is not None:
            fields["_tags"] = self.tags.copy()
        secret = _new(KeyVaultSecret)
        secret._properties = properties
        secret._value = self.value
        return secret


def reading(secret: Any, clock: Clock) -> Reading | None:
    """What a read of the vault brought; None if it is nothing to keep (a mock, a broken answer)."""
    if type(secret) is not KeyVaultSecret or type(secret.properties) is not SecretProperties:
        return None
    properties = secret.properties
    if secret.value is None or not properties.version:
        return None
    now = clock.time()
    expires, begins = properties.expires_on, properties.not_before
    return Reading(
        Kept(secret),
        properties.version,
        expires.timestamp() - now if expires is not None else None,
        begins.timestamp() - now if begins is not None else None,
    )


def is_transient(error: BaseException) -> bool:
    """Whether the same read may succeed later without anybody changing anything."""
    status = getattr(error, "status_code", None)
    if status in _REFUSALS or isinstance(error, UntrustedCertificate | InsecureConnection):
        return False
    if isinstance(error, DeadlineExceeded | IncompleteReadError):
        return True
    if isinstance(error, SafeKVError) and error.transient:
        return True
    if isinstance(error, HttpResponseError) and status is not None:
        return status in (408, 429) or status >= 500
    if isinstance(error, ServiceRequestError | ServiceResponseError):
        return outcome_of(error) is not Outcome.PERMANENT
    return False


def is_missing(error: BaseException) -> bool:
    """Whether the vault says that there is no such secret (and not that there is no such vault)."""
    return isinstance(error, ResourceNotFoundError) and error.status_code == 404


def twin(error: BaseException) -> BaseException:
    """The same error for another reader: raising one object in several threads mixes up their tracebacks."""
    kind = type(error)
    made = kind.__new__(kind, *error.args)
    made.__dict__.update(error.__dict__)
    if hasattr(made, "exc_traceback"):  # azure-core's own copy of it
        made.exc_traceback = None
    made.__cause__ = error.__cause__
    made.__suppress_context__ = error.__suppress_context__
    return made
