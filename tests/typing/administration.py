"""What typed code of a user looks like who administers a Managed HSM. Checked by mypy --strict, never run."""

from __future__ import annotations

import azure.keyvault.administration
from azure.core.paging import ItemPaged
from azure.core.polling import AsyncLROPoller, LROPoller
from typing_extensions import assert_type

import safekv.administration.aio
from safekv import Vault
from safekv.administration import (
    KeyVaultAccessControlClient,
    KeyVaultBackupResult,
    KeyVaultRoleAssignment,
    KeyVaultRoleDefinition,
    KeyVaultRoleScope,
    KeyVaultSetting,
    KeyVaultSettingsClient,
)

URL = "https://my-hsm.managedhsm.azure.net"
CONTAINER = "https://account.blob.core.windows.net/backups"


def sync(hsm: Vault) -> None:
    assert_type(hsm.access_control, KeyVaultAccessControlClient)
    assert_type(hsm.settings, KeyVaultSettingsClient)
    roles = KeyVaultAccessControlClient(URL, timeout=5)
    azures: list[azure.keyvault.administration.KeyVaultAccessControlClient] = [roles]
    assert azures
    assert_type(roles.create_role_assignment("/keys", "id", "oid", name=None), KeyVaultRoleAssignment)
    assert_type(roles.list_role_definitions(KeyVaultRoleScope.GLOBAL), ItemPaged[KeyVaultRoleDefinition])
    assert_type(hsm.backup.begin_backup(CONTAINER, use_managed_identity=True), LROPoller[KeyVaultBackupResult])
    assert_type(hsm.settings.get_setting("name", timeout=5), KeyVaultSetting)


async def aio() -> None:
    backups = safekv.administration.aio.KeyVaultBackupClient(URL)
    poller = await backups.begin_backup(CONTAINER, use_managed_identity=True, timeout=60)
    assert_type(poller, AsyncLROPoller[KeyVaultBackupResult])
    settings = safekv.administration.aio.KeyVaultSettingsClient(URL)
    assert_type(await settings.update_setting(KeyVaultSetting("name", True)), KeyVaultSetting)
