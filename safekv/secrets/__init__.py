"""A drop-in ``azure.keyvault.secrets``: every name of it, with a ``SecretClient`` that is shared.

>>> from safekv.secrets import SecretClient
>>> client = SecretClient("https://my-vault.vault.azure.net")
>>> client is SecretClient("https://my-vault.vault.azure.net")
True
"""

import azure.keyvault.secrets as _sdk

from safekv._versions import require as _require

# First of all: an older package lacks some of the names below.
_require("azure-keyvault-secrets", _sdk.__version__)

from azure.keyvault.secrets import (  # noqa: E402
    ApiVersion,
    ContentType,
    DeletedSecret,
    KeyVaultSecret,
    KeyVaultSecretIdentifier,
    SecretProperties,
    __version__,  # noqa: F401  (not in the SDK's __all__, but a name of its module)
)

from safekv.secrets._client import SecretClient  # noqa: E402

__all__ = [
    "ApiVersion",
    "ContentType",
    "DeletedSecret",
    "KeyVaultSecret",
    "KeyVaultSecretIdentifier",
    "SecretClient",
    "SecretProperties",
]
