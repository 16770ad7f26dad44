"""``safekv demo``: one application, run with the SDK and with safekv, against the emulator over TLS."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe

import click
from rich.console import Console
from rich.table import Table

from safekv._clock import VirtualClock
from safekv.emulator import Emulator, EmulatorServer

APP = Path(__file__).with_name("demo_app.py")
OURS = "from safekv.secrets import SecretClient"
THEIRS = "from azure.keyvault.secrets import SecretClient"
SETTINGS = 50
TIMEOUT = 60.0  # seconds for one run of the application


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of the application cost, as the server and the operating system saw it."""

    output: str
    requests: int
    challenges: int
    tokens: int
    connections: int
    cpu: float
    seconds: float


@click.command("demo")
def command() -> None:
    """Run a small application against a Key Vault on this machine, with the SDK and with safekv."""
    console = Console()
    emulator = Emulator(clock=VirtualClock(running=True))
    with EmulatorServer(emulator, vaults=("demo",)) as server:
        _store_configuration(emulator)
        url = server.vault_urls["demo"]
        console.print(f"A Key Vault emulator listens on [bold]{url}[/] (TLS, verified). It holds {SETTINGS} secrets.")
        console.print(f"The application: {APP}")
        console.print(f"  [red]- {THEIRS}[/]\n  [green]+ {OURS}[/]\n")
        with tempfile.TemporaryDirectory(prefix="safekv-demo-") as directory:
            plain = Path(directory, "demo_app.py")
            plain.write_text(APP.read_text(encoding="utf-8").replace(OURS, THEIRS), encoding="utf-8")
            theirs = _run(plain, server)
            ours = _run(APP, server)
    console.print(_table(theirs, ours))
    for name, run in (("azure-keyvault-secrets", theirs), ("safekv", ours)):
        if run.output != f"{SETTINGS} settings loaded":
            raise click.ClickException(f"with {name} the application said {run.output!r}")
    console.print(
        f"\nBoth ways: {ours.output}. Next: [bold]safekv emulator --help[/] runs this vault for your own code."
    )


def _store_configuration(emulator: Emulator) -> None:
    (vault,) = emulator.vaults.values()
    for number in range(SETTINGS):
        vault.set_secret(f"app-setting-{number:02}", token_urlsafe(24), tags={"app": "demo"})


def _run(app: Path, server: EmulatorServer) -> Run:
    """Run the application in a process of its own, with nothing but environment variables for help."""
    journal, tokens, connections = server.emulator.journal, _total(server.identity.requests), server.connections
    journal.clear()
    started, cpu = time.monotonic(), _children_cpu()
    done = subprocess.run(
        [sys.executable, str(app)],
        env={**os.environ, **server.environment()},
        stdout=subprocess.PIPE,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    entries = list(journal)
    return Run(
        output=done.stdout.strip() if done.returncode == 0 else f"exit code {done.returncode}",
        requests=len(entries),
        challenges=sum(entry.status == 401 for entry in entries),
        tokens=_total(server.identity.requests) - tokens,
        connections=server.connections - connections,
        cpu=_children_cpu() - cpu,
        seconds=time.monotonic() - started,
    )


def _total(requests: Mapping[str, int]) -> int:
    return sum(requests.values())


def _children_cpu() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _table(theirs: Run, ours: Run) -> Table:
    table = Table(title=f"{SETTINGS} settings read by 8 threads, a SecretClient constructed for each")
    table.add_column("what the vault saw")
    table.add_column("plain SDK", justify="right")
    table.add_column("safekv", justify="right", style="bold green")
    for label, figure in (
        ("requests", "requests"),
        ("… of which answered 401", "challenges"),
        ("token requests", "tokens"),
        ("TLS connections", "connections"),
    ):
        table.add_row(label, str(getattr(theirs, figure)), str(getattr(ours, figure)))
    table.add_section()
    table.add_row("CPU seconds of the application", f"{theirs.cpu:.2f}", f"{ours.cpu:.2f}")
    table.add_row("seconds, start to exit", f"{theirs.seconds:.2f}", f"{ours.seconds:.2f}")
    return table
