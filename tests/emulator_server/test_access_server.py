"""``safekv access`` and ``safekv doctor`` against the emulator's control plane, over sockets, as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from safekv._clock import VirtualClock
from safekv.emulator import Emulator, EmulatorServer, EmulatorSettings

pytest.importorskip("azure.mgmt.keyvault")
pytest.importorskip("azure.mgmt.authorization")
pytestmark = pytest.mark.sockets

DATA = Path(__file__).parents[1] / "unit" / "access" / "data"


@pytest.fixture
def server() -> Iterator[EmulatorServer]:
    """One that enforces, and whose only identity owns the subscription, which lets it read nothing."""
    emulator = Emulator(clock=VirtualClock(running=True), settings=EmulatorSettings(enforce=True))
    with EmulatorServer(emulator=emulator) as running:
        yield running


def run(server: EmulatorServer, *arguments: Any) -> tuple[int, str]:
    """A process of its own, as the process's one credential is of the first environment that it sees."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "IDENTITY_", "MSI_"))}
    environment = {**kept, **server.environment(), "AZURE_SUBSCRIPTION_ID": server.emulator.settings.subscription}
    command = [sys.executable, "-m", "safekv", *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_the_doctor_advises_the_exact_change(server: EmulatorServer) -> None:
    (vault,) = server.emulator.vaults.values()
    owner = server.emulator.directory.default.oid
    code, output = run(server, "doctor", "--secret", "db", "--json")
    examined = json.loads(output)
    checks = {each["name"]: each for each in examined["checks"]}
    assert (code, examined["first"]) == (2, "get")
    assert (checks["get"]["state"], checks["access"]["state"]) == ("failed", "ok")
    (command,) = checks["get"]["remedies"]
    assert command == f"az keyvault set-policy --name {vault.name} --object-id {owner} --secret-permissions get"
    assert "within seconds" in checks["get"]["advice"]


def test_a_pipeline_stops_and_goes_on_with_the_merged_template(server: EmulatorServer, tmp_path: Path) -> None:
    (vault,) = server.emulator.vaults.values()
    text = (DATA / "three.bicep.json").read_text("utf-8").replace('"my-vault"', json.dumps(vault.name))
    (tmp_path / "main.json").write_text(text, "utf-8")
    for number in range(3, 7):
        vault.allow(f"00000000-0000-4000-8000-{number:012d}", {"secrets": ["get"]})
    code, output = run(server, "access", "diff", tmp_path / "main.json")  # of the vault that the template names
    assert (code, output.count("loses everything")) == (1, 3), output
    assert "3 identities lose access, 1 identity keeps all." in output
    assert run(server, "access", "merge", tmp_path / "main.json", "-o", tmp_path / "merged.json")[0] == 0
    assert run(server, "access", "diff", tmp_path / "merged.json")[0] == 0
