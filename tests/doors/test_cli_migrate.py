"""``safekv migrate`` over real files."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("libcst")

from click.testing import CliRunner, Result

from safekv.cli import _sources
from safekv.cli.migrate import command
from safekv.migrate import RULES

OLD = "from azure.identity import DefaultAzureCredential\nfrom azure.keyvault.secrets import SecretClient\n"
NEW = "from safekv.identity import DefaultAzureCredential\nfrom safekv.secrets import SecretClient\n"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "migrate.md"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with an application."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main.py").write_text(OLD)
    return tmp_path


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == code, result.output
    return result


def test_without_write_there_is_a_diff_and_nothing_changes(project: Path) -> None:
    said = run(".").output
    assert "--- a/app/main.py\n+++ b/app/main.py\n" in said
    assert "+from safekv.secrets import SecretClient" in said
    assert "1 file would change, 0 findings, 0 notes." in said
    assert (project / "app" / "main.py").read_text() == OLD


def test_write_changes_the_files_once(project: Path) -> None:
    assert "1 file changed" in run(".", "--write").output
    assert (project / "app" / "main.py").read_text() == NEW
    assert "0 files changed" in run(".", "--write").output
    run(".", "--check")


def test_check_fails_where_something_would_change_or_is_found(project: Path) -> None:
    run("app", "--check", code=1)
    (project / "app" / "main.py").write_text(NEW + "c = SecretClient('url', verify_challenge_resource=False)\n")
    run("app", "--check", code=1)
    run("app")
    (project / "app" / "main.py").write_text(NEW + "from azure.keyvault.secrets import _client\n")
    run("app", "--check")  # a note


@pytest.mark.parametrize(
    "data",
    [
        OLD.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + OLD.encode(),
        ("# -*- coding: latin-1 -*-\n# \xe4\n" + OLD).encode("latin-1"),
        OLD.rstrip("\n").encode(),
        b"\x0c# page\n" + OLD.encode() + b"x = '\\d'\n",
    ],
)
def test_newlines_encoding_and_mode_stay(project: Path, data: bytes) -> None:
    file = project / "app" / "main.py"
    file.write_bytes(data)
    file.chmod(0o750)
    run(".", "--write")
    expected = data.replace(b"azure.keyvault", b"safekv").replace(b"azure.identity", b"safekv.identity")
    assert file.read_bytes() == expected
    assert stat.S_IMODE(file.stat().st_mode) == 0o750
    assert [path.name for path in (project / "app").iterdir()] == ["main.py"]


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_a_link_stays_a_link(project: Path) -> None:
    (project / "link.py").symlink_to("app/main.py")
    run("link.py", "--write")
    assert (project / "link.py").is_symlink()
    assert (project / "app" / "main.py").read_text() == NEW


def test_a_file_that_somebody_changed_meanwhile_is_left_alone(project: Path) -> None:
    file = project / "app" / "main.py"
    with pytest.raises(OSError, match="changed by somebody else"):
        _sources.replace(file, b"what was read", b"new")
    assert file.read_text() == OLD
    assert [path.name for path in file.parent.iterdir()] == ["main.py"]


def test_other_peoples_code_is_left_out(project: Path) -> None:
    for folder in (".git", ".venv", "node_modules", "env", "legacy", "app/generated"):
        (project / folder).mkdir()
        (project / folder / "x.py").write_text(OLD)
    (project / "env" / "pyvenv.cfg").write_text("")
    (project / "notes.ipynb").write_text("{}")
    (project / "README.md").write_text(OLD)
    said = run(".", "--exclude", "legacy", "--exclude", "app/gen*", "--format", "json").output
    assert [file["path"] for file in json.loads(said)["files"]] == [os.path.join("app", "main.py")]
    assert json.loads(said)["notebooks_not_read"] == ["notes.ipynb"]
    named = run(".git/x.py", "README.md", "notes.ipynb", "app", "app/main.py", "--format", "json").output
    assert len(json.loads(named)["files"]) == 4  # what is named is taken, and once


def test_what_cannot_be_read_ends_nothing(project: Path) -> None:
    (project / "bad.py").write_text("from azure.identity import (\n")
    (project / "latin.py").write_bytes(b"# azure \xe4\n")
    (project / "large.py").write_bytes(b"#" * (_sources.LARGEST + 1))
    said = run(".", "--write", "--format", "json", code=1).output
    found = {finding["path"]: finding["rule"] for finding in json.loads(said)["findings"]}
    assert found == {"bad.py": "SKV009", "latin.py": "SKV009", "large.py": "SKV009"}
    assert (project / "app" / "main.py").read_text() == NEW
    run(".", "--check", code=1)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root writes everywhere")
def test_what_cannot_be_written_is_said(project: Path) -> None:
    (project / "app").chmod(0o500)
    said = run(".", "--write", code=1).output
    (project / "app").chmod(0o700)
    assert "main.py" in said


def test_tests_are_known_by_their_place_below_what_is_given(project: Path) -> None:
    text = NEW + "c = SecretClient('url', verify_challenge_resource=False)\n"
    for name in ("tests/helper.py", "test_app.py", "conftest.py", "app/main.py"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(text)
    for given in (".", str(project)):
        found = json.loads(run(given, "--format", "json").output)["findings"]
        assert [finding["path"] for finding in found] == [os.path.join("app", "main.py")]


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_formats_for_programs_are_json(project: Path, form: str) -> None:
    assert json.loads(run(".", "--format", form).output)


def test_a_requirements_file_is_looked_at_and_not_changed(project: Path) -> None:
    file = project / "requirements.txt"
    file.write_bytes("azure-identity==1.10\r\n".encode("utf-16"))
    before = file.read_bytes()
    assert "requirements.txt:1:1: SKV301" in run(".", "--write").output
    assert file.read_bytes() == before


def test_without_libcst_it_says_what_to_install(project: Path) -> None:
    code = "import sys; sys.modules['libcst'] = None; from safekv.cli import main; main(['migrate', '.'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "safekv migrate needs libcst." in done.stderr
    assert "pip install 'safekv[cli,migrate]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_needs_no_azure(project: Path) -> None:
    code = "import sys; from safekv.cli import main; main(['migrate', '.'], standalone_mode=False)"
    check = f"{code}\n".replace("main([", "\ntry: main([").replace("False)", "False)\nexcept SystemExit: pass")
    check += "assert not {'azure.keyvault', 'azure.identity', 'msal'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_every_rule_has_its_section_on_the_page() -> None:
    page = PAGE.read_text("utf-8")
    for rule in RULES.values():
        assert re.search(rf"^### {rule.id} {rule.name}$", page, re.MULTILINE), rule.id
