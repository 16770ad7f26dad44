"""What a Managed HSM accepts as scopes, names, roles, settings and places of backups. Checked before anything is sent.

A SAS token is in no message, and neither is an address that may contain one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from azure.keyvault.administration import KeyVaultSetting

from safekv._identifiers import object_name
from safekv.errors import InvalidArgument

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ACTIONS = ("actions", "not_actions", "data_actions", "not_data_actions")
_EXAMPLE = "https://account.blob.core.windows.net/backups"


def scope(given: object) -> str:
    """``given`` if it is a scope inside an HSM.

    :raises InvalidArgument: for anything but ``/``, ``/keys`` and ``/keys/<key>``.
    """
    text = getattr(given, "value", given)
    if text in ("/", "/keys"):
        return str(text)
    if isinstance(text, str) and text.startswith("/keys/"):
        object_name(text.removeprefix("/keys/"), "key")
        return text
    raise InvalidArgument(
        f"{_shown(given)} is no scope of a Managed HSM.",
        hint="'/' is all of it, '/keys' are all its keys, and '/keys/my-key' is one of them.",
    )


def global_scope(given: object) -> str:
    """``given`` if it is the one scope that role definitions are made for.

    :raises InvalidArgument: for anything else.
    """
    if scope(given) == "/":
        return "/"
    raise InvalidArgument(
        f"{_shown(given)} is no scope for a role definition: a Managed HSM has them at '/' only.",
        hint="Where a role holds is said when it is assigned: create_role_assignment(scope, ...).",
    )


def guid(given: object, what: str) -> str:
    """``given`` as text if it is a GUID.

    :param what: what it is called: "name".
    :raises InvalidArgument: for anything else.
    """
    text = str(given) if isinstance(given, UUID) else given
    if isinstance(text, str) and _GUID.fullmatch(text):
        return text
    raise InvalidArgument(f"{what}={_shown(given)} is not a GUID.", hint=_GUID_HINTS.get(what, _GUID_HINTS["name"]))


_GUID_HINTS = {
    "name": "Role definitions and assignments are named by GUIDs: uuid.uuid4() makes one, and so does leaving it out.",
    "principal_id": "It is the object id of a user, a group or a service principal: az ad sp show --id <appid> "
    "--query id.",
}


def definition_id(given: object) -> str:
    """``given`` if it can be the id of a role definition: something that ends with its GUID.

    :raises InvalidArgument: for anything else.
    """
    if isinstance(given, str) and _GUID.fullmatch(given.rpartition("/")[2]):
        return given
    raise InvalidArgument(
        f"definition_id={_shown(given)} is not the id of a role definition.",
        hint="Give the id of one of list_role_definitions('/'), not its name or its role_name.",
    )


def definition(permissions: Any, assignable_scopes: Any) -> None:
    """Refuse permissions and scopes that no role definition has.

    :raises InvalidArgument: naming what was given, and what is wanted.
    """
    for each in _listed("permissions", permissions, "[KeyVaultPermission(data_actions=[...])]"):
        if not all(hasattr(each, name) for name in _ACTIONS):
            raise InvalidArgument(
                f"permissions must be KeyVaultPermission objects, not {type(each).__name__}.",
                hint="KeyVaultPermission(data_actions=[KeyVaultDataAction.READ_HSM_KEY]) is one.",
            )
        for name in _ACTIONS:
            for action in _listed(name, getattr(each, name), "[KeyVaultDataAction.READ_HSM_KEY]"):
                if not isinstance(action, str):
                    raise InvalidArgument(
                        f"{name} must be texts, not {type(action).__name__}.", hint="KeyVaultDataAction has them."
                    )
    for each in _listed("assignable_scopes", assignable_scopes, "['/']"):
        scope(each)


def setting_name(given: object) -> str:
    """``given`` if it can be the name of a setting.

    :raises InvalidArgument: for anything but a word.
    """
    if isinstance(given, str) and re.fullmatch(r"[0-9A-Za-z-]{1,127}", given):
        return given
    raise InvalidArgument(
        f"{_shown(given)} is not the name of a setting.", hint="'AllowKeyManagementOperationsThroughARM' is one."
    )


def setting(given: object) -> None:
    """Refuse what is no setting with a name and a value.

    :raises InvalidArgument: for anything but a ``KeyVaultSetting``.
    """
    if not isinstance(given, KeyVaultSetting):
        raise InvalidArgument(
            f"setting must be a KeyVaultSetting, not {type(given).__name__}.",
            hint="KeyVaultSetting(name='AllowKeyManagementOperationsThroughARM', value=True)",
        )
    setting_name(given.name)


def container(given: object) -> str:
    """``given`` if it can be the address of a container.

    :raises InvalidArgument: for anything but ``https://host/container``.
    """
    if "?" in str(given):
        raise InvalidArgument(
            "blob_storage_url must be without a query (it is not shown: it may be a token).",
            hint=f"blob_storage_url={_EXAMPLE!r}, sas_token='sv=...'",
        )
    return _address("blob_storage_url", given, 1)


def folder(given: object) -> str:
    """``given`` if it can be the address of a backup in a container. A query in it is not sent, as with the SDK.

    :raises InvalidArgument: for anything but ``https://host/container/folder``.
    """
    return _address("folder_url", given, 2)


def storage_access(sas_token: object, use_managed_identity: object) -> None:
    """Refuse both ways, or none, of letting the HSM into the storage.

    :raises InvalidArgument: saying which there are.
    """
    if bool(sas_token) != bool(use_managed_identity):
        if sas_token and not isinstance(sas_token, str):
            raise InvalidArgument(
                f"sas_token must be a str, not {type(sas_token).__name__}.", hint="sas_token='sv=...&sig=...'"
            )
        return
    given = "Both were" if sas_token else "Neither was"
    raise InvalidArgument(
        f"The HSM needs either sas_token= or use_managed_identity=True to use the storage. {given} given.",
        hint="use_managed_identity=True takes the identity that is assigned to the HSM; a SAS token has to allow "
        "reading, writing, creating, deleting and listing.",
    )


def _address(what: str, given: object, segments: int) -> str:
    example = _EXAMPLE + "/mhsm-my-hsm-2026010112000000" * (segments - 1)
    if isinstance(given, str):
        try:
            parts = urlsplit(given)
        except ValueError:
            parts = urlsplit("")
        path = [each for each in parts.path.split("/") if each]
        if parts.scheme == "https" and parts.hostname and "@" not in parts.netloc and len(path) >= segments:
            return given
    raise InvalidArgument(
        f"{what} is not the https:// address of {'a container' if segments == 1 else 'a backup in a container'} "
        "(it is not shown: it may contain a token).",
        hint=f"Write it like {example!r}.",
    )


def _listed(what: str, given: object, example: str) -> list[Any]:
    if given is None:
        return []
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidArgument(f"{what} must be a list, not {type(given).__name__}.", hint=f"{what}={example}")
    return list(given)


def _shown(given: object) -> str:
    text = repr(given)
    return text if len(text) <= 80 else text[:77] + "..."
