"""A process shows its numbers to its own user, for ``safekv top``: a file, renewed every second.

No socket, no name of an object, nothing that grows. A forked child publishes its own, from its first call on.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import safekv
from safekv import _events
from safekv._fork import on_fork
from safekv.errors import InvalidArgument
from safekv.observability import _directory
from safekv.observability._figures import Figures


def publish(
    directory: str | os.PathLike[str] | None = None, *, interval: float = 1.0, title: str | None = None
) -> Callable[[], None]:
    """Show this process in ``safekv top`` from now on; the answer ends that.

    :param directory: where; by default this user's own. ``safekv top --directory`` has to be told another one.
    :param interval: seconds between two looks.
    :param title: what ``safekv top`` calls the process; by default the name of its program.
    :raises InvalidArgument: if others could write to the directory.
    """
    _check(interval)
    where = Path(directory) if directory is not None else _directory.default_directory()
    _directory.private(where, make=True)
    _directory.sweep(where)
    return _Publisher(where, interval, title or os.path.basename(sys.argv[0] or "python")).begin()


def _check(interval: Any) -> None:
    if isinstance(interval, bool) or not isinstance(interval, (int, float)) or not 0.05 <= interval <= 5:
        raise InvalidArgument(f"interval={interval!r} must be 0.05 to 5 seconds.", hint="interval=1")


class _Publisher:
    def __init__(self, directory: Path, interval: float, title: str) -> None:
        self._directory = directory
        self._interval = interval
        self._title = title[:60]
        self._figures = Figures()
        self.after_fork()
        on_fork(self)

    def after_fork(self) -> None:
        """A child has no thread yet, and its parent's file is not its own."""
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._pid = os.getpid()

    def begin(self) -> Callable[[], None]:
        self._unsubscribe = _events.subscribe(self)
        atexit.register(self.end)
        self._start()
        return self.end

    def end(self) -> None:
        """Show nothing any more."""
        atexit.unregister(self.end)
        self._unsubscribe()
        self._ended.set()
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(2.0)
            with suppress(OSError):
                self._path.unlink()

    def __call__(self, event: _events.Event) -> None:
        self._figures(event)
        if self._thread is None:  # in a forked child
            self._start()

    @property
    def _path(self) -> Path:
        return self._directory / f"{self._pid}.json"

    def _start(self) -> None:
        with self._lock:
            if self._thread is not None or self._ended.is_set():
                return
            thread = threading.Thread(target=self._run, args=(self._ended,), name="safekv-top", daemon=True)
            with suppress(RuntimeError):  # the interpreter is shutting down
                thread.start()
                self._thread = thread

    def _run(self, ended: threading.Event) -> None:
        told = False
        while True:
            try:
                self._write()
            except OSError:
                pass  # a full disk is no reason to end; the next time there may be room
            except Exception as error:
                if not told:  # it may be the same each second
                    _events.logger.warning("The numbers for safekv top were not published (%s)", type(error).__name__)
                told = True
            if ended.wait(self._interval):
                return

    def _write(self) -> None:
        about = {"safekv": safekv.__version__, "pid": self._pid, "title": self._title}
        _directory.write(self._path, {**about, **self._figures.snapshot()})
