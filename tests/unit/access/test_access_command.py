"""``safekv access`` on files alone: no Azure, no extra."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from access_policies import DATA, oid, template, vault

pytest.importorskip("click")
from click.testing import CliRunner

from safekv.cli import main

PRESENT = ("--present", str(DATA / "twelve.json"))


@pytest.fixture(autouse=True)
def _no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("azure.mgmt", "azure.mgmt.keyvault", "azure.mgmt.authorization"):
        monkeypatch.setitem(sys.modules, name, None)  # type: ignore[arg-type]  # importing it fails
    for name in ("AZURE_SUBSCRIPTION_ID", "AZURE_KEY_VAULT_URL"):
        monkeypatch.delenv(name, raising=False)


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(main, ["access", *map(str, arguments)])


def test_everything_works_on_saved_files(tmp_path: Path) -> None:
    lost = run("diff", DATA / "three.bicep.json", *PRESENT)
    assert (lost.exit_code, lost.output.count(" loses ")) == (1, 9)
    merged = tmp_path / "merged.json"
    assert run("merge", DATA / "three.bicep.json", *PRESENT, "-o", merged).exit_code == 0
    kept = run("diff", merged, *PRESENT)
    assert (kept.exit_code, kept.output) == (0, "my-vault: 0 identities lose access, 12 identities keep all.\n")
    assert json.loads(run("merge", merged, *PRESENT).stdout)["languageVersion"] == "2.0"
    assert "12 access policies" in run("show", *PRESENT).output
    assert run("export", *PRESENT, "--format", "bicep", "--child").output.count("objectId") == 12
    assert run("check", *PRESENT, "--identity", oid(1), "--operation", "get_secret").exit_code == 0
    assert run("check", *PRESENT, "--identity", oid(1), "--operation", "set_secret").exit_code == 1


def test_asking_azure_without_the_extra_says_what_to_install() -> None:
    vault_id = json.loads((DATA / "twelve.json").read_text("utf-8"))["id"]
    failed = run("show", vault_id)
    assert failed.exit_code == 2
    assert "pip install 'safekv[management]'" in failed.output


def test_unknown_things_are_shown_and_may_be_allowed(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(template(vault(accessPolicies="[parameters('p')]"), parameters={"p": {}}).text)
    found = run("diff", tmp_path / "t.json", *PRESENT)
    assert "? 1 thing is not known before the deployment:\n    [parameters('p')]: " in found.output
    refused = run("merge", tmp_path / "t.json", *PRESENT)
    assert refused.exit_code == 2
    assert "--allow-unknown" in refused.output
    allowed = run("merge", tmp_path / "t.json", *PRESENT, "--allow-unknown", "-o", tmp_path / "m.json")
    assert allowed.exit_code == 0
    assert "not known: [parameters('p')]" in allowed.output
    assert run("diff", tmp_path / "m.json", *PRESENT).exit_code == 1
    assert run("diff", tmp_path / "m.json", *PRESENT, "--allow-unknown").exit_code == 0


def test_files_that_are_not_there_end_it_with_two(tmp_path: Path) -> None:
    for arguments in (("diff", tmp_path / "no.json", *PRESENT), ("show", "--present", tmp_path / "no.json")):
        failed = run(*arguments)
        assert failed.exit_code == 2
        assert "no.json: No such file or directory" in failed.output
    unwritable = run("export", *PRESENT, "-o", tmp_path / "no" / "such" / "folder.json")
    assert unwritable.exit_code == 2


def test_what_azure_says_is_shown_without_control_characters(tmp_path: Path) -> None:
    saved = json.loads((DATA / "twelve.json").read_text("utf-8"))
    role = {"id": "r", "name": "evil\x1b[2Jrole", "dataActions": []}
    saved["roleAssignments"] = [{"principalId": oid(1), "scope": saved["id"], "role": role}]
    (tmp_path / "saved.json").write_text(json.dumps(saved))
    shown = run("show", "--present", tmp_path / "saved.json").output
    assert "evil?[2Jrole" in shown
    assert "the vault" in shown


def test_a_name_is_no_object_id() -> None:
    """Else the answer would be that it has no access, with a command that Azure refuses."""
    done = run("check", *PRESENT, "--identity", "bob@example.com", "--operation", "get_secret")
    assert done.exit_code == 2
    assert "az ad user show --id MAIL" in done.output


def test_neither_are_they_in_a_verdict_and_a_difference(tmp_path: Path) -> None:
    saved = json.loads((DATA / "twelve.json").read_text("utf-8"))
    saved["properties"] |= {"enableRbacAuthorization": True, "accessPolicies": []}
    action = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
    role = {"id": "r", "name": "evil\x1b[2Jrole", "dataActions": [action]}
    saved["roleAssignments"] = [{"principalId": oid(1), "scope": saved["id"], "role": role}]
    (tmp_path / "saved.json").write_text(json.dumps(saved))
    policies = template({**vault(enableRbacAuthorization=False), "name": saved["name"]}).text
    (tmp_path / "t.json").write_text(policies)
    held = ("--present", tmp_path / "saved.json")
    asked = ("--identity", oid(1), "--operation", "get_secret")
    for found in (run("check", *held, *asked), run("diff", tmp_path / "t.json", *held)):
        assert "evil?[2Jrole" in found.output
        assert "\x1b" not in found.output
