"""What goes wrong with the request itself, with what it is about, or with the vault: 400, 404, 409, 429, 5xx."""

from __future__ import annotations

from safekv.errors._topic import HTTP_429, LEARN, OTHER_ERRORS, Topic

_OBJECT_NAMES = f"{LEARN}/about-keys-secrets-certificates"
_SOFT_DELETE = f"{LEARN}/soft-delete-overview"

NOT_FOUND = (
    Topic(
        "not-found",
        "NotFound",
        "Not found",
        "The vault {vault} has no {kind} named {name}, or not this version of it.",
        "Check the name, the version and the vault. A deleted one counts as not there, and may be recoverable: see "
        "whether it is listed among the deleted ones.",
        OTHER_ERRORS,
        (
            'az keyvault {kind} list --vault-name {vault} --query "[].name"',
            'az keyvault {kind} list-deleted --vault-name {vault} --query "[].name"',
            "az keyvault {kind} recover --vault-name {vault} --name {name}",
        ),
    ),
    Topic(
        "deleted-not-found",
        "NotFound",
        "Deleted object not found",
        "No deleted {kind} of this name is there: it was never deleted, it was purged, or its deletion is not yet "
        "finished (that takes 2 to 14 seconds).",
        "Wait for the deletion to end before recovering or purging: begin_delete_{kind}(…).wait().",
        _SOFT_DELETE,
        ('az keyvault {kind} list-deleted --vault-name {vault} --query "[].name"',),
    ),
    Topic(
        "pending-not-found",
        "NotFound",
        "Pending certificate not found",
        "No certificate of this name is being made.",
        "The operation has ended, or was deleted: get_certificate says which.",
        OTHER_ERRORS,
    ),
    Topic(
        "part-not-found",
        "NotFound",
        "Contacts, issuer, setting or operation not found",
        "The vault has none.",
        "Set it first; a vault begins without contacts and issuers, and a Managed HSM forgets old backup operations.",
        OTHER_ERRORS,
    ),
    Topic(
        "hsm-role-not-found",
        "RoleAssignmentNotFound",
        "Managed HSM: role assignment or definition not found",
        "The HSM has no role assignment, or no role definition, of this name at this scope.",
        "List them: an assignment is found at the scope that it was made for ('/', '/keys' or '/keys/<key>') alone.",
        OTHER_ERRORS,
        ("az keyvault role assignment list --hsm-name {vault}", "az keyvault role definition list --hsm-name {vault}"),
    ),
)

