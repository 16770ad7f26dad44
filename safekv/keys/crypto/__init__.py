"""A drop-in ``azure.keyvault.keys.crypto``: every name of it, with a ``CryptographyClient`` of safekv's."""

import safekv.keys  # first of all: it refuses a package that is too old  # noqa: F401  isort: skip

from azure.keyvault.keys.crypto import (
    DecryptResult,
    EncryptionAlgorithm,
    EncryptResult,
    KeyVaultRSAPrivateKey,
    KeyVaultRSAPublicKey,
    KeyWrapAlgorithm,
    SignatureAlgorithm,
    SignResult,
    UnwrapResult,
    VerifyResult,
    WrapResult,
)

from safekv.keys.crypto._client import CryptographyClient

__all__ = [
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
