"""A drop-in ``azure.keyvault.certificates``: every name of it, with a ``CertificateClient`` that is shared.

>>> from safekv.certificates import CertificateClient
>>> client = CertificateClient("https://my-vault.vault.azure.net")
>>> client is CertificateClient("https://my-vault.vault.azure.net")
True
"""

import azure.keyvault.certificates as _sdk

from safekv._versions import require as _require

# First of all: an older package lacks some of the names below.
_require("azure-keyvault-certificates", _sdk.__version__)

from azure.keyvault.certificates import (  # noqa: E402
    AdministratorContact,
    ApiVersion,
    CertificateContact,
    CertificateContentType,
    CertificateIssuer,
    CertificateOperation,
    CertificateOperationError,
    CertificatePolicy,
    CertificatePolicyAction,
    CertificateProperties,
    DeletedCertificate,
    IssuerProperties,
    KeyCurveName,
    KeyType,
    KeyUsageType,
    KeyVaultCertificate,
    KeyVaultCertificateIdentifier,
    LifetimeAction,
    WellKnownIssuerNames,
    __version__,  # noqa: F401  (not in the SDK's __all__, but a name of its module)
)

from safekv.certificates._client import CertificateClient  # noqa: E402
from safekv.certificates._private_key import CertificateWithKey  # noqa: E402

__all__ = [
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
    "CertificateWithKey",
    "DeletedCertificate",
    "IssuerProperties",
    "KeyCurveName",
    "KeyType",
    "KeyUsageType",
    "KeyVaultCertificate",
    "KeyVaultCertificateIdentifier",
    "LifetimeAction",
    "WellKnownIssuerNames",
]

try:
    from azure.keyvault.certificates import PlatformManaged
except ImportError:  # before 4.12
    pass
else:
    __all__ += ["PlatformManaged"]
