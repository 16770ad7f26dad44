"""A drop-in ``azure.keyvault.keys.crypto.aio``."""

from azure.keyvault.keys.crypto import (
    EncryptionAlgorithm,
    EncryptResult,
    KeyWrapAlgorithm,
    SignatureAlgorithm,
    SignResult,
    WrapResult,
)

from safekv.keys.crypto.aio._client import CryptographyClient

# The SDK's module has these names, too, but not in its __all__.
_ALSO_HERE = (EncryptResult, EncryptionAlgorithm, KeyWrapAlgorithm, SignResult, SignatureAlgorithm, WrapResult)

__all__ = ["CryptographyClient"]
