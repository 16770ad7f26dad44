"""``safekv demo``: one application, run with the SDK and with safekv with and without its cache, over TLS."""

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
SAID = f"{SETTINGS} settings loaded, 100 jobs done"
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
            runs = {
                "plain SDK": _run(plain, server),
                "safekv, no cache": _run(APP, server, SAFEKV_CACHE="off"),
                "safekv": _run(APP, server, SAFEKV_CACHE="on"),
            }
    console.print(_table(runs))
    for name, run in runs.items():
        if run.output != SAID:
            raise click.ClickException(f"with {name} the application said {run.output!r}")
    console.print(f"\nEach time: {SAID}. Next: [bold]safekv emulator[/] runs a vault for your own code.")


def _store_configuration(emulator: Emulator) -> None:
    (vault,) = emulator.vaults.values()
    for number in range(SETTINGS):
        vault.set_secret(f"app-setting-{number:02}", token_urlsafe(24), tags={"app": "demo"})


def _run(app: Path, server: EmulatorServer, **variables: str) -> Run:
    """Run the application in a process of its own, with nothing but environment variables for help."""
    journal, tokens, connections = server.emulator.journal, _total(server.identity.requests), server.connections
    journal.clear()
    started, cpu = time.monotonic(), _children_cpu()
    done = subprocess.run(
        [sys.executable, str(app)],
        env={**os.environ, **server.environment(), **variables},
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


def _table(runs: Mapping[str, Run]) -> Table:
    table = Table(
        title=f"{SETTINGS} settings read by 8 threads, then 100 jobs; a SecretClient constructed for each read"
    )
    table.add_column("what the vault saw")
    for name in runs:
        table.add_column(name, justify="right", style="bold green" if name == "safekv" else None)
    for label, figure in (
        ("requests", "requests"),
        ("… of which answered 401", "challenges"),
        ("token requests", "tokens"),
        ("TLS connections", "connections"),
    ):
        table.add_row(label, *(str(getattr(run, figure)) for run in runs.values()))
    table.add_section()
    table.add_row("CPU seconds of the application", *(f"{run.cpu:.2f}" for run in runs.values()))
    table.add_row("seconds, start to exit", *(f"{run.seconds:.2f}" for run in runs.values()))
    return table
