"""Who may do what in a vault, and what a deployment of its template would do to that.

>>> from safekv import access
>>> present = access.read("my-vault")                      # doctest: +SKIP
>>> access.diff("main.json", present).loses                # doctest: +SKIP
True

``read`` asks Azure, and needs the extra ``management``; everything else decides on what was read, or on a file that
``export(..., "json")`` has saved, and needs nothing.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from typing import Any, Union

from safekv.access._check import Verdict, verdict
from safekv.access._diff import Difference, Loss, difference
from safekv.access._errors import AccessUnknown, TemplateError
from safekv.access._export import exported
from safekv.access._merge import Merged, merged
from safekv.access._model import (
    Firewall,
    Identity,
    PermissionModel,
    Permissions,
    Policy,
    Role,
    RoleAssignment,
    VaultAccess,
)
from safekv.access._reading import load, policy
from safekv.access._templates import Parameters, Template
from safekv.access._values import Unresolved

__all__ = [
    "AccessUnknown",
    "Difference",
    "Firewall",
    "Identity",
    "Loss",
    "Merged",
    "PermissionModel",
    "Permissions",
    "Policy",
    "Role",
    "RoleAssignment",
    "Template",
    "TemplateError",
    "Unresolved",
    "VaultAccess",
    "Verdict",
    "check",
    "diff",
    "export",
    "groups_of",
    "load",
    "merge",
    "policy",
    "read",
]

Source = Union[Template, str, "os.PathLike[str]"]


def read(
    vault: str | None = None,
    credential: Any = None,
    *,
    subscription_id: str | None = None,
    roles: bool = True,
    timeout: float = 60.0,
    endpoint: str | None = None,
    **options: Any,
) -> VaultAccess:
    """Ask Azure for a vault's access. Nothing is changed, and nothing in the vault is read.

    :param vault: its resource id, its URL, or its name; by default ``AZURE_KEY_VAULT_URL``.
    :param credential: by default the process's ``DefaultAzureCredential``. It needs the role Reader on the vault.
    :param subscription_id: where to look for a vault that is given by URL or name; by default
        ``AZURE_SUBSCRIPTION_ID``.
    :param roles: also read the role assignments at, above and below the vault. Where the caller may not,
        ``assignments`` is None and ``unread`` says why.
    :param timeout: seconds for all requests together.
    :param endpoint: of the management plane, where it is none of Azure's own.
    :param options: of the connection: ``transport``, ``connection_verify``, …
    :raises MissingPackage: if the extra ``management`` is not installed.
    :raises InvalidArgument: for what is no vault, and for one that is not in the subscription.
    :raises AccessDenied: if the caller may not read the vault's resource.
    """
    from safekv.access._reader import read_access

    return read_access(
        vault,
        credential,
        subscription_id=subscription_id,
        roles=roles,
        timeout=timeout,
        endpoint=endpoint,
        **options,
    )


def groups_of(
    present: VaultAccess,
    identity: str,
    credential: Any = None,
    *,
    timeout: float = 60.0,
    endpoint: str | None = None,
    **options: Any,
) -> frozenset[str] | None:
    """Ask Azure through which groups an identity has roles on the vault: what :func:`check` takes as ``groups``.

    Azure looks into the directory for that, and the caller need not be able to. It knows of groups that have roles,
    not of those that have access policies.

    :returns: object ids of groups; None if Azure does not say.
    :raises MissingPackage: if the extra ``management`` is not installed.
    """
    from safekv.access._reader import read_groups

    return read_groups(present, identity, credential, timeout=timeout, endpoint=endpoint, **options)


def diff(template: Source, present: VaultAccess, parameters: Parameters | Iterable[Parameters] = ()) -> Difference:
    """What deploying a template would take away from whom, and add to whom.

    :param template: the path of an ARM template (JSON; Bicep is compiled first), or a ``Template``.
    :param present: from :func:`read` or :func:`load`.
    :param parameters: parameter files, or mappings of values.
    :raises TemplateError: if the template cannot be read, or does nothing to this vault.
    """
    return difference(_template(template, parameters), present)


def merge(
    template: Source,
    present: VaultAccess,
    parameters: Parameters | Iterable[Parameters] = (),
    *,
    allow_unknown: bool = False,
) -> Merged:
    """The template with the present policies kept: deploying it takes nothing away.

    What need not be changed stays as it is, comments included. ``Merged.text`` is the template.

    :param allow_unknown: also where it is not known whom the template itself gives access.
    :raises AccessUnknown: where something is not known, and that is not allowed.
    :raises TemplateError: as :func:`diff`; and where it cannot be done in the template's text.
    """
    return merged(_template(template, parameters), present, allow_unknown=allow_unknown)


def export(present: VaultAccess, format: str = "arm", *, child: bool = False) -> str:
    """The present access policies as text.

    :param format: ``"arm"`` or ``"bicep"``: what to put into the vault's ``properties``; ``"json"``: all that was
        read, for :func:`load`.
    :param child: a resource ``vaults/accessPolicies`` with the name ``add`` instead.
    :raises InvalidArgument: for another format.
    """
    return exported(present, format, child=child)


def check(
    present: VaultAccess,
    identity: str,
    operation: str,
    name: str | None = None,
    *,
    groups: Collection[str] | None = None,
) -> Verdict:
    """Whether an identity may do something, by which entry; and the smallest change that would allow it.

    :param identity: its object id.
    :param operation: named as the SDK's method: ``"get_secret"``.
    :param name: of the object; without one, whether it may for every object.
    :param groups: the object ids of all groups that it is in; None: not known, and said so.
    :raises InvalidArgument: for an operation that no vault has, and for a name that no object has.
    """
    return verdict(present, identity, operation, name, groups=groups)


def _template(given: Source, parameters: Parameters | Iterable[Parameters]) -> Template:
    return given if isinstance(given, Template) else Template.load(given, parameters)


for _name in __all__:
    if isinstance(globals()[_name], type):
        globals()[_name].__module__ = __name__
