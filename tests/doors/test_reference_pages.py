"""The pages and pictures that are made of the code are what the code says now."""

from __future__ import annotations

import importlib
import importlib.util
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import safekv.cache
import safekv.errors
import safekv.events
from safekv._events import Event
from safekv._versions import FLOORS
from safekv.cache._entry import State

pytest.importorskip("click", reason="the page of commands is made of the commands")

DOCS = Path(__file__).resolve().parents[2] / "docs"


def script(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    try:
        written: dict[str, str] = script("generate_reference").pages()
    except ModuleNotFoundError as missing:
        pytest.skip(f"a command needs {missing.name}")
    return written


@pytest.mark.parametrize("name", ["commands.md", "events.md", "errors.md"])
def test_the_committed_page_is_the_generated_one(pages: dict[str, str], name: str) -> None:
    committed = (DOCS / "reference" / name).read_text("utf-8")
    assert committed == pages[name], "run: python docs/generate_reference.py"


def test_every_command_and_option_is_there(pages: dict[str, str]) -> None:
    from safekv.cli import main
    from safekv.cli._group import COMMANDS

    for name in COMMANDS:
        command = main.get_command(None, name)  # type: ignore[arg-type,attr-defined]
        section = pages["commands.md"].split(f"\n## safekv {name}\n")[1].split("\n## ")[0]
        for parameter in command.params:
            for option in parameter.opts if parameter.param_type_name == "option" else ():
                assert f"`{option}`" in section


def test_what_is_marked_in_a_commands_help_is_not_marked_again(pages: dict[str, str]) -> None:
    assert "`safekv access export --format json`" in pages["commands.md"]


def test_every_event_with_every_field_is_there(pages: dict[str, str]) -> None:
    told = [getattr(module, name) for module in (safekv.events, safekv.cache) for name in module.__all__]
    events = [each for each in told if isinstance(each, type) and issubclass(each, Event)]
    concrete = [each for each in events if not any(issubclass(other, each) and other is not each for other in events)]
    assert len(concrete) >= 10
    for kind in concrete:
        section = pages["events.md"].split(f"### {kind.__name__}\n")[1].split("\n#")[0]
        for field in fields(kind):
            assert f"| `{field.name}` |" in section


def test_every_error_is_there(pages: dict[str, str]) -> None:
    for name in (*safekv.errors.__all__, "InvalidRing", "DecryptionFailed"):
        assert re.search(rf"^\| `{name}` \|", pages["errors.md"], re.M), name


@pytest.mark.parametrize("name", ["architecture.svg", "cache-states.svg"])
def test_the_committed_picture_is_the_drawn_one(name: str) -> None:
    committed = (DOCS / "explanation" / name).read_text("utf-8")
    assert committed == script("draw_pictures").pictures()[name], "run: python docs/draw_pictures.py"


def test_every_state_of_the_cache_is_in_its_picture_and_on_its_page() -> None:
    drawn = (DOCS / "explanation" / "cache-states.svg").read_text("utf-8")
    page = (DOCS / "explanation" / "cache-states.md").read_text("utf-8")
    for state in State:
        assert f">{state.name}<" in drawn
        assert f"| {state.name} |" in page


def test_the_versions_that_are_refused_are_on_the_page_of_compatibility() -> None:
    page = (DOCS / "reference" / "compatibility.md").read_text("utf-8")
    for package, floor in FLOORS.items():
        assert f"| {package} | {floor} or newer |" in page


def test_every_public_name_of_safekvs_own_is_on_a_page() -> None:
    """Names are those that docs/stability.md promises; ``.aio`` has the same ones to await."""
    pytest.importorskip("azure.keyvault.administration")
    pages = "\n".join(path.read_text("utf-8") for path in sorted((DOCS / "reference" / "api").glob("*.md")))
    shown = set(re.findall(r"^::: ([\w.]+)", pages, re.M))
    tables = [(DOCS / "reference" / name).read_text("utf-8") for name in ("errors.md", "events.md")]
    listed = set(re.findall(r"^(?:\| `(\w+)` \||### (\w+)$)", "\n".join(tables), re.M))
    told = {name for pair in listed for name in pair}
    missing = []
    for line in (DOCS / "reference" / "public-names.txt").read_text("utf-8").splitlines():
        module, name = line.split(":")
        if module.endswith(".aio") or module in _ELSEWHERE or name.startswith("_") or name in _sdks(module):
            continue
        home = _HOMES.get(module, module)
        if not {module, f"{module}.{name}", f"{home}.{name}"} & shown and name not in told | _BASES:
            missing.append(f"{module}.{name}")
    assert not missing, "give each a line `::: NAME` on a page in docs/reference/api"


#: Where a page names what several modules have.
_HOMES = {
    "safekv.config": "safekv",
    "safekv.vault": "safekv",
    "safekv.observability.logging": "safekv.observability",
    "safekv.observability.otel": "safekv.observability",
}
#: The awaited twin of ``safekv``, and credentials, which are azure-identity's but for their sharing.
_ELSEWHERE = ("safekv.aio", "safekv.identity")
#: What has no entry of its own: the base of all events; a class that signatures name.
_BASES = {"Event", "CacheEvent", "Reference", "SettingsSource"}


def _sdks(module: str) -> set[str]:
    """The names that a drop-in takes over as they are."""
    try:
        sdk = importlib.import_module(f"azure.keyvault.{module.removeprefix('safekv.')}")
    except ModuleNotFoundError:
        return set()
    return {name for name in sdk.__all__ if not name.endswith("Client")}
