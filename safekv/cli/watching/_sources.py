"""Whom ``safekv top`` can watch: processes that publish their numbers, and an emulator by its journal."""

from __future__ import annotations

import http.client
import json
import os
import time
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from safekv.cli.watching._window import Late, Look, Window, together
from safekv.connection.wire._tls import ssl_context
from safekv.errors import InvalidArgument
from safekv.observability import _directory
from safekv.observability._figures import Counts, add

#: Seconds that an emulator has to answer.
_PATIENCE = 5.0
#: What an emulator's journal is at most worth reading of, in bytes.
_MOST = 64 << 20


class Source(Protocol):
    """What is watched."""

    def look(self) -> None:
        """Look again. Sleep in between."""
        ...

    def late(self) -> Late: ...

    def title(self) -> str: ...


class Processes:
    """Processes of this user that have called ``safekv.observability.publish``, each or all together."""

    def __init__(self, directory: Path | None, pids: tuple[int, ...]) -> None:
        self._directory = directory or _directory.default_directory()
        self._pids = pids
        self._windows: dict[int, Window] = {}
        self._titles: dict[int, str] = {}

    def look(self) -> None:
        found = _directory.read(self._directory)
        if self._pids:
            found = {pid: found[pid] for pid in self._pids if pid in found}
        for gone in self._windows.keys() - found.keys():
            del self._windows[gone], self._titles[gone]
        for pid, document in found.items():
            look = Look(document["began"], document["time"], document["counts"], document["now"])
            self._windows.setdefault(pid, Window()).add(look)
            self._titles[pid] = str(document.get("title", ""))

    def late(self) -> Late:
        return together([window.late() for window in self._windows.values()])

    def title(self) -> str:
        if not self._titles:
            who, where = _silent(self._pids)
            return f"{who} numbers here: call safekv.observability.publish() in {where}"
        if len(self._titles) > 3:
            return f"{len(self._titles)} processes"
        return ", ".join(f"{title} ({pid})" for pid, title in sorted(self._titles.items()))

    def __len__(self) -> int:
        return len(self._titles)


def _silent(pids: tuple[int, ...]) -> tuple[str, str]:
    """That none of these publishes, and what stands for them afterwards."""
    if not pids:
        return "no process publishes", "it"
    if len(pids) == 1:
        return f"process {pids[0]} does not publish", "it"
    return f"processes {', '.join(map(str, pids))} do not publish", "them"


class Emulator:
    """A running ``safekv emulator``: what its journal says that it was asked.

    :param url: of any of its vaults.
    :raises InvalidArgument: if that is no HTTPS URL.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        if parts.scheme != "https" or not parts.hostname or parts.username:
            raise InvalidArgument(
                f"{parts.scheme}://{parts.hostname or ''} is not where an emulator listens.",
                hint="safekv top --emulator https://127.0.0.1:8443, or its variables in the environment.",
            )
        self._at = (parts.hostname, parts.port or 443)
        trusted = os.environ.get("SSL_CERT_FILE") or os.environ.get("REQUESTS_CA_BUNDLE")
        self._tls = ssl_context(trusted or None)
        self._names = _names()
        self._noted = 0
        self._began = 0.0
        self._counts: Counts = {}
        self._window = Window()

    def look(self) -> None:
        """:raises OSError: if it does not answer."""
        document = self._ask(f"/_emulator/journal?after={self._noted}")
        if document.get("noted", 0) < self._noted:  # another emulator, at the same place
            self._noted, self._began, self._counts = 0, 0.0, {}
            document = self._ask("/_emulator/journal")
        if "noted" not in document:
            raise OSError(f"{self.title()} is of another version")
        self._noted = document["noted"]
        for entry in document["journal"]:
            self._count(entry)
        now = time.time()
        self._began = self._began or now - self._age(document["journal"])
        self._window.add(Look(self._began, now, json.loads(json.dumps(self._counts)), {}))

    def late(self) -> Late:
        return self._window.late()

    def title(self) -> str:
        return f"emulator at {self._at[0]}:{self._at[1]}"

    def _age(self, entries: list[dict[str, Any]]) -> float:
        """Seconds since the first of them, by the emulator's clock, which may stand anywhere."""
        age = self._ask("/_emulator/clock")["time"] - entries[0]["time"] if entries else 0.0
        return max(1.0, float(age))

    def _count(self, entry: dict[str, Any]) -> None:
        vault = self._names.get(entry["authority"], entry["authority"])
        operation = entry["operation"] or entry["method"]
        status = str(entry["status"] or entry["fault"])
        add(self._counts, ("requests", vault, operation, status))
        if entry["status"] == 429:
            add(self._counts, ("throttled", vault))

    def _ask(self, path: str) -> dict[str, Any]:
        connection = http.client.HTTPSConnection(*self._at, timeout=_PATIENCE, context=self._tls)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            document = json.loads(answer.read(_MOST)) if answer.status == 200 else None
        except (http.client.HTTPException, ValueError) as error:
            raise OSError(f"{self.title()} does not answer as one: {type(error).__name__}") from error
        finally:
            connection.close()
        if not isinstance(document, dict):
            raise OSError(f"{self.title()} does not answer as one: HTTP {answer.status}")
        return document


def _names() -> dict[str, str]:
    """The vaults' names by their authorities, from the variable that the emulator has its clients set."""
    pairs = (each.partition("=") for each in os.environ.get("SAFEKV_EMULATOR_VAULTS", "").split(","))
    return {urlsplit(url).netloc: name for name, _, url in pairs if url}


def emulator_in_environment() -> str | None:
    """The URL of a vault of the emulator that the environment leads to."""
    _, _, url = os.environ.get("SAFEKV_EMULATOR_VAULTS", "").partition(",")[0].partition("=")
    return url or None
