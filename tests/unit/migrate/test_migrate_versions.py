"""Minimum versions in the files that declare dependencies."""

from __future__ import annotations

from textwrap import dedent

import pytest

pytest.importorskip("libcst")

from safekv._versions import FLOORS
from safekv.migrate._checks.versions import check, is_requirements, too_old

SECRETS = FLOORS["azure-keyvault-secrets"]


@pytest.mark.parametrize(
    ("spec", "bad"),
    [
        (">=4.7.0", True),
        ("==4.11.2", True),
        ("~=4.7", True),
        ("==4.*", True),
        (">=4,<5", True),
        ("<4.9", True),
        (f"<{SECRETS}", True),
        (f">={SECRETS}", False),
        (f">={SECRETS},<5", False),
        ("==4.12.1", False),
        (">=5", False),
        ("", False),
        ("<5", False),
        ("!=4.8.0", False),
        (f"<={SECRETS}", False),
        (">=4.7,>=4.11.3", False),
        (">=4.12", False),
    ],
)
def test_bounds(spec: str, bad: bool) -> None:
    assert bool(too_old("azure_keyvault.Secrets", spec)) == bad


def test_a_shorter_version_is_the_same_version() -> None:
    assert too_old("azure-identity", "~=1.25") is None
    assert too_old("azure-identity", "<=1.25") is None


@pytest.mark.parametrize(
    ("spec", "bad"), [("^4.7", True), ("4.8.0", True), ("~4.7", True), ("*", False), ("^4.12", False)]
)
def test_bounds_of_poetry(spec: str, bad: bool) -> None:
    assert bool(too_old("azure-keyvault-secrets", spec, bare=True)) == bad


def found(path: str, text: str) -> list[tuple[int, int]]:
    assert is_requirements(path)
    return [(finding.line, finding.column) for finding in check(dedent(text), path)]


def test_requirements_files() -> None:
    text = """\
        # azure-identity==1.5
        azure-identity==1.5.0 ; python_version >= "3.8"  # old
        azure_keyvault_secrets[extra] >= 4.2
        azure-keyvault-keys>=4.12
        azure-keyvault-secrets==4.1  # safekv: ignore[SKV301]
          azure-identity == 1.10.0 \\
            --hash=sha256:00
        azure-identity-broker==1.0
        my-azure-identity==1.0
        azure-identity @ https://example.com/azure_identity-1.5.0.zip
        requests>=2
    """
    assert found("requirements/base.txt", text) == [(2, 1), (3, 1), (6, 3)]
    assert found("constraints-dev.txt", "azure-identity<1.20\n") == [(1, 1)]


def test_the_first_generation_is_told_apart() -> None:
    text = "azure-keyvault==1.1.0\nazure-keyvault>=4.2\nazure-keyvault\nAzure_KeyVault<2\nazure-identity==1.5\n"
    said = [(finding.line, finding.rule) for finding in check(text, "requirements.txt")]
    assert said == [(1, "SKV005"), (4, "SKV005"), (5, "SKV301")]
    poetry = '[tool.poetry.dependencies]\nazure-keyvault = "^1.1"\n'
    assert [finding.rule for finding in check(poetry, "pyproject.toml")] == ["SKV005"]
    assert [finding.rule for finding in check('DEPS = ["azure-keyvault~=1.1"]\n', "setup.py")] == ["SKV005"]


def test_pyproject() -> None:
    text = """\
        [project]
        keywords = ["azure-identity", "azure-keyvault-secrets"]
        dependencies = ["requests", "azure-identity>=1.10", 'azure-keyvault-keys >= 4.12']
        [project.optional-dependencies]
        azure = [
            # "azure-identity>=1.1",
            "azure-keyvault-certificates~=4.7",
            "azure-keyvault-secrets>=4.1", # safekv: ignore[SKV301]
        ]
        [dependency-groups]
        dev = ["azure-identity==1.2"]
        [tool.poetry.dependencies]
        azure-identity = "^1.10"
        azure-keyvault-secrets = { version = "^4.7", optional = true }
        azure-keyvault-keys = "^4.12"
        [tool.poetry.group.dev.dependencies]
        "azure-identity" = "1.2.0"
        [tool.other]
        ignore = ["azure-identity>=1.1"]
        azure-identity = "1.1"
    """
    assert found("pyproject.toml", text) == [(3, 30), (7, 6), (11, 9), (13, 1), (14, 1), (17, 2)]


def test_setup_files() -> None:
    cfg = """\
        [options]
        install_requires = azure-identity>=1.4
            requests
            azure-keyvault-keys>=4.1
    """
    assert found("setup.cfg", cfg) == [(2, 20), (4, 5)]
    py = """\
        from setuptools import setup
        DEPS = ["azure-identity>=1.4",
                "azure-keyvault-keys>=4.1"]  # safekv: ignore[SKV301]
        setup(name="x", install_requires=DEPS, url="https://example.com/azure-identity")
    """
    assert found("setup.py", py) == [(2, 9)]
    assert found("Pipfile", '[packages]\nazure-identity = "==1.5"\n') == [(2, 1)]


def test_other_files_are_no_requirements() -> None:
    for name in ("README.txt", "app.py", "requirements.md", "poetry.lock", "requirements"):
        assert not is_requirements(name)
