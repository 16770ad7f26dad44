"""How far a load is: told to a callback, or shown on a terminal if it takes long. Both colours share this."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from safekv.errors import InvalidArgument

logger = logging.getLogger("safekv")

#: Called with how many secrets have been answered, and how many there are.
Told = Callable[[int, int], object]
#: Seconds that a load takes before it is shown.
AFTER = 1.0


class Progress:
    """What ``progress=`` means: None shows long loads on a terminal, True all, False none; or a callback.

    Nothing is shown where stderr is no terminal, or rich is not installed; it is imported when there is something
    to show.
    """

    def __init__(self, given: bool | Told | None = None) -> None:
        if given is not None and not isinstance(given, bool) and not callable(given):
            raise InvalidArgument(
                f"progress must be a bool, None or a function, not {type(given).__name__}.",
                hint="progress=lambda done, total: ...",
            )
        self._told = given if callable(given) else None
        self._after = None if given is False or self._told else 0.0 if given else AFTER
        self._lock = threading.Lock()
        self._done = self._total = 0
        self._bar: Any = None

    @contextmanager
    def over(self, total: int) -> Iterator[None]:
        """While ``total`` secrets are read."""
        self._done, self._total = 0, total
        timer = None
        if self._after is not None and total and _on_terminal():
            timer = threading.Timer(self._after, self._show)
            timer.daemon = True
            timer.start()
        try:
            yield
        finally:
            if timer is not None:
                timer.cancel()
                self._end()

    def one(self) -> None:
        """One more has been answered."""
        if self._told is None and self._after is None:
            return
        with self._lock:
            self._done += 1
            if self._bar is not None:
                self._bar.update(self._bar.task_ids[0], completed=self._done)
            if self._told is not None:
                try:
                    self._told(self._done, self._total)
                except Exception as error:  # a picture is no reason to start without secrets
                    logger.warning("The function given as progress= failed (%s)", type(error).__name__)

    def _show(self) -> None:
        bar = _bar(self._total)
        with self._lock:
            if bar is None or not self._total:
                return
            self._bar = bar
            bar.start()
            bar.update(bar.task_ids[0], completed=self._done)

    def _end(self) -> None:
        with self._lock:
            self._total = 0  # a bar that is still being made is not shown
            if self._bar is not None:
                self._bar.stop()
                self._bar = None


def _on_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _bar(total: int) -> Any:
    """A bar on stderr that leaves nothing behind; it does not stand between others and their stdout and stderr."""
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    except ModuleNotFoundError:
        return None
    bar = Progress(
        TextColumn("secrets"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    bar.add_task("", total=total)
    return bar
