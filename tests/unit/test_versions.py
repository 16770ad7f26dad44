"""Azure packages that are too old are refused by name, before anything of them is used."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from safekv._versions import FLOORS, require
from safekv.errors import UnsupportedVersion


@pytest.mark.parametrize(
    "version", ["4.11.3", "4.11.4", "4.12.0", "4.11.3b1", "4.11.10", "5", "5.0", "10.0.0", "4.12.0rc1"]
)
def test_new_enough(version: str) -> None:
    require("azure-keyvault-secrets", version)


@pytest.mark.parametrize("version", ["4.11.2", "4.10.0", "4.9", "4.11", "3.99.99", "4", "4.11.2.post9", "0"])
def test_too_old(version: str) -> None:
    with pytest.raises(UnsupportedVersion) as caught:
        require("azure-keyvault-secrets", version)
    assert isinstance(caught.value, ImportError)
    text = str(caught.value)
    assert f"azure-keyvault-secrets {version} is installed" in text
    assert "needs 4.11.3 or newer" in text
    assert "pip install -U 'azure-keyvault-secrets>=4.11.3'" in text


def test_the_floors_are_those_of_the_package() -> None:
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8")
    for package, floor in FLOORS.items():
        (declared,) = re.findall(rf'"{package}>=([0-9.]+)"', project)
        assert floor == declared or floor == f"{declared}.0"


def run(program: str) -> str:
    """What a program says that imports a door of ours on a package that is too old."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    return done.stderr


@pytest.mark.parametrize("door", ["safekv.secrets", "safekv.secrets.aio"])
def test_the_secrets_are_refused_at_import(door: str) -> None:
    text = run(f"import azure.keyvault.secrets as a; a.__version__ = '4.10.0'; import {door}")
    assert "UnsupportedVersion: azure-keyvault-secrets 4.10.0 is installed; safekv needs 4.11.3" in text


@pytest.mark.parametrize("door", ["safekv.identity", "safekv.identity.aio"])
def test_the_identities_are_refused_at_import(door: str) -> None:
    text = run(f"import azure.identity as a; a.__version__ = '1.8.0'; import {door}")
    assert "UnsupportedVersion: azure-identity 1.8.0 is installed; safekv needs 1.25" in text


def test_an_old_package_that_lacks_a_newer_name() -> None:
    text = run("import azure.keyvault.secrets as a; a.__version__ = '4.10.0'; del a.ContentType; import safekv.secrets")
    assert "UnsupportedVersion: azure-keyvault-secrets 4.10.0" in text
