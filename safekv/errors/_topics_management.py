"""What goes wrong in the control plane (``management.azure.com``): vaults as resources, policies, roles."""

from __future__ import annotations

from safekv.errors._topic import HTTP_401, LEARN, NOT_PERMITTED, OTHER_ERRORS, Topic

_ERRORS = f"{LEARN}/common-error-codes"

MANAGEMENT = (
    Topic(
        "management-token",
        "AuthenticationFailed",
        "The control plane refused the token",
        "The request went to Azure Resource Manager, and its token is missing, expired, unreadable or for another "
        "service.",
        "Get the token for the scope https://management.azure.com/.default; a token for a vault does not do.",
        HTTP_401,
        ("az login",),
    ),
    Topic(
        "management-denied",
        "MissingPermission",
        "No role allows this in the control plane (AuthorizationFailed)",
        "{who} has no role that allows {management_action} on {management_scope}. Managing a vault and reading what is "
        "in it are two rights: neither gives the other.",
        "Have a role such as {management_role!r} assigned to {who}. It takes up to 10 minutes to count.",
        NOT_PERMITTED,
        (
            "az role assignment create --role {management_role} --assignee-object-id {oid} --scope {management_scope}",
            "The scope is named as it was asked for: it may also simply not exist.",
        ),
    ),
    Topic(
        "no-such-resource",
        "NotFound",
        "There is no such vault, group or subscription",
        "The control plane knows nothing at the path that was asked for.",
        "Check subscription, resource group and name. A deleted vault is listed among the deleted ones only.",
        _ERRORS,
        ('az keyvault list --query "[].id"', 'az keyvault list-deleted --query "[].name"'),
    ),
    Topic(
        "vault-location",
        "Conflict",
        "The vault is in another location (InvalidResourceLocation)",
        "A vault of this name is in the resource group already, and vaults cannot be moved to another region.",
        "Deploy it with the location that it has, or take another name.",
        _ERRORS,
    ),
    Topic(
        "irreversible-property",
        "InvalidRequest",
        "A property of the vault cannot be taken back",
        "Soft delete and purge protection cannot be turned off again, nor the days of retention be changed; sending "
        "false is refused even where it changes nothing.",
        "Leave the property out of the request or template, instead of sending false.",
        _ERRORS,
    ),
    Topic(
        "policies-missing",
        "InvalidRequest",
        "The parameter accessPolicies is not specified",
        "A vault that uses access policies was deployed without any list of them.",
        "Send the list, with the policies that the vault has now: what is missing from it is taken away. Or use roles "
        "(enableRbacAuthorization: true).",
        f"{LEARN}/troubleshooting-access-issues#how-can-i-redeploy-key-vault-with-arm-template-without-deleting-"
        "existing-access-policies",
        ("az keyvault show --name {vault} --query properties.accessPolicies",),
    ),
    Topic(
        "management-request",
        "InvalidRequest",
        "The control plane refused what was sent",
        "The request, or a property in it, is not valid.",
        "See the property that the message names.",
        _ERRORS,
    ),
    Topic(
        "assignment-exists",
        "Conflict",
        "The role assignment already exists (RoleAssignmentExists)",
        "The identity has this role on this scope already, under another name.",
        "Nothing is to be done; list the assignments to see it.",
        OTHER_ERRORS,
        ("az role assignment list --assignee {oid} --scope {scope}",),
    ),
    Topic(
        "role-in-use",
        "Conflict",
        "The role definition cannot be changed",
        "A role of this name is there already, or assignments of the role are.",
        "Take another name, or remove the assignments of the role first.",
        OTHER_ERRORS,
    ),
)
