"""The Python in the README and in docs/ runs as it stands there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import pytest

from safekv._cache_settings import CacheSettings
from safekv._settings import Settings
from safekv.errors import MissingPackage
from safekv.testing import LocalKeyVault

HERE = Path(__file__).resolve().parents[2]
PAGES = [HERE / "README.md", *sorted((HERE / "docs").glob("**/*.md"))]
#: Packages of the examples that are not installed in every environment that runs the tests.
NOT_ALWAYS_THERE = (
    "azure.storage",
    "dask",
    "django",
    "fastapi",
    "flask",
    "libcst",
    "opentelemetry",
    "pandas",
    "pyarrow",
)
BLOCKS = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"^```python\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.M), 1)
]


@pytest.mark.parametrize("block", [block for block in BLOCKS if "def test_" in block.values[0]])
def test_an_example_of_tests_runs(block: str, pytester: pytest.Pytester) -> None:
    """Apart from the others: what is first imported in a test with ``pytester`` is forgotten after it."""
    pytester.makepyfile(block)
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=block.count("def test_"))


@pytest.mark.parametrize("block", [block for block in BLOCKS if "def test_" not in block.values[0]])
def test_an_example_runs(block: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if "pyspark" in block:
        pytest.skip("`nox -s spark` runs it")
    monkeypatch.chdir(tmp_path)
    with furnished(block) as local:
        monkeypatch.setenv("AZURE_KEY_VAULT_URL", local.url())
        missing = run(block)
    if missing:
        pytest.skip(missing)


@pytest.mark.parametrize("page", ["configuration.md", "monitoring.md"])
def test_a_page_can_be_followed_from_top_to_bottom(page: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In one vault and one directory, as somebody does who tries it."""
    text = (HERE / "docs" / page).read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    with furnished(text) as local:
        monkeypatch.setenv("AZURE_KEY_VAULT_URL", local.url("my-vault"))
        for block in re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.M):
            run(block)


@contextmanager
def furnished(text: str) -> Iterator[LocalKeyVault]:
    """Vaults with what the text takes for granted."""
    with LocalKeyVault() as local:
        for vault in ("local", "my-vault"):
            local.set_secret("db-password", "only for this test", vault=vault)
        for vault in ("my-vault", "my-other-vault") if "app-kek" in text else ():
            local.vault(vault).keys.create_rsa_key("app-kek", size=2048)
            local.vault(vault).keys.create_ec_key("ring-signer")
        if "my-hsm" in text:
            local.emulator.add_vault("my-hsm", hsm=True)
            local.vault("my-hsm").keys.create_oct_key("app", hardware_protected=True)
        yield local


def run(block: str) -> str | None:
    """Run a block; what is said of a package that it needs and that is not here."""
    try:
        exec(compile(block, "example", "exec", dont_inherit=True), {"__name__": "example"})
    except MissingPackage as missing:
        return missing.message
    except ModuleNotFoundError as missing:
        if not str(missing.name).startswith(NOT_ALWAYS_THERE):
            raise
        return f"needs {missing.name}"
    return None


def test_there_are_examples() -> None:
    assert len(BLOCKS) >= 8


def test_every_setting_is_on_its_page() -> None:
    page = (HERE / "docs" / "settings.md").read_text("utf-8")
    for kind, prefix in ((Settings, "SAFEKV_"), (CacheSettings, "SAFEKV_CACHE_")):
        for field in fields(kind):
            default = f"{field.default:g}" if isinstance(field.default, float | int) else field.default or "none"
            assert f"| `{field.name}` | `{prefix}{field.name.upper()}` | {default} |" in page


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
