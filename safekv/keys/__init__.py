"""A drop-in ``azure.keyvault.keys``: every name of it, with a ``KeyClient`` that is shared.

>>> from safekv.keys import KeyClient
>>> client = KeyClient("https://my-vault.vault.azure.net")
>>> client is KeyClient("https://my-vault.vault.azure.net")
True
"""

import azure.keyvault.keys as _sdk

from safekv._versions import require as _require

# First of all: an older package lacks some of the names below.
_require("azure-keyvault-keys", _sdk.__version__)

from azure.keyvault.keys import (  # noqa: E402
    ApiVersion,
    DeletedKey,
    JsonWebKey,
    KeyAttestation,
    KeyCurveName,
    KeyExportEncryptionAlgorithm,
    KeyOperation,
    KeyProperties,
    KeyReleasePolicy,
    KeyRotationLifetimeAction,
    KeyRotationPolicy,
    KeyRotationPolicyAction,
    KeyType,
    KeyVaultKey,
    KeyVaultKeyIdentifier,
    ReleaseKeyResult,
    __version__,  # noqa: F401  (not in the SDK's __all__, but a name of its module)
)

from safekv.keys._client import KeyClient  # noqa: E402

__all__ = [
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
]
