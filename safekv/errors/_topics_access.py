"""What goes wrong before the vault looks at the request: who asks (401), and what they may (403)."""

from __future__ import annotations

from safekv.errors._topic import (
    CHALLENGE,
    FREQUENT_401,
    GUIDE,
    HTTP_401,
    HTTP_403,
    IDENTITY_GUIDE,
    INVALID_ISSUER,
    LEARN,
    NOT_PERMITTED,
    PERMISSION_MODELS,
    REDEPLOY,
    TENANTS,
    WHO_CAN_READ,
    Topic,
)

_REPLACES = (
    "set-policy replaces the list that the object id has on that kind of object: name the permissions that it has as "
    "well, or it loses them."
)
_WHICH_CREDENTIAL = (
    "See which credential of DefaultAzureCredential answered, and why those before it did not: "
    "logging.getLogger('azure.identity').setLevel(logging.DEBUG)."
)

ACCESS = (
    Topic(
        "silent-401",
        "AuthenticationFailed",
        "Request is missing a Bearer token (AKV10000)",
        "The vault answers the first request of a process with 401, to say where to get a token. The SDK does that and "
        "asks again, so 401s in logs at the start, and when a token is about to expire, are expected.",
        "Nothing is wrong as long as calls succeed. If every call ends with this, the credential gives no token that "
        "is sent along: use one of azure-identity's.",
        FREQUENT_401,
    ),
    Topic(
        "authentication",
        "AuthenticationFailed",
        "The vault refused the token",
        "The vault answered 401 although a token was sent.",
        "See what the credential is and for which tenant; silent 401s are expected, one that ends a call is not.",
        HTTP_401,
        (_WHICH_CREDENTIAL,),
    ),
    Topic(
        "wrong-audience",
        "WrongAudience",
        "Invalid audience (AKV10022)",
        "The token that was sent is for another service. The vault expects {expected_audience}; the token is for "
        "{found_audience}.",
        "Get the token for the scope https://vault.azure.net/.default (Managed HSM: "
        "https://managedhsm.azure.net/.default; other clouds have their own). The SDK does so by itself: look for a "
        "credential of your own, or a proxy, that uses a fixed scope.",
        HTTP_401,
    ),
    Topic(
        "wrong-tenant",
        "WrongTenant",
        "Invalid issuer (AKV10032)",
        "The token is of tenant {found_tenant}; the vault takes tokens of {expected_tenant} only.",
        "You are logged in to another tenant than the vault's. Log in to {expected_tenant}, or allow the credential to "
        "ask it: DefaultAzureCredential(additionally_allowed_tenants=[{expected_tenant!r}]).",
        INVALID_ISSUER,
        (
            "az login --tenant {expected_tenant}",
            "DefaultAzureCredential takes the first credential that answers: an IDE may be logged in to the other "
            "tenant although the Azure CLI is not. " + _WHICH_CREDENTIAL,
            "Finding the tenant by itself needs azure-identity 1.8.0, azure-keyvault-secrets 4.4.0, -keys 4.5.0, "
            "-certificates 4.4.0, -administration 4.1.0; safekv refuses older ones of the first four.",
            "A vault that was moved to another subscription keeps its old tenant until its tenantId is updated.",
        ),
    ),
    Topic(
        "signing-key",
        "AuthenticationFailed",
        "Unable to resolve the key used for signature validation (AKV10046)",
        "The service could not look up the key that signed the token. This comes and goes; the same token works "
        "moments later.",
        "Repeat the call after some seconds; safekv has already done so while the call had time (timeout=).",
        HTTP_401,
        transient=True,
        stale=True,
    ),
    Topic(
        "token-expired",
        "TokenExpired",
        "The token is expired",
        "The vault takes the token for expired.",
        "Check this machine's clock. safekv drops a refused token and asks for a new one; if that is expired too, the "
        "credential hands out old ones.",
        HTTP_401,
        ("Compare `date -u` with a time server; a few minutes are enough to make tokens invalid.",),
        transient=True,
    ),
    Topic(
        "token-not-yet-valid",
        "AuthenticationFailed",
        "Token not yet valid",
        "The clocks of the Managed HSM and of the token's issuer, or of this machine, differ.",
        "Repeat the call after some seconds, and check this machine's clock if it does not pass.",
        HTTP_401,
        transient=True,
    ),
    Topic(
        "token-lost",
        "TokenLost",
        "'NoneType' object has no attribute 'token'",
        "A race in the SDK: one thread was told to drop its token while another was about to send it.",
        "Repeat the call; nothing was sent. safekv has already done so while the call had time.",
        HTTP_401,
        transient=True,
        stale=True,
    ),
    Topic(
        "credential-unavailable",
        "CredentialUnavailable",
        "No credential can give a token here",
        "None of the credential's sources works in this environment: not logged in, no environment variables, no "
        "managed identity.",
        "On a laptop: az login. In Azure: assign a managed identity, and set AZURE_CLIENT_ID if it is a user-assigned "
        "one. Elsewhere: AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET.",
        f"{IDENTITY_GUIDE}#credentialunavailableerror",
        ("az login", _WHICH_CREDENTIAL),
    ),
    Topic(
        "credential-failed",
        "AuthenticationFailed",
        "The credential failed to get a token",
        "Microsoft Entra ID, or the credential, refused to give a token. Nothing was sent to the vault.",
        "{identity_hint}",
        f"{IDENTITY_GUIDE}#clientauthenticationerror",
        (_WHICH_CREDENTIAL,),
    ),
    Topic(
        "credential-too-old",
        "CredentialTooOld",
        "get_token got an unexpected keyword argument 'tenant_id'",
        "The vault's package tells the credential the vault's tenant, and the credential is too old to take it.",
        "Upgrade azure-identity to 1.8.0 or newer (pip install -U azure-identity); a credential of your own takes "
        "get_token(*scopes, **options).",
        TENANTS,
    ),
    Topic(
        "challenge-mismatch",
        "ChallengeMismatch",
        "The challenge resource does not match the requested domain",
        "Who answered wants a token for another domain than the one that was asked. The SDK sent none, because it "
        "could be stolen that way.",
        "Check the vault's URL: use the public name (https://my-vault.vault.azure.net), never a private-link name, an "
        "address or an alias. Only for a mock or a proxy that you trust: verify_challenge_resource=False.",
        CHALLENGE,
        ("https://aka.ms/azsdk/blog/vault-uri tells why.",),
    ),
    Topic(
        "access-denied",
        "AccessDenied",
        "403: not authorized",
        "The vault knows who asks, and does not allow this.",
        "Check the access policies, or the role assignments, of the identity that was used; then whether it is the "
        "identity that you expect.",
        HTTP_403,
        (_WHICH_CREDENTIAL,),
        see=(WHO_CAN_READ, PERMISSION_MODELS),
    ),
    Topic(
        "missing-policy",
        "MissingPermission",
        "No access policy gives the permission",
        "The vault uses access policies, and none gives {who} the permission '{permission}' on {collection}.",
        "Add '{permission}' on {collection} to the access policy of {who}; set-policy replaces the list on "
        "{collection}, so name what it has there as well. It takes effect within seconds; a token that is in use need "
        "not be renewed, except for membership in a group.",
        NOT_PERMITTED,
        (
            "az keyvault set-policy --name {vault} --object-id {oid} --{kind}-permissions {permission}",
            "az keyvault show --name {vault} --query "
            "\"properties.accessPolicies[?objectId=='{oid}'].permissions.{collection}\"",
            _REPLACES,
            "If {who} already has it, another identity is used than you expect. " + _WHICH_CREDENTIAL,
            "A managed identity that has it through a group keeps its old token for up to a day; assign it directly.",
            "Deploying the vault again from a template replaces all access policies: see whether they are still there. "
            "`safekv access diff` says beforehand whom a template takes access from.",
        ),
        see=(WHO_CAN_READ, REDEPLOY, PERMISSION_MODELS),
    ),
    Topic(
        "missing-role",
        "MissingPermission",
        "No role gives the permission (ForbiddenByRbac)",
        "The vault uses roles (Azure RBAC), and no assignment gives {who} the action {action}.",
        "Assign the role {role!r} to {who}: it is the smallest built-in one for that. An assignment takes up to 10 "
        "minutes to take effect, at the scope of a management group several hours. {deny}",
        NOT_PERMITTED,
        (
            "az role assignment create --role {role} --assignee-object-id {oid} --scope {scope}",
            "Owner and Contributor manage vaults; they give no access to what is inside.",
            "If {who} already has the role, another identity is used than you expect. " + _WHICH_CREDENTIAL,
            "A managed identity that has it through a group keeps its old token for up to a day; assign it directly.",
            "A vault that was deleted and recovered has lost its role assignments.",
        ),
        see=(WHO_CAN_READ, REDEPLOY, PERMISSION_MODELS),
    ),
    Topic(
        "missing-hsm-role",
        "MissingPermission",
        "Managed HSM: no local role",
        "No local role of the Managed HSM gives the caller {action} on {resource}. Azure's roles do not count inside "
        "an HSM.",
        "Assign a local role of the HSM, such as {role!r}.",
        NOT_PERMITTED,
        (
            "az keyvault role assignment create --hsm-name {vault} --role {role} --assignee {oid} --scope {hsm_scope}",
            "If the caller already has it, another identity is used than you expect. " + _WHICH_CREDENTIAL,
        ),
    ),
    Topic(
        "on-behalf-of",
        "AccessDenied",
        "The policy requires the on-behalf-of flow",
        "The access policy of this application has an applicationId: it holds only for the application acting on "
        "behalf of a user.",
        "Make the policy again without an authorized application (applicationId), for the object id alone.",
        NOT_PERMITTED,
        (
            "az keyvault delete-policy --name {vault} --object-id {oid} --application-id {appid}",
            "az keyvault set-policy --name {vault} --object-id {oid} --{kind}-permissions {permission}",
        ),
        see=(WHO_CAN_READ,),
    ),
    Topic(
        "firewall",
        "BlockedByFirewall",
        "Client address is not authorized (ForbiddenByFirewall)",
        "The vault's firewall does not let in {address}, which is where the service saw this request come from.",
        "Let {address} in, or use a private endpoint or a virtual network rule. It is the address after NAT and "
        "proxies, which may change; App Service and Functions are no 'trusted services'.",
        f"{LEARN}/rest-error-codes#http-403-insufficient-permissions",
        ("az keyvault network-rule add --name {vault} --ip-address {address}",),
    ),
    Topic(
        "public-access",
        "PublicAccessDisabled",
        "Public network access is disabled (ForbiddenByConnection)",
        "The vault takes requests over private endpoints alone, and this one came {connection}.",
        "Make the vault's name resolve to the private endpoint where this runs: link the private DNS zone "
        "{dns_zone} to this network. Keep the public URL in the configuration.",
        f"{LEARN}/private-link-diagnostics",
        (
            "`nslookup` with the vault's host name should answer a private address.",
            "az network private-endpoint-connection list --name {vault} --type Microsoft.KeyVault/vaults -g {group}",
        ),
    ),
    Topic(
        "secret-disabled",
        "SecretDisabled",
        "Operation get is not allowed on a disabled secret",
        "This version of the secret is disabled. It is no permission problem: nobody can read it.",
        "Enable the version, or set a new one; a call without a version reads the newest, disabled or not.",
        f"{LEARN}/rest-error-codes#http-403-insufficient-permissions",
        (
            "az keyvault secret set-attributes --vault-name {vault} --name {name} --enabled true",
            "az keyvault secret list-versions --vault-name {vault} --name {name}",
        ),
    ),
    Topic(
        "deleted-secret-disabled",
        "SecretDisabled",
        "Operation get is not permitted on this object",
        "The deleted secret was disabled when it was deleted. The deletion is finished; it is no permission problem.",
        "Take the secret for deleted. To read it, recover it and enable the version.",
        f"{LEARN}/rest-error-codes#http-403-insufficient-permissions",
        ("az keyvault secret recover --vault-name {vault} --name {name}",),
    ),
    Topic(
        "key-disabled",
        "KeyDisabled",
        "Operation is not allowed on a disabled key",
        "This version of the key is disabled. It is no permission problem.",
        "Enable the version; what was encrypted with it cannot be decrypted before.",
        NOT_PERMITTED,
        ("az keyvault key set-attributes --vault-name {vault} --name {name} --enabled true",),
    ),
    Topic(
        "key-operation",
        "KeyOperationNotAllowed",
        "Operation is not permitted on this key",
        "The key may not be used to {key_operation}. Either its own list of operations (key_operations) lacks that, or "
        "the caller's permissions do.",
        "Look at the key's key_operations first, then at the permission '{permission}' of the identity that was used.",
        NOT_PERMITTED,
        (
            "az keyvault key show --vault-name {vault} --name {name} --query key.keyOps",
            "az keyvault set-policy --name {vault} --object-id {oid} --key-permissions {permission}",
            _REPLACES,
            "With roles instead of policies: {role!r} is the smallest built-in one for it. " + _WHICH_CREDENTIAL,
        ),
        see=(WHO_CAN_READ,),
    ),
    Topic(
        "key-out-of-time",
        "AccessDenied",
        "Operation is not allowed on a key that is expired or not yet valid",
        "The key is outside the time for which it was made. It may still decrypt, unwrap, verify and release; nothing "
        "else. It is no permission problem.",
        "Use a newer version of the key, or change its dates (update_key_properties).",
        HTTP_403,
        ("az keyvault key show --vault-name {vault} --name {name} --query attributes",),
    ),
    Topic(
        "release-denied",
        "AccessDenied",
        "The attestation does not satisfy the key release policy",
        "The environment that asks for the key is none to which its policy releases it.",
        "Compare the attestation's claims with the key's release_policy.",
        HTTP_403,
    ),
    Topic(
        "managed-object",
        "ManagedByKeyVault",
        "The object's lifetime is managed by Key Vault",
        "The key or secret belongs to the certificate of the same name.",
        "Do it to the certificate: its key and its secret follow.",
        HTTP_403,
    ),
    Topic(
        "first-party",
        "AccessDenied",
        "Access denied to first party service",
        "The token is of an application of Microsoft's that the vault does not trust, or of a personal account.",
        "Use an application registration of your own, a managed identity, or a work account.",
        f"{GUIDE}#http-403-errors",
    ),
    Topic(
        "merge",
        "AccessDenied",
        "Merge or cancellation is forbidden on pending object",
        "The certificate is being made by an issuer, and is in a state in which this cannot be done to it.",
        "Wait for the operation, or cancel and delete it (cancel_certificate_operation, delete_certificate_operation).",
        HTTP_403,
    ),
    Topic(
        "purge-protection",
        "AccessDenied",
        "Purge protection is enabled",
        "The vault keeps deleted objects until their retention is over; nobody can purge them before.",
        "Wait for the service to purge it, recover it, or use another name. The protection cannot be turned off.",
        HTTP_403,
    ),
)
