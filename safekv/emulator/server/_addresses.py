"""Where the server listens: a vault where it was in an earlier run, as far as that can be had.

What was made on the emulator may name a vault by its address: a key ring has the ids of keys in it.
"""

from __future__ import annotations

import socket
from collections.abc import MutableMapping

from safekv.emulator.server._listener import bind


class Addresses:
    """Gives out listening sockets, each with the authority under which clients find it.

    :param first: the port of the first one; the next ones follow. 0: any free ones.
    :param kept: ports by the vaults' names, from an earlier run and for the next one. ``first`` goes before them. One
        that is taken stays in here, to be tried again the next time.
    :ivar moved: the former authorities of vaults that are elsewhere now.
    """

    def __init__(self, host: str, first: int, kept: MutableMapping[str, int]) -> None:
        self.moved: dict[str, str] = {}
        self._host = host
        self._chosen = bool(first)
        self._next = first
        self._kept = kept
        self._before = dict(kept)
        # All at once, before a port that is chosen by chance can be one of them.
        self._reserved = {} if first else {name: self._reserve(port) for name, port in kept.items()}

    def for_vault(self, name: str) -> tuple[socket.socket, str]:
        known = name.lower()
        listening = self._reserved.pop(known, None) or self._bind()
        port = listening.getsockname()[1]
        before = self._before.pop(known, port)
        if before != port:
            self.moved[name] = _authority(self._host, before)
        if before == port or self._chosen:
            self._kept[known] = port
        return listening, _authority(self._host, port)

    def another(self) -> tuple[socket.socket, str]:
        """For what is no vault."""
        listening = self._bind()
        return listening, _authority(self._host, listening.getsockname()[1])

    def close(self) -> None:
        """Give back what no vault has asked for; from now on every vault is a new one."""
        for listening in self._reserved.values():
            if listening is not None:
                listening.close()
        self._reserved.clear()
        self._before.clear()

    def _reserve(self, port: int) -> socket.socket | None:
        try:
            return bind(self._host, port)
        except OSError:
            return None

    def _bind(self) -> socket.socket:
        listening = bind(self._host, self._next)
        self._next = listening.getsockname()[1] + 1 if self._next else 0
        return listening


def _authority(host: str, port: int) -> str:
    """Where clients on this machine find a port on ``host``."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
