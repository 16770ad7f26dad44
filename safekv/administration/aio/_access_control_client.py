"""The aio door to local roles. ``../_access_control_client.py`` is its twin."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import azure.keyvault.administration.aio
from azure.core.async_paging import AsyncItemPaged
from azure.keyvault.administration import (
    ApiVersion,
    KeyVaultPermission,
    KeyVaultRoleAssignment,
    KeyVaultRoleDefinition,
    KeyVaultRoleScope,
)

from safekv.administration import _arguments
from safekv.connection._aclient import AsyncSharedClient


class KeyVaultAccessControlClient(AsyncSharedClient, azure.keyvault.administration.aio.KeyVaultAccessControlClient):
    """``azure.keyvault.administration.aio.KeyVaultAccessControlClient``, shared, and usable from any event loop.

    As ``safekv.administration.KeyVaultAccessControlClient``. The credential may be a synchronous one.
    """

    _api_versions = tuple(version.value for version in ApiVersion)
    _on_hsm = True
    _on_vault = False

    @classmethod
    def _default_credential(cls) -> Any:
        from safekv.identity import DefaultAzureCredential

        return DefaultAzureCredential()

    async def create_role_assignment(
        self,
        scope: str | KeyVaultRoleScope,
        definition_id: str,
        principal_id: str,
        *,
        name: str | UUID | None = None,
        **kwargs: Any,
    ) -> KeyVaultRoleAssignment:
        return await super().create_role_assignment(
            _arguments.scope(scope),
            _arguments.definition_id(definition_id),
            _arguments.guid(principal_id, "principal_id"),
            name=name and _arguments.guid(name, "name"),
            **kwargs,
        )

    async def delete_role_assignment(self, scope: str | KeyVaultRoleScope, name: str | UUID, **kwargs: Any) -> None:
        await super().delete_role_assignment(_arguments.scope(scope), _arguments.guid(name, "name"), **kwargs)

    async def get_role_assignment(
        self, scope: str | KeyVaultRoleScope, name: str | UUID, **kwargs: Any
    ) -> KeyVaultRoleAssignment:
        return await super().get_role_assignment(_arguments.scope(scope), _arguments.guid(name, "name"), **kwargs)

    def list_role_assignments(
        self, scope: str | KeyVaultRoleScope, **kwargs: Any
    ) -> AsyncItemPaged[KeyVaultRoleAssignment]:
        return super().list_role_assignments(_arguments.scope(scope), **kwargs)

    async def set_role_definition(
        self,
        scope: str | KeyVaultRoleScope,
        *,
        name: str | UUID | None = None,
        role_name: str | None = None,
        description: str | None = None,
        permissions: list[KeyVaultPermission] | None = None,
        assignable_scopes: list[str | KeyVaultRoleScope] | None = None,
        **kwargs: Any,
    ) -> KeyVaultRoleDefinition:
        _arguments.definition(permissions, assignable_scopes)
        return await super().set_role_definition(
            _arguments.global_scope(scope),
            name=name and _arguments.guid(name, "name"),
            role_name=role_name,
            description=description,
            permissions=permissions,
            assignable_scopes=assignable_scopes,
            **kwargs,
        )

    async def get_role_definition(
        self, scope: str | KeyVaultRoleScope, name: str | UUID, **kwargs: Any
    ) -> KeyVaultRoleDefinition:
        return await super().get_role_definition(_arguments.scope(scope), _arguments.guid(name, "name"), **kwargs)

    async def delete_role_definition(self, scope: str | KeyVaultRoleScope, name: str | UUID, **kwargs: Any) -> None:
        await super().delete_role_definition(_arguments.global_scope(scope), _arguments.guid(name, "name"), **kwargs)

    def list_role_definitions(
        self, scope: str | KeyVaultRoleScope, **kwargs: Any
    ) -> AsyncItemPaged[KeyVaultRoleDefinition]:
        return super().list_role_definitions(_arguments.scope(scope), **kwargs)
