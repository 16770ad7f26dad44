"""Keeps an emulator's contents in a file between runs, and the ports of its vaults.

The file holds secret values in clear, readable by its owner only. It is always replaced as a
whole, and one that cannot be used is never overwritten.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from safekv._files import replaced
from safekv.emulator._emulator import Emulator


class StateFileError(ValueError):
    """The state file is there but cannot be used; it was left as it is."""


class StateFile:
    """The contents of ``emulator`` in a file, up to date to ``interval`` seconds, and at the end entirely."""

    def __init__(self, path: str | os.PathLike[str], emulator: Emulator, *, interval: float = 1.0) -> None:
        self.path = Path(path)
        self._emulator = emulator
        self._interval = interval
        self._saved = b""
        self._document: Any = None
        self._ports: dict[str, int] = {}
        self._changed = threading.Event()
        self._stopping = threading.Event()
        self._saver = threading.Thread(target=self._save_changes, name="safekv-emulator-save", daemon=True)

    def read(self) -> MutableMapping[str, int]:
        """Read the file, if there is one. The ports by the vaults' names: what they become is kept, too.

        :raises StateFileError: if the file cannot be read or is damaged.
        """
        try:
            self._saved = self.path.read_bytes()
            self._document, self._ports = _without_ports(json.loads(self._saved))
        except FileNotFoundError:
            pass
        except OSError as error:
            raise self._unusable(f"it cannot be read ({error.strerror})") from None
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
            # What was read may be half a secret: no part of it goes into the message.
            raise self._unusable("it is not JSON, so it is damaged or something else") from None
        except ValueError as error:
            raise self._unusable(str(error)) from None
        return self._ports

    def start(self) -> None:
        """Fill the emulator from the file, if there is one, and keep the file up to date from now on.

        :raises StateFileError: if the file makes no sense, or has vaults that the emulator lacks.
        :raises OSError: if it cannot be written.
        """
        if self._document is None:
            self.read()
        if self._saved:
            try:
                self._emulator.restore(self._document)
            except (ValueError, RecursionError) as error:
                raise self._unusable(str(error)) from None
        else:
            self._save()  # a place that cannot be written to is better known now
        self._document = None
        self._saver.start()

    def changed(self) -> None:
        """Something may have changed. Cheap, and may be called from any thread."""
        self._changed.set()

    def stop(self) -> None:
        """Save what there is now, for the last time.

        :raises OSError: if that is not possible, for want of space, say.
        """
        self._stopping.set()
        self._changed.set()
        self._saver.join()
        self._save()

    def _save(self) -> None:
        snapshot = self._emulator.snapshot()
        there = {name.lower() for name in snapshot["vaults"]}
        snapshot["ports"] = {name: port for name, port in dict(self._ports).items() if name in there}
        data = json.dumps(snapshot, separators=(",", ":")).encode()
        if data != self._saved:
            with replaced(self.path) as file:
                file.write(data)
            self._saved = data

    def _save_changes(self) -> None:
        while not self._stopping.wait(self._interval):
            self._changed.wait()
            self._changed.clear()
            # A full disk is reported at the end; by then there may be room again.
            with contextlib.suppress(OSError):
                self._save()

    def _unusable(self, why: str) -> StateFileError:
        return StateFileError(
            f"the state file {str(self.path)!r} cannot be used: {why}. "
            "It was left as it is; move it away, or name another one, for example './vault.json'"
        )


def _without_ports(document: Any) -> tuple[Any, dict[str, int]]:
    """The contents and the ports; files of older releases have none."""
    ports = document.pop("ports", {}) if isinstance(document, dict) else {}
    if not isinstance(ports, dict) or not all(type(each) is int and 0 < each < 65_536 for each in ports.values()):
        raise ValueError("ports must be numbers of 1 to 65535 by the names of vaults")
    return document, ports
