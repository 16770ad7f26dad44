"""The sync door to settings. ``aio/_settings_client.py`` is its twin."""

from __future__ import annotations

from typing import Any

import azure.keyvault.administration
from azure.core.paging import ItemPaged
from azure.core.tracing.decorator import distributed_trace
from azure.keyvault.administration import ApiVersion, KeyVaultSetting

from safekv.administration import _arguments
from safekv.connection._client import SyncSharedClient


class KeyVaultSettingsClient(SyncSharedClient, azure.keyvault.administration.KeyVaultSettingsClient):
    """``azure.keyvault.administration.KeyVaultSettingsClient``, shared: the same arguments give the same object.

    All methods and keywords are the SDK's.
    """

    _api_versions = tuple(version.value for version in ApiVersion)
    _on_hsm = True
    _on_vault = False

    @classmethod
    def _default_credential(cls) -> Any:
        from safekv.identity import DefaultAzureCredential

        return DefaultAzureCredential()

    def get_setting(self, name: str, **kwargs: Any) -> KeyVaultSetting:
        return super().get_setting(_arguments.setting_name(name), **kwargs)

    @distributed_trace
    def list_settings(self, **kwargs: Any) -> ItemPaged[KeyVaultSetting]:
        """All settings. Takes the keywords of a call, unlike the SDK's, which fails with any."""
        found: Any = self._client.get_settings(**kwargs)
        settings = [KeyVaultSetting._from_generated(each) for each in found.settings or ()]
        return ItemPaged(lambda _=None: settings, lambda page: (None, page))

    def update_setting(self, setting: KeyVaultSetting, **kwargs: Any) -> KeyVaultSetting:
        _arguments.setting(setting)
        return super().update_setting(setting, **kwargs)
