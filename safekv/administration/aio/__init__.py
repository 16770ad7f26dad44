"""A drop-in ``azure.keyvault.administration.aio``."""

from safekv.administration.aio._access_control_client import KeyVaultAccessControlClient
from safekv.administration.aio._backup_client import KeyVaultBackupClient
from safekv.administration.aio._settings_client import KeyVaultSettingsClient

__all__ = ["KeyVaultAccessControlClient", "KeyVaultBackupClient", "KeyVaultSettingsClient"]
