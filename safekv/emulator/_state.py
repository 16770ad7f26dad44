"""Keeps an emulator's contents in a file between runs.

The file holds secret values in clear, readable by its owner only. It is always replaced as a
whole, and one that cannot be used is never overwritten.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

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
        self._changed = threading.Event()
        self._stopping = threading.Event()
        self._saver = threading.Thread(target=self._save_changes, name="safekv-emulator-save", daemon=True)

    def start(self) -> None:
        """Fill the emulator from the file, if there is one, and keep the file up to date from now on.

        :raises StateFileError: if the file cannot be read, is damaged, or has vaults that the emulator lacks.
        """
        self._load()
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

    def _load(self) -> None:
        try:
            self._saved = self.path.read_bytes()
            self._emulator.restore(json.loads(self._saved))
        except FileNotFoundError:
            self._save()  # a place that cannot be written to is better known now
        except OSError as error:
            raise self._unusable(f"it cannot be read ({error.strerror})") from None
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
            # What was read may be half a secret: no part of it goes into the message.
            raise self._unusable("it is not JSON, so it is damaged or something else") from None
        except ValueError as error:
            raise self._unusable(str(error)) from None

    def _save(self) -> None:
        data = json.dumps(self._emulator.snapshot(), separators=(",", ":")).encode()
        if data != self._saved:
            with replaced_atomically(self.path) as file:
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


@contextlib.contextmanager
def replaced_atomically(path: Path) -> Iterator[BinaryIO]:
    """A new file, for its owner only, that takes the place of ``path`` when the block ends well."""
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:  # under the name that the caller knows
        raise OSError(error.errno, error.strerror, str(path)) from None
    try:
        with open(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
