"""Two vaults in a process of their own, so that their memory and sockets are not counted as the clients'."""

from __future__ import annotations

import multiprocessing
from multiprocessing.connection import Connection
from typing import Any

VAULTS = ("one", "two")
KEK = "app-kek"


class Vaults:
    """The emulator behind a pipe."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        self.environment, self.urls = self._pipe.recv()

    def __call__(self, command: str, **arguments: Any) -> Any:
        self._pipe.send((command, arguments))
        return self._pipe.recv()

    def close(self) -> None:
        self._pipe.send(("stop", {}))
        self._process.join(10)
        self._pipe.close()


def _serve(pipe: Connection) -> None:
    from safekv.emulator import EmulatorServer, EmulatorTransport
    from safekv.keys import KeyClient
    from safekv.testing import LocalCredential

    with EmulatorServer(vaults=VAULTS) as server:
        transport, credential = EmulatorTransport(server.emulator), LocalCredential(server.emulator)
        for url in server.vault_urls.values():
            with KeyClient(url, credential, transport=transport) as client:
                client.create_rsa_key(KEK, size=2048)
        pipe.send((server.environment(), server.vault_urls))
        while True:
            command, arguments = pipe.recv()
            if command == "stop":
                return
            if command == "fail":
                server.emulator.fail(**arguments)
            elif command == "heal":
                server.emulator.clear_faults()
            statuses: dict[str, int] = {}
            if command == "journal":
                for entry in server.emulator.journal:
                    statuses[str(entry.status)] = statuses.get(str(entry.status), 0) + 1
                server.emulator.journal.clear()
            pipe.send(statuses)
