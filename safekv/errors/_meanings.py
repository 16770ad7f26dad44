"""What an answer of the service means: which class is raised for it, and which topic explains it.

Looked at from the most telling to the least: the text, the inner code, the code, the status.
So a text that the service changes, or one in another language, still finds its class.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from safekv.errors._topic import Topic
from safekv.errors._topics import TOPICS


class Meaning(NamedTuple):
    """The name of a class in ``safekv.errors``, and the topic."""

    kind: str
    topic: Topic


def _means(slug: str, kind: str | None = None) -> Meaning:
    topic = TOPICS[slug]
    return Meaning(kind or topic.kind, topic)


def _by_text(*rules: tuple[int, str, Meaning]) -> tuple[tuple[int, re.Pattern[str], Meaning], ...]:
    return tuple((status, re.compile(pattern), meaning) for status, pattern, meaning in rules)


TEXTS = _by_text(
    (401, r"AKV10000|^Request is missing a Bearer", _means("silent-401")),
    (401, r"AKV10022|^Invalid audience", _means("wrong-audience")),
    (401, r"AKV10032|^Invalid issuer", _means("wrong-tenant")),
    (401, r"AKV10046", _means("signing-key")),
    (401, r"\[TokenExpired\]|S2S12086|IDX10223", _means("token-expired")),
    (401, r"^Token not yet valid", _means("token-not-yet-valid")),
    (403, r"^The policy requires the caller", _means("on-behalf-of")),
    (403, r"does not have \w+ [\w/]+ permission on", _means("missing-policy")),
    (403, r'^Operation is not allowed\.\s+Operation: "', _means("missing-policy")),
    (403, r"^Operation \S+ is not permitted on this object", _means("deleted-secret-disabled")),
    (403, r"^Operation \S+ is not allowed on an? (expired|\S+ that is not yet valid)", _means("key-out-of-time")),
    (403, r"^Operation \S+ is not allowed on a disabled secret", _means("secret-disabled")),
    (403, r"^Operation \S+ is not allowed on a disabled key", _means("key-disabled")),
    (403, r"^Operation \S+ is not permitted on this key", _means("key-operation")),
    (403, r"^Access denied to first party", _means("first-party")),
    (403, r"^(Merge|Cancellation) is forbidden", _means("merge")),
    (403, r"purge protection is enabled", _means("purge-protection")),
    (403, r"lifetime is managed by Key Vault", _means("managed-object")),
    (403, r"does not satisfy the key release policy", _means("release-denied")),
    (403, r"^Not authorized to access ", _means("missing-hsm-role")),
    (403, r"^Caller is not authorized to perform action", _means("missing-role")),
    (403, r"^Client address is not authorized", _means("firewall")),
    (403, r"^(Public network access is disabled|Connection is not an approved private link)", _means("public-access")),
    (404, r"^Deleted Secret not found", _means("deleted-not-found", "SecretNotFound")),
    (404, r"^Deleted Key not found", _means("deleted-not-found", "KeyNotFound")),
    (404, r"^Deleted Certificate not found", _means("deleted-not-found", "CertificateNotFound")),
    (404, r"^(A secret with \(name/id\)|Secret not found)", _means("not-found", "SecretNotFound")),
    (404, r"^(A key with \(name/id\)|Key not found)", _means("not-found", "KeyNotFound")),
    (404, r"^(A certificate with \(name/id\)|Certificate not found)", _means("not-found", "CertificateNotFound")),
    (404, r"^Pending certificate not found", _means("pending-not-found")),
    (404, r"^Requested role assignment not found", _means("hsm-role-not-found")),
    (404, r"^Requested role definition not found", _means("hsm-role-not-found", "NotFound")),
    (404, r"^(Contacts|Issuer|Requested (setting|operation)) not found", _means("part-not-found")),
    (409, r"in a deleted but recoverable state", _means("deleted-but-recoverable")),
    (409, r"is currently being deleted", _means("being-deleted")),
    (409, r"is currently being recovered", _means("being-recovered")),
    (409, r"^There was a conflict restoring", _means("restore-conflict")),
    (409, r"^There was a conflict while", _means("parallel")),
    (409, r"that belongs to no certificate", _means("name-in-use")),
    (409, r"pending key vault certificate", _means("certificate-pending")),
    (409, r"backup or restore operation is already in progress", _means("hsm-busy")),
    (409, r"^The role assignment already exists \(Activity", _means("hsm-role-exists")),
    (409, r"^A vault with the same name already exists in deleted state", _means("vault-exists")),
    (429, r"too many requests were received", _means("throttled")),
    (400, r"^The request URI contains an invalid name", _means("invalid-name")),
    (400, r"^Property has invalid value|^The parameter is incorrect|: count cannot be", _means("invalid-value")),
    (400, r"^Key and (signing )?algorithm are incompatible", _means("algorithm")),
    (400, r"^The specified version \(.*\) is not recognized", _means("api-version")),
    (400, r"^Method \S+ does not allow operation", _means("unknown-operation")),
    (400, r"^Bad JSON content", _means("bad-json")),
    (400, r"backup blob", _means("backup-blob")),
    (400, r"specified (PKCS#12 |PEM )?X\.509 certificate content", _means("pfx")),
    (400, r"AKV\.SKR\.\d+|^Exportable keys must have release policy", _means("release-policy")),
    (400, r"^Role (definition|assignment) name must be a GUID", _means("hsm-role-name")),
    (
        400,
        r"^(The specified role definition does|There are existing role assignments referencing the|A built-in role def"
        r"|The limit of role )",
        _means("hsm-role-definition"),
    ),
    (400, r'^The property "(enablePurgeProtection|enableSoftDelete|softDelete)', _means("irreversible-property")),
    (400, r"^The parameter accessPolicies is not specified", _means("policies-missing")),
    (404, r"^The (Resource '|specified deleted vault)|^No resource of this emulator", _means("no-such-resource")),
    (404, r"^The role assignment '", _means("part-not-found")),
)

#: By status and inner code, or by status and code: both are looked up here, the inner one first.
CODES = {
    (403, "ForbiddenByRbac"): _means("missing-role"),
    (403, "ForbiddenByPolicy"): _means("missing-policy"),
    (403, "ForbiddenByFirewall"): _means("firewall"),
    (403, "ForbiddenByConnection"): _means("public-access"),
    (403, "SecretDisabled"): _means("secret-disabled"),
    (403, "KeyDisabled"): _means("key-disabled"),
    (403, "KeyOperationForbidden"): _means("key-operation"),
    (403, "KeyManagedByKeyVault"): _means("managed-object"),
    (403, "SecretManagedByKeyVault"): _means("managed-object"),
    (404, "SecretNotFound"): _means("not-found", "SecretNotFound"),
    (404, "KeyNotFound"): _means("not-found", "KeyNotFound"),
    (404, "CertificateNotFound"): _means("not-found", "CertificateNotFound"),
    (404, "PendingCertificateNotFound"): _means("pending-not-found"),
    (404, "ContactsNotFound"): _means("part-not-found"),
    (404, "CertificateIssuerNotFound"): _means("part-not-found"),
    (404, "RoleAssignmentNotFound"): _means("hsm-role-not-found"),
    (404, "RoleDefinitionNotFound"): _means("hsm-role-not-found", "NotFound"),
    (409, "ObjectIsDeletedButRecoverable"): _means("deleted-but-recoverable"),
    (409, "ObjectIsBeingDeleted"): _means("being-deleted"),
    (409, "ObjectIsBeingRecovered"): _means("being-recovered"),
    (409, "VaultAlreadyExists"): _means("vault-exists"),
    (409, "ConflictError"): _means("control-conflict"),
    (405, "MethodNotAllowed"): _means("purge-protection"),
    (409, "InvalidResourceLocation"): _means("vault-location"),
    (409, "RoleAssignmentExists"): _means("assignment-exists"),
    (409, "RoleDefinitionWithSameNameExists"): _means("role-in-use"),
    (409, "RoleDefinitionHasAssignments"): _means("role-in-use"),
    (404, "ResourceNotFound"): _means("no-such-resource"),
    (404, "ResourceGroupNotFound"): _means("no-such-resource"),
    (404, "SubscriptionNotFound"): _means("no-such-resource"),
    (404, "RoleDefinitionDoesNotExist"): _means("part-not-found"),
    (403, "AuthorizationFailed"): _means("management-denied"),
    (401, "AuthenticationFailed"): _means("management-token"),
    (401, "InvalidAuthenticationToken"): _means("management-token"),
    (401, "InvalidAuthenticationTokenAudience"): _means("management-token"),
    (401, "ExpiredAuthenticationToken"): _means("management-token"),
    (400, "VaultNameNotValid"): _means("vault-name"),
    **{
        (400, code): _means("management-request")
        for code in (
            "BadRequest",
            "InvalidRequestContent",
            "LocationRequired",
            "MissingApiVersionParameter",
            "RoleDefinitionDoesNotExist",
            "RoleAssignmentUpdateNotPermitted",
            "InvalidRoleAssignmentId",
            "InvalidRoleDefinitionId",
        )
    },
}

_STATUSES = {
    401: _means("authentication"),
    403: _means("access-denied"),
    404: _means("not-found"),
    408: _means("service-fault"),
    409: _means("conflict"),
    429: _means("throttled"),
}
_FAULT = _means("service-fault")
_INVALID = _means("invalid-request")

#: Characters of a message that are looked at. The service's longest is under 1,000.
LONGEST = 4_000


def meaning_of(status: int, code: str | None, inner_code: str | None, message: str | None) -> Meaning:
    """What an answer with this status (400 and up) means."""
    text = (message or "")[:LONGEST]
    for rule_status, pattern, meaning in TEXTS:
        if rule_status == status and pattern.search(text):
            return meaning
    by_code = CODES.get((status, inner_code or "")) or CODES.get((status, code or ""))
    return by_code or _STATUSES.get(status) or (_FAULT if status >= 500 else _INVALID)


def general(status: int) -> Meaning:
    """What the status alone means; what is not Key Vault's answer is told by this."""
    return meaning_of(status, None, None, None)
