"""The ids of Azure's resources, as far as vaults have them."""

from __future__ import annotations

import re
from typing import NamedTuple

from safekv.errors import InvalidArgument

_ID = re.compile(
    r"/subscriptions/(?P<subscription>[0-9a-zA-Z-]{1,64})/resourceGroups/(?P<group>[\w.()-]{1,90})"
    r"/providers/Microsoft\.KeyVault/vaults/(?P<name>[0-9a-zA-Z-]{3,24})",
    re.IGNORECASE,
)
EXAMPLE = "/subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.KeyVault/vaults/my-vault"


class ResourceId(NamedTuple):
    """The parts of a vault's resource id."""

    subscription: str
    group: str
    name: str

    def __str__(self) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
            f"/providers/Microsoft.KeyVault/vaults/{self.name}"
        )


def parse_resource_id(given: str) -> ResourceId:
    """:raises InvalidArgument: for anything but the resource id of a vault."""
    found = _ID.fullmatch(given.strip().rstrip("/"))
    if found is None:
        hint = f"It is written like {EXAMPLE}; `az keyvault show --name my-vault --query id` prints it."
        if "/managedhsms/" in given.lower():
            hint = "A Managed HSM has neither access policies nor Azure's data roles: its roles are local."
        raise InvalidArgument(f"{given[:200]!r} is not the resource id of a vault.", hint=hint)
    return ResourceId(found["subscription"], found["group"], found["name"])


def covers(scope: str, resource: str) -> bool:
    """Whether what is assigned at ``scope`` holds for ``resource``: at it, or above."""
    scope, resource = scope.rstrip("/").lower(), resource.rstrip("/").lower()
    above = scope == "" or scope.startswith("/providers/microsoft.management/managementgroups/")
    return above or resource == scope or resource.startswith(f"{scope}/")
