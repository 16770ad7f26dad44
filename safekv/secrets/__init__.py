"""A drop-in ``azure.keyvault.secrets``: every name of it, with a ``SecretClient`` that is shared.

>>> from safekv.secrets import SecretClient
>>> client = SecretClient("https://my-vault.vault.azure.net")
>>> client is SecretClient("https://my-vault.vault.azure.net")
True
"""

from azure.keyvault.secrets import (
    ApiVersion,
    ContentType,
    DeletedSecret,
    KeyVaultSecret,
    KeyVaultSecretIdentifier,
    SecretProperties,
    __version__,
)

from safekv._versions import require as _require

_require("azure-keyvault-secrets", __version__)

from safekv.secrets._client import SecretClient  # noqa: E402  # the version has to be right first

__all__ = [
    "ApiVersion",
    "ContentType",
    "DeletedSecret",
    "KeyVaultSecret",
    "KeyVaultSecretIdentifier",
    "SecretClient",
    "SecretProperties",
]
