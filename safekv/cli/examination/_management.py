"""What the management plane says of a permission that is missing: the entry that lacks it, and the smallest change.

A vault that denies says what it wanted. Who has what already, and which one change would do, is known to those who
may read the vault's resource; where the caller may not, the vault's own words have to do.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from safekv import access
from safekv.access import PermissionModel, VaultAccess, Verdict
from safekv.access._management import cloud_of
from safekv.access._resource_ids import parse_resource_id
from safekv.cli._access_shown import counted
from safekv.cli.examination._check import Check, ok, one_line, skipped
from safekv.cli.examination._machine import Machine
from safekv.errors import InvalidArgument, MissingPackage, SafeKVError

_PATIENCE = 10.0
NAME = "access"


class Exact:
    """Makes what a denied check advises exact. Asks Azure once, and only if something is denied.

    :param oid: the caller's object id, if its token tells.
    """

    def __init__(self, url: str, machine: Machine, credential: Any, oid: str | None) -> None:
        self._url = url
        self._machine = machine
        self._credential = credential
        self._oid = oid
        self._asked = False
        self._present: VaultAccess | None = None
        self._groups: frozenset[str] | None = None
        self._why_not = "nothing is denied"

    def of(self, check: Check, operation: str, name: str | None = None) -> Check:
        """The check, with what would allow it if that can be known."""
        if check.state not in ("failed", "warning") or "permission" not in check.facts:
            return check
        oid = str(check.facts.get("oid") or self._oid or "")
        self._ask(check, oid)
        said = PermissionModel.RBAC if "resource" in check.facts else PermissionModel.POLICIES
        if self._present is None or not oid or self._present.model is not said:  # a switch that does not count yet
            return check
        return _advised(check, access.check(self._present, oid, operation, name or None, groups=self._groups))

    def told(self) -> Check:
        """What was read, or why nothing was."""
        if self._present is None:
            return skipped(NAME, self._why_not)
        said = f"access policies decide, those of {counted(len(self._present.by_identity()), 'identity', 'identities')}"
        if self._present.model is PermissionModel.RBAC:
            known = self._present.assignments
            said = "roles decide" + (
                f", by {counted(len(known), 'assignment', 'assignments')}" if known is not None else ""
            )
        return ok(NAME, f"{self._present.name}: {said}", model=self._present.model.value)

    def _ask(self, check: Check, oid: str) -> None:
        if self._asked:
            return
        self._asked = True
        vault, subscription = self._where(check)
        if vault is None:
            self._why_not = "set AZURE_SUBSCRIPTION_ID to have it read who may what"
            return
        try:
            cloud_of(urlsplit(self._url).hostname, self._machine.environ)  # a token for Azure goes to Azure alone
            self._present = access.read(vault, self._credential, subscription_id=subscription, timeout=_PATIENCE)
            if self._present.model is PermissionModel.RBAC and oid:
                self._groups = access.groups_of(self._present, oid, self._credential, timeout=_PATIENCE)
        except MissingPackage as error:
            self._why_not = f"{error.hint} lets it read who may what"
        except (SafeKVError, OSError) as error:
            self._why_not = one_line(str(error).partition("\n")[0], 200)
        except Exception as error:  # whatever it is, it ends no examination
            self._why_not = type(error).__name__

    def _where(self, check: Check) -> tuple[str | None, str | None]:
        """The vault's resource id if the vault has told it; else its URL, and the subscription to look in."""
        scope = str(check.facts.get("scope") or "")
        with suppress(InvalidArgument):  # not every scope is a vault's
            return str(parse_resource_id(scope)), None
        subscription = self._machine.environ.get("AZURE_SUBSCRIPTION_ID") or os.environ.get("AZURE_SUBSCRIPTION_ID")
        return (self._url, subscription) if subscription else (None, None)


def _advised(check: Check, verdict: Verdict) -> Check:
    facts = {**check.facts, "verdict": verdict.to_dict()}
    perhaps = f" Perhaps it has it already: {'; '.join(verdict.perhaps[:3])}." if verdict.perhaps else ""
    if verdict.allowed:
        by = verdict.by[0]
        advice = f"It should be allowed by {by}. {verdict.takes} Else another identity is used than you expect."
        return replace(check, advice=advice, remedies=(), facts=facts)
    remedies = (verdict.command,) if verdict.command else ()
    return replace(check, advice=f"{verdict.change} {verdict.takes}{perhaps}", remedies=remedies, facts=facts)
