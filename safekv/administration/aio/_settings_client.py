"""The aio door to settings. ``../_settings_client.py`` is its twin."""

from __future__ import annotations

from typing import Any

import azure.keyvault.administration.aio
from azure.core.async_paging import AsyncItemPaged, AsyncList
from azure.core.tracing.decorator import distributed_trace
from azure.keyvault.administration import ApiVersion, KeyVaultSetting

from safekv.administration import _arguments
from safekv.connection._aclient import AsyncSharedClient


class KeyVaultSettingsClient(AsyncSharedClient, azure.keyvault.administration.aio.KeyVaultSettingsClient):
    """``azure.keyvault.administration.aio.KeyVaultSettingsClient``, shared, and usable from any event loop.

    As ``safekv.administration.KeyVaultSettingsClient``. The credential may be a synchronous one.
    """

    _api_versions = tuple(version.value for version in ApiVersion)
    _on_hsm = True
    _on_vault = False

    @classmethod
    def _default_credential(cls) -> Any:
        from safekv.identity import DefaultAzureCredential

        return DefaultAzureCredential()

    async def get_setting(self, name: str, **kwargs: Any) -> KeyVaultSetting:
        return await super().get_setting(_arguments.setting_name(name), **kwargs)

    @distributed_trace
    def list_settings(self, **kwargs: Any) -> AsyncItemPaged[KeyVaultSetting]:
        """All settings. Takes the keywords of a call, unlike the SDK's, and asks when it is iterated."""

        async def get_next(_: Any = None) -> Any:
            return await self._client.get_settings(**kwargs)

        async def extract_data(found: Any) -> tuple[None, AsyncList[KeyVaultSetting]]:
            return None, AsyncList([KeyVaultSetting._from_generated(each) for each in found.settings or ()])

        return AsyncItemPaged(get_next, extract_data)

    async def update_setting(self, setting: KeyVaultSetting, **kwargs: Any) -> KeyVaultSetting:
        _arguments.setting(setting)
        return await super().update_setting(setting, **kwargs)
