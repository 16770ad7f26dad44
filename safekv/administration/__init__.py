"""A drop-in ``azure.keyvault.administration``: every name of it, with clients that are shared. For Managed HSMs.

>>> from safekv.administration import KeyVaultAccessControlClient
>>> client = KeyVaultAccessControlClient("https://my-hsm.managedhsm.azure.net")
>>> client is KeyVaultAccessControlClient("https://my-hsm.managedhsm.azure.net")
True

Needs the extra ``administration``.
"""

from safekv.errors import MissingPackage as _MissingPackage

try:
    import azure.keyvault.administration as _sdk
except ModuleNotFoundError as _error:
    if _error.name != "azure.keyvault.administration":
        raise
    raise _MissingPackage(
        "safekv.administration needs azure-keyvault-administration.", hint="pip install 'safekv[administration]'"
    ) from _error

from safekv._versions import require as _require

# First of all: an older package lacks some of the names below.
_require("azure-keyvault-administration", _sdk.__version__)

from azure.keyvault.administration import (  # noqa: E402
    ApiVersion,
    KeyVaultBackupResult,
    KeyVaultDataAction,
    KeyVaultPermission,
    KeyVaultRoleAssignment,
    KeyVaultRoleAssignmentProperties,
    KeyVaultRoleDefinition,
    KeyVaultRoleScope,
    KeyVaultSetting,
    KeyVaultSettingType,
    __version__,  # noqa: F401  (not in the SDK's __all__, but a name of its module)
)

from safekv.administration._access_control_client import KeyVaultAccessControlClient  # noqa: E402
from safekv.administration._backup_client import KeyVaultBackupClient  # noqa: E402
from safekv.administration._settings_client import KeyVaultSettingsClient  # noqa: E402

__all__ = [
    "ApiVersion",
    "KeyVaultAccessControlClient",
    "KeyVaultBackupClient",
    "KeyVaultBackupResult",
    "KeyVaultDataAction",
    "KeyVaultPermission",
    "KeyVaultRoleAssignment",
    "KeyVaultRoleAssignmentProperties",
    "KeyVaultRoleDefinition",
    "KeyVaultRoleScope",
    "KeyVaultSetting",
    "KeyVaultSettingType",
    "KeyVaultSettingsClient",
]
