"""One row per error that the service sends: the only table of them.

The emulator builds its answers from these rows; everything that has to recognise an error
of the service reads them too. Texts are the service's own, with ``<name>``-like places for
what varies. A row's ``id`` is stable: tests, faults and documentation refer to it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from safekv.errors._meanings import meaning_of
from safekv.errors._topic import Topic


@dataclass(frozen=True, slots=True)
class Again:
    """The same request is worth repeating: after so many seconds (twice as long each time), so many times."""

    after: float
    times: int


@dataclass(frozen=True, slots=True)
class ServiceError:
    """An error as it stands on the wire.

    ``plane`` is ``vault``, ``mhsm`` (Managed HSM) or ``arm`` (control plane). ``transient``
    means that the same request may succeed later without anybody changing anything; ``again``
    says how soon, where that is a matter of seconds. ``kind`` is the class that is raised for it,
    and ``topic`` what it means, what to do, and where the guide says more.
    """

    id: str
    plane: str
    status: int
    code: str | None
    inner_code: str | None
    message: str | None
    transient: bool = False
    again: Again | None = None

    @property
    def kind(self) -> str:
        """The name of its class in ``safekv.errors``."""
        return meaning_of(self.status, self.code, self.inner_code, self.message).kind

    @property
    def topic(self) -> Topic:
        """What explains it: meaning, hint, guide, whether a stale value may stand in or a write be repeated."""
        return meaning_of(self.status, self.code, self.inner_code, self.message).topic

    def body(self, **values: str) -> bytes:
        """The JSON body, with ``<key>`` replaced by ``values["key"]``; places without a value stay."""
        if self.code is None:
            return b""
        error: dict[str, object] = {"code": self.code, "message": self._text(values)}
        if self.inner_code:
            error["innererror"] = {"code": self.inner_code}
        return json.dumps({"error": error}, separators=(",", ":")).encode()

    def _text(self, values: dict[str, str]) -> str:
        return re.sub(r"<(\w+)>", lambda place: values.get(place[1], place[0]), self.message or "")


#: Deleting and recovering take the service 2 to 14 s.
_SETTLING = Again(0.5, 20)

# fmt: off
ROWS: tuple[ServiceError, ...] = (
    ServiceError("401_challenge", "vault", 401, "Unauthorized", None,
        "AKV10000: Request is missing a Bearer or PoP token."),
    ServiceError("401_audience", "vault", 401, "Unauthorized", None,
        "AKV10022: Invalid audience. Expected https://vault.azure.net, found: https://management.azure.com/."),
    ServiceError("401_issuer", "vault", 401, "Unauthorized", None,
        "AKV10032: Invalid issuer. Expected one of https://sts.windows.net/<tenant1>/, found https://sts.windows.net/<tenant2>/."),
    ServiceError("401_sigkey", "vault", 401, "Unauthorized", None,
        "AKV10046: Unable to resolve the key used for signature validation. EncodedJwtHeader: '<b64>'.", transient=True,
        again=Again(2.0, 4)),
    ServiceError("401_expired", "vault", 401, "Unauthorized", None,
        "[TokenExpired] Error validating token: 'S2S12086'.", transient=True, again=Again(0.0, 1)),
    ServiceError("401_mhsm_challenge", "mhsm", 401, None, None,
        None),
    ServiceError("401_mhsm_nbf", "mhsm", 401, "Unauthorized", None,
        "Token not yet valid (Activity ID: <guid>)", transient=True, again=Again(1.0, 4)),
    ServiceError("403_policy", "vault", 403, "Forbidden", "AccessDenied",
        "The user, group or application 'appid=<appid>;oid=<oid>;iss=https://sts.windows.net/<tenant>/' does not have secrets get permission on key vault '<vault>;location=<region>'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287"),
    ServiceError("403_obo", "vault", 403, "Forbidden", "ForbiddenByPolicy",
        "The policy requires the caller 'appid=<appid>' to use on-behalf-of (OBO) flow. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287"),
    ServiceError("403_rbac", "vault", 403, "Forbidden", "ForbiddenByRbac",
        "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\nCaller: appid=<appid>;oid=<oid>;iss=https://sts.windows.net/<tenant>/\r\nAction: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'\r\nResource: '/subscriptions/<...>/providers/microsoft.keyvault/vaults/<vault>/secrets/<name>'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: 'DeniedWithNoValidRBAC' \r\nVault: <vault>;location=<region>\r\n"),
    ServiceError("403_firewall", "vault", 403, "Forbidden", "ForbiddenByFirewall",
        "Client address is not authorized and caller is not a trusted service.\r\nClient address: <ip>\r\nCaller: appid=<appid>;oid=<oid>;iss=https://sts.windows.net/<tenant>/\r\nVault: <vault>;location=<region>"),
    ServiceError("403_private", "vault", 403, "Forbidden", "ForbiddenByConnection",
        "Public network access is disabled and request is not from a trusted service nor via an approved private link.\r\nCaller: appid=<appid>;oid=<oid>;iss=https://sts.windows.net/<tenant>/\r\nVault: <vault>;location=<region>"),
    ServiceError("403_secret_disabled", "vault", 403, "Forbidden", "SecretDisabled",
        "Operation get is not allowed on a disabled secret."),
    ServiceError("403_deleted_secret_disabled", "vault", 403, "Forbidden", "AccessDenied",
        "Operation get is not permitted on this object."),
    ServiceError("403_key_disabled", "vault", 403, "Forbidden", "KeyDisabled",
        "Operation <operation> is not allowed on a disabled key."),
    # No text for the next two is known from the service; these are like the one above.
    ServiceError("403_key_expired", "vault", 403, "Forbidden", None,
        "Operation <operation> is not allowed on an expired key."),
    ServiceError("403_key_not_yet_valid", "vault", 403, "Forbidden", None,
        "Operation <operation> is not allowed on a key that is not yet valid."),
    ServiceError("403_key_ops", "vault", 403, "Forbidden", "KeyOperationForbidden",
        "Operation <operation> is not permitted on this key."),
    ServiceError("403_managed_key", "vault", 403, "Forbidden", "KeyManagedByKeyVault",
        "Operation \"delete\" is not allowed as this object's lifetime is managed by Key Vault."),
    ServiceError("403_managed_secret", "vault", 403, "Forbidden", "SecretManagedByKeyVault",
        "Operation \"delete\" is not allowed as this object's lifetime is managed by Key Vault."),
    ServiceError("403_first_party", "vault", 403, "Forbidden", "AccessDenied",
        "Access denied to first party service. <...>"),
    ServiceError("403_merge", "vault", 403, "Forbidden", None,
        "Merge is forbidden on pending object created with issuer : <issuer> while it is in progess."),
    # The service does refuse this; its text is not known.
    ServiceError("403_cancel", "vault", 403, "Forbidden", None,
        "Cancellation is forbidden on pending object created with issuer : <issuer>."),
    ServiceError("403_purge_protected", "vault", 403, "Forbidden", None,
        "Operation \"purge\" is not allowed because purge protection is enabled for this vault. Key Vault service will automatically purge it after the retention period has passed.\r\nVault: <vault>;location=<region>"),
    # No text for this is known from the service.
    ServiceError("403_release", "vault", 403, "Forbidden", None,
        "Target environment attestation does not satisfy the key release policy."),
    ServiceError("403_mhsm", "mhsm", 403, "AccessDenied", None,
        "Not authorized to access Microsoft.KeyVault/managedHsm/roleAssignments/read/action on / (Activity ID: <guid>)"),
    ServiceError("404_secret", "vault", 404, "SecretNotFound", None,
        "A secret with (name/id) <name> was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182"),
    ServiceError("404_secret_short", "vault", 404, "SecretNotFound", None,
        "Secret not found: <name>"),
    ServiceError("404_deleted_secret", "vault", 404, "SecretNotFound", None,
        "Deleted Secret not found: <name>"),
    ServiceError("404_key_named", "vault", 404, "KeyNotFound", None,
        "A key with (name/id) <name> was not found in this key vault. If you recently deleted this key you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182"),
    ServiceError("404_key", "vault", 404, "KeyNotFound", None,
        "Key not found: <name>"),
    ServiceError("404_deleted_key", "vault", 404, "KeyNotFound", None,
        "Deleted Key not found: <name>"),
    ServiceError("404_cert_named", "vault", 404, "CertificateNotFound", None,
        "A certificate with (name/id) <name> was not found in this key vault. If you recently deleted this certificate you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182"),
    ServiceError("404_cert", "vault", 404, "CertificateNotFound", None,
        "Certificate not found: <name>"),
    ServiceError("404_deleted_cert", "vault", 404, "CertificateNotFound", None,
        "Deleted Certificate not found: <name>"),
    ServiceError("404_pending", "vault", 404, "PendingCertificateNotFound", None,
        "Pending certificate not found: <name>"),
    ServiceError("404_contacts", "vault", 404, "ContactsNotFound", None,
        "Contacts not found"),
    ServiceError("404_issuer", "vault", 404, "CertificateIssuerNotFound", None,
        "Issuer not found"),
    ServiceError("404_mhsm_role", "mhsm", 404, "RoleAssignmentNotFound", None,
        "Requested role assignment not found (Activity ID: <guid>)"),
    # No text for the next three is known from the service; they are like the one above.
    ServiceError("404_mhsm_definition", "mhsm", 404, "RoleDefinitionNotFound", None,
        "Requested role definition not found (Activity ID: <guid>)"),
    ServiceError("404_mhsm_setting", "mhsm", 404, "SettingNotFound", None,
        "Requested setting not found (Activity ID: <guid>)"),
    ServiceError("404_mhsm_operation", "mhsm", 404, "OperationNotFound", None,
        "Requested operation not found (Activity ID: <guid>)"),
    ServiceError("409_recoverable", "vault", 409, "Conflict", "ObjectIsDeletedButRecoverable",
        "Secret <name> is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged."),
    ServiceError("409_recoverable_key", "vault", 409, "Conflict", "ObjectIsDeletedButRecoverable",
        "Key <name> is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the key can only be recovered or purged."),
    ServiceError("409_recoverable_cert", "vault", 409, "Conflict", "ObjectIsDeletedButRecoverable",
        "Certificate <name> is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the certificate can only be recovered or purged."),
    ServiceError("409_being_deleted", "vault", 409, "Conflict", "ObjectIsBeingDeleted",
        "Secret is currently being deleted.", transient=True, again=_SETTLING),
    ServiceError("409_being_deleted_key", "vault", 409, "Conflict", "ObjectIsBeingDeleted",
        "Key is currently being deleted.", transient=True, again=_SETTLING),
    ServiceError("409_being_deleted_cert", "vault", 409, "Conflict", "ObjectIsBeingDeleted",
        "Certificate is currently being deleted.", transient=True, again=_SETTLING),
    ServiceError("409_being_recovered", "vault", 409, "Conflict", "ObjectIsBeingRecovered",
        "Secret <name> is currently being recovered and cannot be re-created; retry later.", transient=True, again=_SETTLING),
    ServiceError("409_being_recovered_key", "vault", 409, "Conflict", "ObjectIsBeingRecovered",
        "Key <name> is currently being recovered and cannot be re-created; retry later.", transient=True, again=_SETTLING),
    ServiceError("409_being_recovered_cert", "vault", 409, "Conflict", "ObjectIsBeingRecovered",
        "Certificate <name> is currently being recovered and cannot be re-created; retry later.", transient=True, again=_SETTLING),
    ServiceError("409_parallel", "vault", 409, "Conflict", None,
        "There was a conflict while recovering the soft-deleted key '<name>'. This can happen when multiple operations are performed in parallel<...>", transient=True),
    ServiceError("409_restore", "vault", 409, "Conflict", None,
        "There was a conflict restoring the secret '<id>'. This can happen if either: a second secret with the same name was created after the first secret was deleted; thus trying to restore a secret whose name is already in use. To fix this, rename the second secret to something else so that the restore works. The second probable cause of this exception is when multiple operations are performed in parallel against the secret. To avoid this error, perform operations against a secret in a sequential manner."),
    ServiceError("409_restore_key", "vault", 409, "Conflict", None,
        "There was a conflict restoring the key '<id>'. This can happen if either: a second key with the same name was created after the first key was deleted; thus trying to restore a key whose name is already in use. To fix this, rename the second key to something else so that the restore works. The second probable cause of this exception is when multiple operations are performed in parallel against the key. To avoid this error, perform operations against a key in a sequential manner."),
    ServiceError("409_restore_cert", "vault", 409, "Conflict", None,
        "There was a conflict restoring the certificate '<id>'. This can happen if either: a second certificate with the same name was created after the first certificate was deleted; thus trying to restore a certificate whose name is already in use. To fix this, rename the second certificate to something else so that the restore works. The second probable cause of this exception is when multiple operations are performed in parallel against the certificate. To avoid this error, perform operations against a certificate in a sequential manner."),
    # No text for this is known from the service.
    ServiceError("409_part", "vault", 409, "Conflict", None,
        "There is a key or a secret named <name> that belongs to no certificate."),
    ServiceError("409_cert_pending", "vault", 409, "Forbidden", None,
        "A new key vault certificate can not be created or imported while a pending key vault certificate's status is inProgress.", transient=True),
    # No text for the next two is known from the service; codes are those of Azure's own role assignments.
    ServiceError("409_mhsm_busy", "mhsm", 409, "Conflict", None,
        "Another backup or restore operation is already in progress (Activity ID: <guid>)", transient=True),
    ServiceError("409_mhsm_assignment", "mhsm", 409, "RoleAssignmentExists", None,
        "The role assignment already exists (Activity ID: <guid>)"),
    ServiceError("400_name", "vault", 400, "BadParameter", None,
        "The request URI contains an invalid name: <name>"),
    ServiceError("400_value", "vault", 400, "BadParameter", None,
        "Property has invalid value\r\n"),
    ServiceError("400_api_version", "vault", 400, "BadParameter", None,
        "The specified version (<version>) is not recognized. Consider using the latest supported version (<latest>)."),
    ServiceError("400_operation", "vault", 400, "BadParameter", None,
        "Method <method> does not allow operation '<operation>'"),
    ServiceError("400_json", "vault", 400, "BadParameter", None,
        "Bad JSON content found in the request."),
    ServiceError("400_backup", "vault", 400, "BadParameter", None,
        "Cannot decrypt backup blob"),
    ServiceError("400_pfx", "vault", 400, "BadParameter", None,
        "No certificate with private key found in the specified X.509 certificate content. Please specify X.509 certificate content with only one certificate containing private key."),
    ServiceError("400_parameter", "vault", 400, "BadParameter", None,
        "The parameter is incorrect.\r\n"),
    ServiceError("400_curve", "vault", 400, "BadParameter", None,
        "Key and signing algorithm are incompatible. Key <id> uses curve '<curve>', and algorithm '<algorithm>' can only be used with curve '<expected>'."),
    # No text for this is known from the service; it is like the one above.
    ServiceError("400_algorithm", "vault", 400, "BadParameter", None,
        "Key and algorithm are incompatible. Key <id> is of type '<kty>', and cannot be used with algorithm '<algorithm>'."),
    ServiceError("400_merge_key", "vault", 400, "BadParameter", None,
        "The public key of the end-entity certificate in the specified X.509 certificate content does not match the public part of the specified private key. Please check if certificate is valid."),
    ServiceError("400_pkcs12", "vault", 400, "BadParameter", None,
        "The specified PKCS#12 X.509 certificate content can not be read. Please check if certificate is in valid PKCS#12 format."),
    ServiceError("400_pem", "vault", 400, "BadParameter", None,
        "The specified PEM X.509 certificate content is in an unexpected format. Please check if certificate is in valid PEM format."),
    ServiceError("400_skr1004", "vault", 400, "BadParameter", None,
        "AKV.SKR.1004: Exportable keys must have release policy."),
    ServiceError("400_skr1005", "vault", 400, "BadParameter", None,
        "AKV.SKR.1005: Non-exportable keys must not have release policy."),
    ServiceError("400_skr1020", "vault", 400, "BadParameter", None,
        "AKV.SKR.1020: Immutable Key Release Policy cannot be modified."),
    ServiceError("400_mhsm_export", "mhsm", 400, "BadParameter", None,
        "Exportable keys must have release policy (Activity ID: <guid>)"),
    ServiceError("400_mhsm_rng", "mhsm", 400, "BadParameter", None,
        "GetRandomBytesRequest: count cannot be greater than 128 or less than 1 (Activity ID: <guid>)"),
    ServiceError("400_mhsm_role", "mhsm", 400, "BadParameter", None,
        "Role definition name must be a GUID (Activity ID: <guid>)"),
    # No text for the next five is known from the service; codes are those of Azure's own roles.
    ServiceError("400_mhsm_assignment", "mhsm", 400, "BadParameter", None,
        "Role assignment name must be a GUID (Activity ID: <guid>)"),
    ServiceError("400_mhsm_no_definition", "mhsm", 400, "RoleDefinitionDoesNotExist", None,
        "The specified role definition does not exist (Activity ID: <guid>)"),
    ServiceError("400_mhsm_assigned", "mhsm", 400, "RoleDefinitionHasAssignments", None,
        "There are existing role assignments referencing the role definition (Activity ID: <guid>)"),
    ServiceError("400_mhsm_built_in", "mhsm", 400, "BadParameter", None,
        "A built-in role definition cannot be changed or deleted (Activity ID: <guid>)"),
    ServiceError("400_mhsm_limit", "mhsm", 400, "RoleAssignmentLimitExceeded", None,
        "The limit of role assignments or role definitions is reached (Activity ID: <guid>)"),
    ServiceError("429", "vault", 429, "Throttled", None,
        "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached", transient=True),
    ServiceError("arm_name", "arm", 400, "VaultNameNotValid", None,
        "The vault name '<name>' is invalid. A vault's name must be between 3-24 alphanumeric characters. The name must begin with a letter, end with a letter or digit, and not contain consecutive hyphens."),
    ServiceError("arm_exists", "arm", 409, "VaultAlreadyExists", None,
        "The vault name '<name>' is already in use. Vault names are globally unique so it is possible that the name is already taken. If you are sure that the vault name was not taken then it is possible that a vault with the same name was recently deleted but not purged after being placed in a recoverable state. If the vault is in a recoverable state then the vault will need to be purged before reusing the name. For more information about VaultAlreadyExists, soft delete and purging a vault follow this link https://go.microsoft.com/fwlink/?linkid=2147740."),
    ServiceError("arm_conflict", "arm", 409, "ConflictError", None,
        "<text varies>", transient=True),
    ServiceError("arm_409_deleted", "arm", 409, "ConflictError", None,
        "A vault with the same name already exists in deleted state. You need to either recover or purge existing key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft delete."),
    ServiceError("arm_409_location", "arm", 409, "InvalidResourceLocation", None,
        "The resource '<name>' already exists in location '<location>' in resource group '<group>'. A resource with the same name cannot be created in location '<asked>'. Please select a new resource name."),
    ServiceError("arm_401_missing", "arm", 401, "AuthenticationFailed", None,
        "Authentication failed. The 'Authorization' header is missing."),
    ServiceError("arm_401_token", "arm", 401, "InvalidAuthenticationToken", None,
        "The access token is invalid."),
    ServiceError("arm_401_expired", "arm", 401, "ExpiredAuthenticationToken", None,
        "The access token expiry UTC time '<expiry>' is earlier than current UTC time '<now>'."),
    ServiceError("arm_401_audience", "arm", 401, "InvalidAuthenticationTokenAudience", None,
        "The access token has been obtained for wrong audience or resource '<found>'. It should exactly match with one of the allowed audiences 'https://management.core.windows.net/','https://management.core.windows.net','https://management.azure.com/','https://management.azure.com'."),
    ServiceError("arm_403", "arm", 403, "AuthorizationFailed", None,
        "The client '<client>' with object id '<oid>' does not have authorization to perform action '<action>' over scope '<scope>' or the scope is invalid. If access was recently granted, please refresh your credentials."),
    ServiceError("arm_404_resource", "arm", 404, "ResourceNotFound", None,
        "The Resource 'Microsoft.KeyVault/vaults/<name>' under resource group '<group>' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"),
    ServiceError("arm_404_group", "arm", 404, "ResourceGroupNotFound", None,
        "Resource group '<group>' could not be found."),
    ServiceError("arm_404_subscription", "arm", 404, "SubscriptionNotFound", None,
        "The subscription '<subscription>' could not be found."),
    ServiceError("arm_400_api_version", "arm", 400, "MissingApiVersionParameter", None,
        "The api-version query parameter (?api-version=) is required for all requests."),
    ServiceError("arm_400_location", "arm", 400, "LocationRequired", None,
        "The location property is required for this definition."),
    ServiceError("arm_400_policies", "arm", 400, "BadRequest", None,
        "The parameter accessPolicies is not specified."),
    ServiceError("arm_400_purge_protection", "arm", 400, "BadRequest", None,
        "The property \"enablePurgeProtection\" cannot be set to false. Enabling the purge protection for a vault is an irreversible action."),
    ServiceError("arm_400_soft_delete", "arm", 400, "BadRequest", None,
        "The property \"enableSoftDelete\" can be set to false only for creating new vault. Enabling the 'soft delete' functionality is an irreversible action."),
    ServiceError("arm_400_retention", "arm", 400, "BadRequest", None,
        "The property \"softDeleteRetentionInDays\" has been set already and it can't be modified."),
    ServiceError("arm_404_assignment", "arm", 404, "RoleAssignmentNotFound", None,
        "The role assignment '<name>' is not found."),
    ServiceError("arm_404_role", "arm", 404, "RoleDefinitionDoesNotExist", None,
        "The specified role definition with ID '<name>' does not exist."),
    ServiceError("arm_400_role", "arm", 400, "RoleDefinitionDoesNotExist", None,
        "The specified role definition with ID '<name>' does not exist."),
    ServiceError("arm_409_assignment", "arm", 409, "RoleAssignmentExists", None,
        "The role assignment already exists."),
    ServiceError("arm_400_assignment_update", "arm", 400, "RoleAssignmentUpdateNotPermitted", None,
        "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."),
    ServiceError("arm_400_assignment_id", "arm", 400, "InvalidRoleAssignmentId", None,
        "The role assignment ID '<name>' is not valid. The role assignment ID must be a GUID."),
    ServiceError("arm_400_role_id", "arm", 400, "InvalidRoleDefinitionId", None,
        "The role definition ID '<name>' is not valid. The role definition ID must be a GUID."),
    ServiceError("arm_409_role_name", "arm", 409, "RoleDefinitionWithSameNameExists", None,
        "A custom role with the same name already exists in this directory. Use a different name."),
    ServiceError("arm_409_role_used", "arm", 409, "RoleDefinitionHasAssignments", None,
        "There are existing role assignments referencing role (code: RoleDefinitionHasAssignments)."),
    ServiceError("arm_405_purge", "arm", 405, "MethodNotAllowed", None,
        "Operation 'DeletedVaultPurge' is not allowed."),
    # No text for the next four is known from the service.
    ServiceError("arm_404_deleted", "arm", 404, "ResourceNotFound", None,
        "The specified deleted vault '<name>' does not exist."),
    ServiceError("arm_400_value", "arm", 400, "BadRequest", None,
        "An invalid value was provided for '<property>'."),
    ServiceError("arm_400_body", "arm", 400, "InvalidRequestContent", None,
        "The request content was invalid and could not be deserialized."),
    ServiceError("arm_404_path", "arm", 404, "NotFound", None,
        "No resource of this emulator has this path with the method <method>."),
)
# fmt: on

_BY_ID = {row.id: row for row in ROWS}
_PLACE = re.compile(r"<[\w.]+>")


def _pattern(row: ServiceError) -> re.Pattern[str]:
    literals = _PLACE.split(row.message or "")
    return re.compile(".*?".join(map(re.escape, literals)), re.DOTALL)


_PATTERNS = [(row, _pattern(row)) for row in ROWS if row.message is not None]


def match(status: int, code: str | None, inner_code: str | None, message: str) -> ServiceError | None:
    """The row that an answer of the service stands for, if the table knows it."""
    for row, pattern in _PATTERNS:
        same = row.status == status and row.code == code and row.inner_code in (None, inner_code)
        if same and pattern.match(message):
            return row
    return None


def by_id(row_id: str) -> ServiceError:
    """The row with this id; ``KeyError`` names the id when there is none."""
    return _BY_ID[row_id]
