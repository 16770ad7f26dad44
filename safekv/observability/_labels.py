"""Labels that cannot grow without bound, whatever an application does."""

from __future__ import annotations

#: What stands for all that is too many.
OTHER = "_OTHER"
#: Vaults that are told apart.
MOST_VAULTS = 200
#: Other texts that are told apart: operations (there are 79, and HTTP methods), errors, credentials, lanes.
MOST_NAMES = 200


def server(vault: str) -> dict[str, str | int]:
    """A vault as OpenTelemetry names servers. A port is said where it is not that of HTTPS (an emulator's)."""
    host, _, port = vault.rpartition(":") if vault.rpartition(":")[2].isdigit() else (vault, "", "")
    return {"server.address": host, "server.port": int(port)} if port else {"server.address": vault}


class Bounded:
    """The first texts as they are, and ``_OTHER`` for the rest."""

    def __init__(self, most: int = MOST_NAMES) -> None:
        self._most = most
        self._known: set[str] = set()

    def __call__(self, text: str) -> str:
        if text in self._known:
            return text
        if len(self._known) >= self._most:
            return OTHER
        self._known.add(text)
        return text


class Labels:
    """One of each kind, for one observer."""

    def __init__(self) -> None:
        self.vault = Bounded(MOST_VAULTS)
        self.operation = Bounded()
        self.error = Bounded()
        self.name = Bounded()
