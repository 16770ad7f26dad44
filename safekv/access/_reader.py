"""Asking Azure who has access to a vault. This alone of ``safekv.access`` sends requests, and only reads."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from safekv import _identifiers
from safekv._seconds import positive
from safekv.access._management import cloud_of, management, subscription_of
from safekv.access._model import Role, RoleAssignment, VaultAccess
from safekv.access._reading import assignment, role, said, vault_access
from safekv.access._resource_ids import ResourceId, parse_resource_id
from safekv.errors import AccessDenied, InvalidArgument, InvalidRequest, NotFound, SafeKVError

#: Seconds for all requests together.
TIMEOUT = 60.0
#: Vaults that are looked at, and role definitions that are read.
_MOST_VAULTS = 5_000
_MOST_ROLES = 200
_OBJECT_ID = re.compile(r"[0-9a-zA-Z-]{1,64}")


def read_access(
    vault: str | None,
    credential: Any = None,
    *,
    subscription_id: str | None = None,
    roles: bool = True,
    timeout: float = TIMEOUT,
    endpoint: str | None = None,
    **options: Any,
) -> VaultAccess:
    """Ask Azure for a vault's access; see ``safekv.access.read``."""
    positive("timeout", timeout)
    known, name, host = _address(vault)
    cloud = cloud_of(host, os.environ, endpoint)
    subscription = known.subscription if known else subscription_of(subscription_id)
    with management(cloud, subscription, credential, timeout, options) as (key_vault, authorization):
        found = _get(key_vault, known or _find(key_vault, name, subscription))
        if not roles:
            return vault_access(found, unread="nobody asked for them")
        resource_id = str(parse_resource_id(str(said(found, "id"))))
        assignments, unread = _assignments(authorization, resource_id)
        return vault_access(found, assignments, unread)


def read_groups(
    present: VaultAccess,
    identity: str,
    credential: Any = None,
    *,
    timeout: float = TIMEOUT,
    endpoint: str | None = None,
    **options: Any,
) -> frozenset[str] | None:
    """Ask Azure through which groups an identity has roles; see ``safekv.access.groups_of``."""
    if not _OBJECT_ID.fullmatch(identity):
        raise InvalidArgument("An identity is given by its object id.", hint="az ad signed-in-user show --query id")
    positive("timeout", timeout)
    cloud = cloud_of(urlsplit(present.uri).hostname if present.uri else None, os.environ, endpoint)
    with management(cloud, present.subscription_id, credential, timeout, options) as (_, authorization):
        asked = authorization.role_assignments.list_for_scope(
            present.resource_id.lstrip("/"), filter=f"assignedTo('{identity}')"
        )
        try:
            found = [assignment(_plain(each), {}).principal_id for each in asked]
        except (AccessDenied, NotFound, InvalidRequest):  # 400: it is a group itself, or nobody
            return None
    return frozenset(each for each in found if each != identity.lower())


def _address(given: str | None) -> tuple[ResourceId | None, str, str | None]:
    """The resource id, if it is one; the vault's name; and its host, which tells the cloud, if a URL was given."""
    text = ((os.environ.get("AZURE_KEY_VAULT_URL") if given is None else given) or "").strip()
    text = _identifiers.where_it_is(text)
    if text.lower().startswith("/subscriptions/"):
        known = parse_resource_id(text)
        return known, known.name, None
    url = _identifiers.vault_url(text)
    if _identifiers.is_managed_hsm(url):
        raise InvalidArgument(
            f"{url} is a Managed HSM, which has neither access policies nor Azure's data roles.",
            hint="Its roles are local: az keyvault role assignment list --hsm-name <name>.",
        )
    host = urlsplit(url).hostname or ""
    emulated = {address: name for name, address in _identifiers.emulated_vaults(os.environ).items()}
    name = emulated.get(url) or host.partition(".")[0]
    return None, name, host if "://" in text else None


def _get(client: Any, known: ResourceId) -> Mapping[str, Any]:
    try:
        return _plain(client.vaults.get(known.group, known.name))
    except SafeKVError as error:
        raise _explained(error, known.name, "Microsoft.KeyVault/vaults/read", str(known)) from None


def _find(client: Any, name: str, subscription: str) -> ResourceId:
    """The vault of this name among the resources of the subscription; names of vaults are unique in a cloud."""
    scope = f"/subscriptions/{subscription}"
    try:
        for number, each in enumerate(client.vaults.list()):
            found = _plain(each)
            if str(said(found, "name")).lower() == name.lower():
                return parse_resource_id(str(said(found, "id")))
            if number >= _MOST_VAULTS:
                break
    except SafeKVError as error:
        raise _explained(error, name, "Microsoft.KeyVault/vaults/read", scope) from None
    raise InvalidArgument(
        f"The caller sees no vault {name} in subscription {subscription}.",
        hint="Give the vault's resource id, or another subscription; `az keyvault show --name "
        f"{name} --query id` prints the id. Whoever may not read a vault does not see it in the list.",
    )


def _assignments(client: Any, resource_id: str) -> tuple[tuple[RoleAssignment, ...] | None, str | None]:
    """The assignments at, above and below the vault; or why they could not be read."""
    try:
        found = [_plain(each) for each in client.role_assignments.list_for_scope(resource_id.lstrip("/"))]
    except AccessDenied:
        return None, "the caller may not read them (Microsoft.Authorization/roleAssignments/read)"
    except SafeKVError as error:
        raise _explained(
            error, parse_resource_id(resource_id).name, "Microsoft.Authorization/roleAssignments/read", resource_id
        ) from None
    ids = dict.fromkeys(
        str(said(it, "roleDefinitionId") or said(said(it, "properties"), "roleDefinitionId")) for it in found
    )
    roles = {each.lower(): _role(client, each) for each in list(ids)[:_MOST_ROLES]}
    return tuple(assignment(each, roles) for each in found), None


def _role(client: Any, role_id: str) -> Role:
    """What is in a role; one that may not be read is known by its id alone."""
    try:
        return role(_plain(client.role_definitions.get_by_id(role_id.lstrip("/"))))
    except (AccessDenied, NotFound):
        return Role(role_id, role_id.rsplit("/", 1)[-1])


def _plain(model: Any) -> Mapping[str, Any]:
    """An answer of the SDK's as plain data, whichever generation of models it is."""
    found = model if isinstance(model, Mapping) and not hasattr(model, "as_dict") else model.as_dict()
    return found if isinstance(found, Mapping) else {}


def _explained(error: SafeKVError, vault: str, action: str, scope: str) -> SafeKVError:
    """An error of the management plane, with what is to be done there."""
    error.__cause__ = error.__context__ = None
    if isinstance(error, AccessDenied):
        error.hint = (
            f"Reading who has access needs {action} at {scope}: the role Reader has it. Roles inside a vault, such as "
            "Key Vault Reader on its data, are another thing."
        )
        error.remedies = (f"az role assignment create --role Reader --assignee <who> --scope {scope}",)
    elif isinstance(error, NotFound):
        error.hint = f"There is no vault {vault} at {scope}, or the caller may not see it."
        error.remedies = ()
    error.guide_url = None
    error.vault = vault
    return error