CONFLICTS = (
    Topic(
        "deleted-but-recoverable",
        "DeletedButRecoverable",
        "Deleted but recoverable (ObjectIsDeletedButRecoverable)",
        "A deleted {kind} has the name {name} until its retention is over.",
        "Recover it, or purge it (needs the permission 'purge' and no purge protection), or take another name.",
        _SOFT_DELETE,
        (
            "az keyvault {kind} recover --vault-name {vault} --name {name}",
            "az keyvault {kind} purge --vault-name {vault} --name {name}",
        ),
    ),
    Topic(
        "being-deleted",
        "BeingDeleted",
        "Currently being deleted (ObjectIsBeingDeleted)",
        "The deletion takes some seconds, and is under way.",
        "Wait for it before using the name again: begin_delete_{kind}(…).wait().",
        _SOFT_DELETE,
        transient=True,
    ),
    Topic(
        "being-recovered",
        "BeingRecovered",
        "Currently being recovered (ObjectIsBeingRecovered)",
        "The recovery takes some seconds, and can be under way even after its poller has ended.",
        "Repeat the call after some seconds.",
        _SOFT_DELETE,
        transient=True,
    ),
    Topic(
        "parallel",
        "Conflict",
        "Conflict by operations in parallel",
        "Several operations on one object met.",
        "Do them one after another, and repeat the one that failed.",
        OTHER_ERRORS,
        transient=True,
    ),
    Topic(
        "restore-conflict",
        "Conflict",
        "Conflict while restoring",
        "The backup's name is in use, also by a deleted object, or several operations on it met.",
        "Restore into another vault of the same subscription and geography, or delete and purge what has the name.",
        OTHER_ERRORS,
    ),
    Topic(
        "certificate-pending",
        "Conflict",
        "A pending certificate is in progress",
        "A certificate of this name is being made, so no other can be created or imported.",
        "Wait for it, or cancel and delete the operation (cancel_certificate_operation, delete_certificate_operation).",
        OTHER_ERRORS,
        transient=True,
    ),
    Topic(
        "name-in-use",
        "Conflict",
        "A key or a secret has the certificate's name",
        "A certificate makes a key and a secret of its own name, and one of them is there already.",
        "Take another name, or delete and purge what has it.",
        OTHER_ERRORS,
    ),
    Topic(
        "hsm-busy",
        "OperationInProgress",
        "Managed HSM: a backup or restore is under way",
        "An HSM does one full backup or restore at a time, and one is under way, perhaps somebody else's.",
        "Wait for its end, and begin again. The operation that was refused has not begun.",
        OTHER_ERRORS,
        transient=True,
    ),
    Topic(
        "hsm-role-exists",
        "Conflict",
        "Managed HSM: the role assignment already exists",
        "The principal has this role at this scope by another assignment, or the name is another assignment's.",
        "Nothing needs to be done in the first case; for the second, leave name= out and have one made.",
        OTHER_ERRORS,
        ("az keyvault role assignment list --hsm-name {vault}",),
    ),
    Topic(
        "conflict",
        "Conflict",
        "Conflict",
        "The state of the object does not allow this.",
        "See what state it is in; another program may be changing it.",
        OTHER_ERRORS,
    ),
    Topic(
        "vault-exists",
        "Conflict",
        "The vault exists already (VaultAlreadyExists)",
        "The name is taken, perhaps by a deleted vault.",
        "Recover or purge the deleted vault, or take another name: names are unique in all of Azure.",
        f"{LEARN}/common-error-codes",
        ('az keyvault list-deleted --query "[].name"',),
    ),
    Topic(
        "control-conflict",
        "Conflict",
        "The vault is being changed (ConflictError)",
        "Another operation on the vault itself is under way.",
        "Repeat it afterwards.",
        f"{LEARN}/common-error-codes",
        transient=True,
    ),
)

