"""The four ways to show what was found."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("libcst")

from safekv.migrate import FORMATS, RULES, Finding, Report, examine
from safekv.migrate._examine import decoded

APP = """\
from azure.keyvault.secrets import SecretClient, _x
client = SecretClient("url", verify_challenge_resource=False)
"""


@pytest.fixture
def report() -> Report:
    files = [examine(APP, "app/ä b.py"), examine("azure-identity>=1.5\n", "requirements.txt")]
    return Report(files, ["notes.ipynb"], version="1.2.3")


def test_text(report: Report) -> None:
    text = FORMATS["text"](report)
    assert "-from azure.keyvault.secrets import SecretClient, _x\n+from safekv.secrets import SecretClient\n" in text
    assert "app/ä b.py:2:56: SKV201 verify_challenge_resource=False\n    why: Without" in text
    assert "1 file would change, 2 findings, 1 note." in text
    assert "Notebooks are not read: notes.ipynb." in text


def test_json(report: Report) -> None:
    said = json.loads(FORMATS["json"](report))
    assert [file["path"] for file in said["files"]] == ["app/ä b.py", "requirements.txt"]
    assert [file["changed"] for file in said["files"]] == [True, False]
    assert [(each["rule"], each["line"], each["level"]) for each in said["findings"]] == [
        ("SKV002", 1, "note"),
        ("SKV201", 2, "warning"),
        ("SKV301", 1, "warning"),
    ]
    assert all(each["why"] and each["fix"] and each["guide"] for each in said["findings"])
    assert said["notebooks_not_read"] == ["notes.ipynb"]
    assert not said["clean"]


@pytest.mark.parametrize("form", FORMATS)
def test_a_finding_may_have_a_fix_of_its_own(form: str) -> None:
    index = "@app.route('/')\ndef index():\n    with SecretClient('url', None) as client: client.get_secret('a')\n"
    said = FORMATS[form](Report([examine(f"from safekv.secrets import SecretClient\n{index}", "a.py")]))
    assert "Do not close it after each call: the last one" in said
    if form != "sarif":  # which has all rules
        assert "Import it from safekv" not in said


def test_github(report: Report) -> None:
    lines = FORMATS["github"](report).splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("::notice file=app/ä b.py,line=1,col=1,title=SKV001::")
    assert any(line.startswith("::warning file=requirements.txt,line=1,col=1,title=SKV301::") for line in lines)


def test_github_is_told_nothing_by_names() -> None:
    odd = Report([examine("azure = (\n", "a,b:c\n::set-output name=x::%.py")])
    (line,) = FORMATS["github"](odd).splitlines()
    assert line.startswith("::warning file=a%2Cb%3Ac%0A%3A%3Aset-output name=x%3A%3A%25.py,line=1,")


def test_sarif_has_what_the_schema_requires(report: Report) -> None:
    """The required properties of SARIF 2.1.0, section by section."""
    log = json.loads(FORMATS["sarif"](report))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "safekv migrate"
    assert driver["semanticVersion"] == "1.2.3"
    assert [rule["id"] for rule in driver["rules"]] == list(RULES)
    for rule in driver["rules"]:
        assert rule["name"].isalnum()
        assert rule["shortDescription"]["text"]
        assert rule["help"]["text"]
        assert rule["helpUri"].startswith("https://")
        assert rule["defaultConfiguration"]["level"] in {"none", "note", "warning", "error"}
    assert run["columnKind"] in {"utf16CodeUnits", "unicodeCodePoints"}
    assert [result["ruleId"] for result in run["results"]] == ["SKV001", "SKV002", "SKV201", "SKV301"]
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"note", "warning"}
        assert result["message"]["text"]
        place = result["locations"][0]["physicalLocation"]
        assert place["region"]["startLine"] >= 1
        assert place["region"]["startColumn"] >= 1
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "app/%C3%A4%20b.py"


def test_a_diff_can_be_applied(tmp_path: Path) -> None:
    for newline, end in (("\n", "\n"), ("\r\n", "")):
        old = f"import os\n\n{APP}x = '\x0c'".replace("\n", newline) + end
        done = examine(old, "app.py")
        (tmp_path / "app.py").write_bytes(old.encode())
        (tmp_path / "a.diff").write_bytes(FORMATS["text"](Report([done])).partition("\napp.py:")[0].encode())
        subprocess.run(["git", "apply", "a.diff"], cwd=tmp_path, check=True, capture_output=True)
        assert (tmp_path / "app.py").read_bytes() == done.new.encode()


def test_findings_are_about_the_text_that_there_is() -> None:
    before, after = examine(APP, "a.py"), examine(APP, "a.py", write=True)
    assert [(finding.rule, finding.line) for finding in before.findings] == [("SKV002", 1), ("SKV201", 2)]
    assert [(finding.rule, finding.line) for finding in after.findings] == [("SKV002", 2), ("SKV201", 3)]


@pytest.mark.parametrize(
    "text",
    [
        "azure = (\n",
        "azure\0",
        "print 'azure'\n",
        "azure = " + "(" * 2000 + ")" * 2000,
        "azure = " + "+".join("x" * 1500),
    ],
)
def test_what_cannot_be_parsed_is_a_finding(text: str) -> None:
    done = examine(text, "a.py")
    assert not done.changed
    assert [finding.rule for finding in done.findings] == ["SKV009"]


def test_notes_do_not_make_a_check_fail() -> None:
    assert Report([examine("from azure.keyvault.secrets import _x\n", "a.py")]).clean
    assert not Report([examine("from azure.identity import AzureCliCredential\n", "a.py")]).clean
    assert not Report([examine("azure-identity==1.0\n", "requirements.txt")]).clean
    assert Finding("a", 1, 1, "SKV101", "m") < Finding("a", 2, 1, "SKV001", "m")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("# ä\n".encode(), "# ä\n"),
        (b"\xef\xbb\xbf# a\r\n", "# a\r\n"),
        ("# coding: latin-1\n# ä\n".encode("latin-1"), "# coding: latin-1\n# ä\n"),
    ],
)
def test_encodings_come_back(data: bytes, text: str) -> None:
    read, back = decoded(data, "a.py")
    assert read == text
    assert back(read) == data


def test_a_wrong_encoding_is_said() -> None:
    with pytest.raises(SyntaxError):
        decoded(b"# \xe4\n", "a.py")
    with pytest.raises(SyntaxError):
        decoded(b"# coding: no-such\n", "a.py")
    assert decoded("azure-identity==1\n".encode("utf-16"), "requirements.txt")[0].startswith("azure")
