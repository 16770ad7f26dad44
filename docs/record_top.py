"""Record ``docs/top.svg``: ``safekv top`` on a process that asks a throttled vault for more than it gives.

python docs/record_top.py
"""

from __future__ import annotations

import io
import os
import threading
import time
from pathlib import Path

from rich.console import Console

import safekv
from safekv._clock import VirtualClock
from safekv.cli.watching._rows import shown
from safekv.cli.watching._view import picture
from safekv.cli.watching._window import Late
from safekv.emulator import Emulator, EmulatorServer, EmulatorSettings, Limits
from safekv.observability._figures import Figures
from safekv.secrets import SecretClient

_PICTURE = Path(__file__).parent / "top.svg"
_SECONDS = 6.0
_WORKERS = 20
_HOST = "my-vault.vault.azure.net"


def record() -> Late:
    """What the process has counted after some seconds, over real sockets."""
    settings = EmulatorSettings(limits=Limits(other=60, window=2.0))
    emulator = Emulator(clock=VirtualClock(running=True), settings=settings)
    with EmulatorServer(emulator, vaults=["my-vault"]) as server:
        os.environ.update(server.environment())
        (vault,) = emulator.vaults.values()
        for number in range(_WORKERS):
            vault.set_secret(f"s{number}", "a value")
        figures = Figures()
        stop = safekv.subscribe(figures)
        with SecretClient(timeout=60) as client:
            document = _watched(client, figures)
        stop()
        host = server.vault_urls["my-vault"].removeprefix("https://")
    return Late(_SECONDS, _renamed(document["counts"], host), _renamed(document["now"], host))


def _watched(client: SecretClient, figures: Figures) -> dict[str, dict[str, object]]:
    ending = threading.Event()

    def work(number: int) -> None:
        while not ending.is_set():
            for max_age in (None, None, None, 0):  # three reads of four may come from the cache
                client.get_secret(f"s{number}", **({} if max_age is None else {"max_age": max_age}))

    workers = [threading.Thread(target=work, args=(number,)) for number in range(_WORKERS)]
    for worker in workers:
        worker.start()
    time.sleep(_SECONDS)
    document = figures.snapshot()
    ending.set()
    for worker in workers:
        worker.join()
    return document


def _renamed(counts: dict[str, object], host: str) -> dict[str, object]:
    """With the name that a vault would have, not the address of the emulator on this machine."""
    return {
        name: {_HOST if key == host else key: each for key, each in value.items()}
        for name, value in counts.items()
        if isinstance(value, dict)
    }


def main() -> None:
    console = Console(record=True, width=124, file=io.StringIO(), force_terminal=True)
    console.print(picture(shown(record()), "my-app (4711)"))
    _PICTURE.write_text(console.export_svg(title="safekv top", unique_id="top"), "utf-8")


if __name__ == "__main__":
    main()
