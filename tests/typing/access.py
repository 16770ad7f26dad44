"""Typed code of a deployment script. Checked by mypy --strict, never run."""

from __future__ import annotations

from pathlib import Path

from typing_extensions import assert_type

from safekv import access


def before_a_deployment(main: Path) -> str:
    present = access.read("my-vault", subscription_id="id", timeout=20)
    assert_type(present, access.VaultAccess)
    found = access.diff(main, present, ["main.parameters.json", {"app": "id"}])
    assert_type(found, access.Difference)
    for loss in found.lost:
        assert_type(loss.identity, access.Identity)
        assert_type(loss.permissions.words("secrets"), frozenset[str])
    if found.is_safe(allow_unknown=False):
        return main.read_text()
    assert_type(found.unknown, tuple[access.Unresolved, ...])
    merged = access.merge(access.Template.load(main), present)
    assert_type(merged.changes, tuple[str, ...])
    return merged.text


def who_may(saved: str) -> str | None:
    present = access.load(saved)
    assert_type(present.model, access.PermissionModel)
    found = access.check(present, "oid", "get_secret", "db", groups=["group"])
    assert_type(found.allowed, bool)
    assert_type(access.export(present, "bicep", child=True), str)
    return found.command
