"""The sync door to local roles. ``aio/_access_control_client.py`` is its twin."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import azure.keyvault.administration
from azure.core.paging import ItemPaged
from azure.keyvault.administration import (
    ApiVersion,
    KeyVaultPermission,
    KeyVaultRoleAssignment,
    KeyVaultRoleDefinition,
    KeyVaultRoleScope,
)

from safekv.administration import _arguments
from safekv.connection._client import SyncSharedClient


class KeyVaultAccessControlClient(SyncSharedClient, azure.keyvault.administration.KeyVaultAccessControlClient):
    """``azure.keyvault.administration.KeyVaultAccessControlClient``, shared: the same arguments give the same object.

    All methods and keywords are the SDK's. Scopes, GUIDs and permissions that a Managed HSM would refuse raise
    ``safekv.errors.InvalidArgument`` (a ``ValueError``) before anything is sent. ``timeout=`` is the deadline of one
    call in seconds.
    """

    _api_versions = tuple(version.value for version in ApiVersion)
    _on_hsm = True
    _on_vault = False

    @classmethod
    def _default_credential(cls) -> Any:
        from safekv.identity import DefaultAzureCredential

        return DefaultAzureCredential()

    def create_role_assignment(
        self,
        scope: str | KeyVaultRoleScope,
        definition_id: str,
        principal_id: str,
        *,
        name: str | UUID | None = None,
        **kwargs: Any,
    ) -> KeyVaultRoleAssignment:
        return super().create_role_assignment(
            _arguments.scope(scope),
            _arguments.definition_id(definition_id),
            _arguments.guid(principal_id, "principal_id"),
            name=name and _arguments.guid(name, "name"),
            **kwargs,
        )

    def delete_role_assignment(self, scope: str | KeyVaultRoleScope, name: str | UUID, **kwargs: Any) -> None:
        super().delete_role_assignment(_arguments.scope(scope), _arguments.guid(name, "name"), **kwargs)

    def get_role_assignment(
        self, scope: str | KeyVaultRoleScope, name: str | UUID, **kwargs: Any
    ) -> KeyVaultRoleAssignment:
        return super().get_role_assignment(_arguments.scope(scope), _arguments.guid(name, "name"), **kwargs)

    def list_role_assignments(self, scope: str | KeyVaultRoleScope, **kwargs: Any) -> ItemPaged[KeyVaultRoleAssignment]:
        return super().list_role_assignments(_arguments.scope(scope), **kwargs)

    def set_role_definition(
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
        return super().set_role_definition(
            _arguments.global_scope(scope),
            name=name and _arguments.guid(name, "name"),
            role_name=role_name,
            description=description,
            permissions=permissions,
            assignable_scopes=assignable_scopes,
            **kwargs,
        )

    def get_role_definition(
        self, scope: str | KeyVaultRoleScope, name: str | UUID, **kwargs: Any
    ) -> KeyVaultRoleDefinition:
        return super().get_role_definition(_arguments.scope(scope), _arguments.guid(name, "name"), **kwargs)

    def delete_role_definition(self, scope: str | KeyVaultRoleScope, name: str | UUID, **kwargs: Any) -> None:
        super().delete_role_definition(_arguments.global_scope(scope), _arguments.guid(name, "name"), **kwargs)

    def list_role_definitions(self, scope: str | KeyVaultRoleScope, **kwargs: Any) -> ItemPaged[KeyVaultRoleDefinition]:
        return super().list_role_definitions(_arguments.scope(scope), **kwargs)
