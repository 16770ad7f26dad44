"""Which modules of the Azure SDK safekv replaces, with the names that it has of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_CLIENTS = {"secrets": "SecretClient", "keys": "KeyClient", "certificates": "CertificateClient"}
_ADMINISTRATION_AIO = frozenset(["KeyVaultAccessControlClient", "KeyVaultBackupClient", "KeyVaultSettingsClient"])
_ADMINISTRATION = _ADMINISTRATION_AIO | frozenset(
    [
        "ApiVersion",
        "KeyVaultBackupResult",
        "KeyVaultDataAction",
        "KeyVaultPermission",
        "KeyVaultRoleAssignment",
        "KeyVaultRoleAssignmentProperties",
        "KeyVaultRoleDefinition",
        "KeyVaultRoleScope",
        "KeyVaultSetting",
        "KeyVaultSettingType",
        "__version__",
    ]
)
_CRYPTO = frozenset(
    [
        "CryptographyClient",
        "DecryptResult",
        "EncryptResult",
        "EncryptionAlgorithm",
        "KeyVaultRSAPrivateKey",
        "KeyVaultRSAPublicKey",
        "KeyWrapAlgorithm",
        "SignResult",
        "SignatureAlgorithm",
        "UnwrapResult",
        "VerifyResult",
        "WrapResult",
    ]
)
_CRYPTO_AIO = frozenset(
    [
        "CryptographyClient",
        "EncryptResult",
        "EncryptionAlgorithm",
        "KeyWrapAlgorithm",
        "SignResult",
        "SignatureAlgorithm",
        "WrapResult",
    ]
)
_SECRETS = frozenset(
    [
        "ApiVersion",
        "ContentType",
        "DeletedSecret",
        "KeyVaultSecret",
        "KeyVaultSecretIdentifier",
        "SecretClient",
        "SecretProperties",
        "__version__",
    ]
)
_KEYS = frozenset(
    [
        "ApiVersion",
        "DeletedKey",
        "JsonWebKey",
        "KeyAttestation",
        "KeyClient",
        "KeyCurveName",
        "KeyExportEncryptionAlgorithm",
        "KeyOperation",
        "KeyProperties",
        "KeyReleasePolicy",
        "KeyRotationLifetimeAction",
        "KeyRotationPolicy",
        "KeyRotationPolicyAction",
        "KeyType",
        "KeyVaultKey",
        "KeyVaultKeyIdentifier",
        "ReleaseKeyResult",
        "__version__",
    ]
)
_CERTIFICATES = frozenset(
    [
        "AdministratorContact",
        "ApiVersion",
        "CertificateClient",
        "CertificateContact",
        "CertificateContentType",
        "CertificateIssuer",
        "CertificateOperation",
        "CertificateOperationError",
        "CertificatePolicy",
        "CertificatePolicyAction",
        "CertificateProperties",
        "DeletedCertificate",
        "IssuerProperties",
        "KeyCurveName",
        "KeyType",
        "KeyUsageType",
        "KeyVaultCertificate",
        "KeyVaultCertificateIdentifier",
        "LifetimeAction",
        "PlatformManaged",
        "WellKnownIssuerNames",
        "__version__",
    ]
)
_BOTH_COLOURS = frozenset(
    [
        "AuthorizationCodeCredential",
        "AzureCliCredential",
        "AzureDeveloperCliCredential",
        "AzurePipelinesCredential",
        "AzurePowerShellCredential",
        "CertificateCredential",
        "ChainedTokenCredential",
        "ClientAssertionCredential",
        "ClientSecretCredential",
        "DefaultAzureCredential",
        "EnvironmentCredential",
        "ManagedIdentityCredential",
        "OnBehalfOfCredential",
        "SharedTokenCacheCredential",
        "VisualStudioCodeCredential",
        "WorkloadIdentityCredential",
        "get_bearer_token_provider",
    ]
)
_IDENTITY = _BOTH_COLOURS | frozenset(
    [
        "AuthenticationRecord",
        "AuthenticationRequiredError",
        "AzureAuthorityHosts",
        "CredentialUnavailableError",
        "DeviceCodeCredential",
        "InteractiveBrowserCredential",
        "KnownAuthorities",
        "TokenCachePersistenceOptions",
        "UsernamePasswordCredential",
    ]
)

#: The SDK's module: what can be imported from it here, classes and submodules.
NAMES: Mapping[str, frozenset[str]] = {
    "azure.keyvault.secrets": _SECRETS | {"aio"},
    "azure.keyvault.keys": _KEYS | {"aio", "crypto"},
    "azure.keyvault.keys.crypto": _CRYPTO | {"aio"},
    "azure.keyvault.keys.crypto.aio": _CRYPTO_AIO,
    "azure.keyvault.certificates": _CERTIFICATES | {"aio"},
    **{f"azure.keyvault.{area}.aio": frozenset({client}) for area, client in _CLIENTS.items()},
    "azure.keyvault.administration": _ADMINISTRATION | {"aio"},
    "azure.keyvault.administration.aio": _ADMINISTRATION_AIO,
    "azure.identity": _IDENTITY | {"aio"},
    "azure.identity.aio": _BOTH_COLOURS,
}
#: Packages whose import binds modules: ``from azure.keyvault import secrets``.
PACKAGES: Mapping[str, frozenset[str]] = {
    "azure": frozenset({"identity"}),
    "azure.keyvault": frozenset([*_CLIENTS, "administration"]),
}
_PRESENT = PACKAGES["azure.keyvault"] | {"securitydomain"}
_ROOTS = (("azure.keyvault", "safekv"), ("azure.identity", "safekv.identity"))


@dataclass(frozen=True, slots=True)
class Place:
    """A dotted name in the SDK: its module there, what follows, and whether safekv has it."""

    module: str
    rest: tuple[str, ...]
    known: bool

    @property
    def ours(self) -> str:
        return ".".join((ours(self.module), *self.rest))


def place(dotted: str) -> Place | None:
    """Where a name is in the SDK's modules that safekv replaces; None for any other name."""
    parts = tuple(dotted.split("."))
    for end in range(len(parts), 0, -1):
        module, rest = ".".join(parts[:end]), parts[end:]
        if module in NAMES:
            return Place(module, rest, not rest or rest[0] in NAMES[module])
    return None


def ours(module: str) -> str:
    """``azure.keyvault.keys.aio`` as ``safekv.keys.aio``."""
    return next((new + module[len(old) :] for old, new in _ROOTS if _within(module, old)), module)


def theirs(dotted: str) -> str:
    """``safekv.keys.KeyClient`` as ``azure.keyvault.keys.KeyClient``; names of safekv alone stay as they are."""
    if _within(dotted, "safekv.identity"):
        return "azure" + dotted[len("safekv") :]
    found = place("azure.keyvault" + dotted[len("safekv") :]) if _within(dotted, "safekv") else None
    return ".".join((found.module, *found.rest)) if found else dotted


def is_first_generation(dotted: str) -> bool:
    """Whether a name is of azure-keyvault before 4.0, which had all of it in ``azure.keyvault`` itself."""
    parts = dotted.split(".")
    return parts[:2] == ["azure", "keyvault"] and len(parts) > 2 and parts[2] not in _PRESENT


def of_keyvault(dotted: str) -> bool:
    """Whether a module is of the SDK's packages for Key Vault and identity, whatever safekv has of it."""
    return any(_within(dotted, old) for old, _ in _ROOTS)


def _within(dotted: str, package: str) -> bool:
    return dotted == package or dotted.startswith(package + ".")