INVALID = (
    Topic(
        "invalid-request",
        "InvalidRequest",
        "The service refused the request",
        "Something in the request is not as the service wants it.",
        "See the message; the service does not always name the field.",
        OTHER_ERRORS,
    ),
    Topic(
        "invalid-name",
        "InvalidRequest",
        "The request URI contains an invalid name",
        "A name in the URL is none that Key Vault knows: 1 to 127 letters, digits and hyphens are allowed.",
        "Use a name such as 'db-password'. An empty version, or a '/' in a name, looks like this too.",
        _OBJECT_NAMES,
    ),
    Topic(
        "invalid-value",
        "InvalidRequest",
        "Property has invalid value",
        "A field is outside what the service takes; it does not say which.",
        "Check values (at most 25 KB), tags (at most 15), content type (at most 255 characters) and dates.",
        _OBJECT_NAMES,
    ),
    Topic(
        "algorithm",
        "InvalidRequest",
        "Key and algorithm are incompatible",
        "The algorithm is for another type of key, or another curve.",
        "Take an algorithm that fits the key: RSA-OAEP-256 wraps with RSA, A256KW with symmetric keys; ES256 signs "
        "with P-256, ES384 with P-384, ES512 with P-521.",
        _OBJECT_NAMES,
    ),
    Topic(
        "api-version",
        "InvalidRequest",
        "The specified version is not recognized",
        "This cloud, or this vault, does not know the api-version that was asked for.",
        "Give api_version=, one that the service lists; sovereign clouds get new ones later.",
        OTHER_ERRORS,
    ),
    Topic(
        "unknown-operation",
        "InvalidRequest",
        "Method does not allow operation",
        "The URL names an operation that this method does not have.",
        "A Managed HSM has keys alone: no secrets and no certificates. Otherwise check the path that was given to "
        "send_request.",
        OTHER_ERRORS,
    ),
    Topic(
        "bad-json",
        "InvalidRequest",
        "Bad JSON content found in the request",
        "The body is no JSON that the service understands.",
        "Check the body that was given to send_request, or a proxy that changes bodies.",
        OTHER_ERRORS,
    ),
    Topic(
        "backup-blob",
        "InvalidRequest",
        "Cannot decrypt backup blob",
        "The backup is damaged, or of a vault in another subscription or geography.",
        "Restore it, unchanged, into a vault of the same subscription and geography.",
        f"{LEARN}/backup",
    ),
    Topic(
        "pfx",
        "InvalidRequest",
        "No certificate with private key found",
        "What was imported or merged is not one certificate with the private key that belongs to it.",
        "Import one certificate with its key, as PFX, or as PEM with the content type application/x-pem-file in the "
        "policy; give the password if there is one.",
        OTHER_ERRORS,
    ),
    Topic(
        "release-policy",
        "InvalidRequest",
        "Release policy and exportability do not fit",
        "Exportable keys need a release policy, others must not have one, and an immutable one stays as it is.",
        "Give exportable=True and a release_policy together, or neither.",
        OTHER_ERRORS,
    ),
    Topic(
        "hsm-role-name",
        "InvalidRequest",
        "Role definition name must be a GUID",
        "Role definitions and assignments of a Managed HSM are named by GUIDs.",
        "Give a GUID, such as str(uuid.uuid4()).",
        OTHER_ERRORS,
    ),
    Topic(
        "hsm-role-definition",
        "InvalidRequest",
        "Managed HSM: the role definition does not allow this",
        "A built-in role cannot be changed or deleted, one that is assigned cannot be deleted, one that does not exist "
        "cannot be assigned; and an HSM has at most 50 custom roles, 50 assignments at its own scope and 10 for a key.",
        "See which roles and assignments there are; delete those that are not needed, the assignments first.",
        OTHER_ERRORS,
        ("az keyvault role assignment list --hsm-name {vault}", "az keyvault role definition list --hsm-name {vault}"),
    ),
    Topic(
        "vault-name",
        "InvalidRequest",
        "The vault name is invalid (VaultNameNotValid)",
        "A vault's name has 3 to 24 letters, digits and single hyphens, and begins with a letter.",
        "Take another name.",
        f"{LEARN}/common-error-codes",
    ),
)

VAULT = (
    Topic(
        "throttled",
        "VaultThrottled",
        "429: too many requests",
        "The vault counts requests of all its users over 10 seconds, and refuses what is above its limit. A refused "
        "request was not carried out.",
        "Send fewer requests to {vault}. safekv lets the calls of this process take turns at their share of the "
        "limit, and has repeated this one while the call had time (timeout=); bulk work belongs in safekv.bulk().",
        HTTP_429,
        (
            "One client for each vault: within a process safekv sees to that, whatever constructs clients, and keeps "
            "secrets for five minutes unless cache=None; see that not more processes than needed start at once.",
            "One credential for all clients: safekv asks one credential once for all of them; safekv.identity gives "
            "the same object for the same arguments.",
            "What is no secret belongs in Azure App Configuration, with references to Key Vault for the rest. This is "
            "for you to do; safekv.integrations.appconfiguration resolves the references in one batch.",
            "Wrap and unwrap one symmetric key, and encrypt with that locally, instead of having the vault encrypt and "
            "decrypt: safekv.envelope does it.",
            f"How to throttle: {LEARN}/overview-throttling#how-to-throttle-your-app-in-response-to-service-limits",
        ),
        transient=True,
        stale=True,
    ),
    Topic(
        "service-fault",
        "VaultUnavailable",
        "5xx: the service failed",
        "Something in the service, or a gateway before it, failed. Whether a write was carried out is unknown.",
        "Repeat reads; look at the state of Azure (https://status.azure.com) if it lasts. Before repeating a write, "
        "see whether it was done.",
        OTHER_ERRORS,
        transient=True,
        stale=True,
        repeat=False,
    ),
)

OBJECTS = (*NOT_FOUND, *CONFLICTS, *INVALID, *VAULT)
