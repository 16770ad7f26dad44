"""Access as a person reads it: tables and sentences. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from safekv.access import Difference, Loss, PermissionModel, RoleAssignment, VaultAccess, Verdict
from safekv.access._names import COLLECTIONS, in_order

_MODELS = {
    PermissionModel.POLICIES: "access policies decide (enableRbacAuthorization: false)",
    PermissionModel.RBAC: "roles decide (enableRbacAuthorization: true)",
}
_MOST_UNKNOWN = 20


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Lines in columns; the last one is as wide as it is."""
    listed = [tuple(map(clean, row)) for row in rows]
    widths = [max(len(row[column]) for row in (tuple(heads), *listed)) for column in range(len(heads))]
    for row in (tuple(heads), *listed):
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


def access_lines(present: VaultAccess) -> Iterator[str]:
    """``safekv access show``."""
    yield f"{present.name}: {_MODELS[present.model]}"
    yield f"  {present.resource_id}"
    kept = "off" if present.soft_delete_days is None else f"{present.soft_delete_days} days"
    yield f"  firewall: {present.firewall}"
    yield f"  soft delete: {kept}, purge protection: {'on' if present.purge_protection else 'off'}"
    if present.enabled_for:
        yield f"  also enabled for: {', '.join(present.enabled_for)}"
    if present.state and present.state != "Succeeded":
        yield f"  state: {present.state}"
    yield ""
    yield from _policy_lines(present)
    yield from _role_lines(present)


def _policy_lines(present: VaultAccess) -> Iterator[str]:
    listed = present.by_identity()
    idle = " (without effect: roles decide)" if present.model is PermissionModel.RBAC and listed else ""
    yield f"{counted(len(listed), 'access policy', 'access policies')}{idle}"
    if listed:
        kinds = [kind for kind in COLLECTIONS if any(each.words(kind) for each in listed.values())]
        rows = (
            (str(identity), *(" ".join(in_order(kind, words.words(kind))) or "-" for kind in kinds))
            for identity, words in listed.items()
        )
        yield from (f"  {line}" for line in table(("identity", *kinds), rows))


def _role_lines(present: VaultAccess) -> Iterator[str]:
    yield ""
    if present.assignments is None:
        yield f"role assignments: not read, {present.unread or 'nobody asked for them'}"
        return
    idle = " (without effect inside the vault: access policies decide)"
    number = counted(len(present.assignments), "role assignment", "role assignments")
    yield number + (idle if present.assignments and present.model is PermissionModel.POLICIES else "")
    if present.assignments:
        rows = [_role_row(each, present.resource_id) for each in present.assignments]
        yield from (f"  {line}" for line in table(("principal", "type", "role", "scope"), rows))


def _role_row(each: RoleAssignment, resource_id: str) -> tuple[str, ...]:
    scope = each.scope or "/"
    if scope.lower().startswith(resource_id.lower()):
        scope = f"the vault{scope[len(resource_id) :]}"
    return each.principal_id, each.principal_type or "?", each.role.name, scope + (" (if)" if each.condition else "")


def difference_lines(found: Difference) -> Iterator[str]:
    """``safekv access diff``."""
    for sign, losses, verb in (("-", found.lost, "loses"), ("+", found.gained, "gains")):
        for loss in losses:
            yield f"{sign} {loss.identity} {verb} {_what(loss)}"
    for each in found.roles_lost:
        yield f"- {each.principal_id} loses what the role {each.role.name} allows"
    if found.unknown:
        yield f"? {counted(len(found.unknown), 'thing is', 'things are')} not known before the deployment:"
        yield from (f"    {each}" for each in found.unknown[:_MOST_UNKNOWN])
    yield from (f"! {note}" for note in found.notes)
    losers = len({each.identity for each in found.lost}) + len(found.roles_lost)
    kept = f"{counted(found.kept, 'identity keeps', 'identities keep')} all"
    yield f"{found.vault}: {counted(losers, 'identity loses', 'identities lose')} access, {kept}."


def _what(loss: Loss) -> str:
    return f"everything ({loss.permissions})" if loss.whole else str(loss.permissions)


def verdict_lines(found: Verdict) -> Iterator[str]:
    """``safekv access check``."""
    what = found.operation + (f" of {found.name}" if found.name else "")
    may = "may" if found.allowed else "may not"
    yield f"{found.identity} {may} {what} in {found.vault}. It needs {found.need}."
    yield from (f"  allowed by {each}" for each in found.by)
    yield from (f"  unless by {each}" for each in found.perhaps)
    if found.change:
        yield f"  {found.change}"
        yield f"  $ {found.command}"
        yield f"  {found.takes}"
    yield from (f"  {note}" for note in found.notes)


def counted(number: int, one: str, several: str) -> str:
    """``1 identity``, ``2 identities``."""
    return f"{number} {one if number == 1 else several}"


def clean(text: str) -> str:
    """What comes from elsewhere goes to a terminal, on one line: no control characters."""
    return "".join(each if each.isprintable() else "?" for each in text.replace("\r\n", " ").replace("\n", " "))
