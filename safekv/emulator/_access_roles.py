"""Azure's built-in roles, as far as vaults are concerned. Source: Microsoft's list of built-in roles for security."""

from __future__ import annotations

from safekv.emulator._access import Rights, Role

_VAULTS = "Microsoft.KeyVault/vaults/"
_READING = (
    "Microsoft.Authorization/*/read",
    "Microsoft.Insights/alertRules/*",
    "Microsoft.Resources/deployments/*",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.Support/*",
)
_READING_VAULTS = (
    *_READING,
    "Microsoft.KeyVault/checkNameAvailability/read",
    "Microsoft.KeyVault/deletedVaults/read",
    "Microsoft.KeyVault/locations/*/read",
    "Microsoft.KeyVault/vaults/*/read",
    "Microsoft.KeyVault/operations/read",
)
_ASSIGNING = ("Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleAssignments/delete")
_PURGE = "Microsoft.KeyVault/locations/deletedVaults/purge/action"


def _data(role_id: str, name: str, does: str, *data: str, actions: tuple[str, ...] = ()) -> Role:
    rights = Rights(actions, data_actions=tuple(_VAULTS + each for each in data))
    return Role(role_id, name, (rights,), f"{does} Only works for key vaults that use Azure RBAC.")


def _management(role_id: str, name: str, does: str, *actions: str, but: tuple[str, ...] = ()) -> Role:
    return Role(role_id, name, (Rights(actions, but),), does)


_ROLES = (
    _data(
        "00482a5a-887f-4fb3-b363-3b7fe8e74483",
        "Key Vault Administrator",
        "Does everything on data, and manages no roles.",
        "*",
        actions=_READING_VAULTS,
    ),
    _data(
        "21090545-7ca7-4776-b22c-e363652d74d2",
        "Key Vault Reader",
        "Reads metadata, and no values.",
        "*/read",
        "secrets/readMetadata/action",
        actions=_READING_VAULTS,
    ),
    _data(
        "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
        "Key Vault Secrets Officer",
        "Does everything with secrets.",
        "secrets/*",
        actions=_READING_VAULTS,
    ),
    _data(
        "4633458b-17de-408a-b874-0445c86b69e6",
        "Key Vault Secrets User",
        "Reads secrets.",
        "secrets/getSecret/action",
        "secrets/readMetadata/action",
    ),
    _data(
        "14b46e9e-c2b7-41b4-b07b-48a6ebf60603",
        "Key Vault Crypto Officer",
        "Does everything with keys.",
        "keys/*",
        "keyrotationpolicies/*",
        actions=_READING_VAULTS,
    ),
    _data(
        "12338af0-0e69-4776-bea7-57ae8d297424",
        "Key Vault Crypto User",
        "Uses keys.",
        "keys/read",
        "keys/update/action",
        "keys/backup/action",
        "keys/encrypt/action",
        "keys/decrypt/action",
        "keys/wrap/action",
        "keys/unwrap/action",
        "keys/sign/action",
        "keys/verify/action",
    ),
    _data(
        "e147488a-f6f5-4113-8e2d-b22465e65bf6",
        "Key Vault Crypto Service Encryption User",
        "Reads keys, wraps and unwraps with them.",
        "keys/read",
        "keys/wrap/action",
        "keys/unwrap/action",
        actions=tuple(f"Microsoft.EventGrid/eventSubscriptions/{each}" for each in ("write", "read", "delete")),
    ),
    _data(
        "08bbd89e-9f13-488c-ac41-acfcb10c90ab",
        "Key Vault Crypto Service Release User",
        "Releases keys.",
        "keys/release/action",
    ),
    _data(
        "a4417e6f-fecd-4de8-b567-7b0420556985",
        "Key Vault Certificates Officer",
        "Does everything with certificates.",
        "certificatecas/*",
        "certificates/*",
        "certificatecontacts/write",
        actions=_READING_VAULTS,
    ),
    _data(
        "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba",
        "Key Vault Certificate User",
        "Reads certificates with their private keys.",
        "certificates/read",
        "secrets/getSecret/action",
        "secrets/readMetadata/action",
        "keys/read",
    ),
    _management(
        "f25e0fa2-a7c8-4377-a976-54943a77a395",
        "Key Vault Contributor",
        "Manages key vaults, but gives no access to what is in them.",
        *_READING,
        "Microsoft.KeyVault/*",
        but=(_PURGE, "Microsoft.KeyVault/hsmPools/*", "Microsoft.KeyVault/managedHsms/*"),
    ),
    # The service restricts which roles this one may assign; here it may assign any.
    _management(
        "8b54135c-b56d-4d72-a534-26097cfdc8d8",
        "Key Vault Data Access Administrator",
        "Assigns the roles of Key Vault.",
        *_ASSIGNING,
        *_READING,
        "Microsoft.Resources/subscriptions/read",
        "Microsoft.Management/managementGroups/read",
        "Microsoft.KeyVault/vaults/*/read",
    ),
    _management(
        "a68e7c17-0ab2-4c09-9a58-125dae29748c",
        "Key Vault Purge Operator",
        "Purges deleted vaults.",
        _PURGE,
        "Microsoft.KeyVault/locations/deletedVaults/read",
        "Microsoft.KeyVault/deletedVaults/read",
    ),
    _management("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner", "Manages everything, and assigns roles.", "*"),
    _management(
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
        "Contributor",
        "Manages everything, but assigns no roles.",
        "*",
        but=(
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
        ),
    ),
    _management("acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader", "Sees everything, and changes nothing.", "*/read"),
    _management(
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        "User Access Administrator",
        "Manages who may do what.",
        "*/read",
        "Microsoft.Authorization/*",
        "Microsoft.Support/*",
    ),
)

#: By id.
BUILT_IN = {role.id: role for role in _ROLES}
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
