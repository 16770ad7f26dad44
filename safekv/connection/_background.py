"""What nobody waits for: one daemon thread for a process, while there is something to do."""

from __future__ import annotations

import atexit
import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from safekv.connection._fork import on_fork

logger = logging.getLogger("safekv")

#: Seconds without work after which the thread ends; the next work starts another.
IDLE = 5.0
#: Seconds that the end of the process waits for what is being done.
GOODBYE = 2.0

Job = Callable[[], object]


class Repeating(Protocol):
    """Something that is to be done again and again."""

    def remaining(self) -> float:
        """Seconds until it is due."""
        ...

    def __call__(self) -> object: ...


class Background:
    """Jobs one after the other, in the order in which they came. What a job raises is logged."""

    def __init__(self) -> None:
        self.after_fork()
        on_fork(self)

    def after_fork(self) -> None:
        """A child has no thread, and none of its parent's work to do."""
        self._changed = threading.Condition()
        self._jobs: deque[Job] = deque()
        self._repeating: list[Repeating] = []
        self._thread: threading.Thread | None = None
        self._busy = False
        self._ending = False

    def submit(self, job: Job) -> bool:
        """Have ``job`` done; False if this process is about to end."""
        with self._changed:
            self._jobs.append(job)
            return self._started()

    def repeat(self, job: Repeating) -> bool:
        """Have ``job`` done whenever it is due, until it is cancelled."""
        with self._changed:
            self._repeating.append(job)
            return self._started()

    def cancel(self, job: Repeating) -> None:
        """End what :meth:`repeat` began."""
        with self._changed:
            self._repeating = [each for each in self._repeating if each is not job]
            self._changed.notify_all()

    def drain(self, timeout: float = 10.0) -> bool:
        """Wait until everything that is due has been done; False if that takes longer than ``timeout`` seconds."""
        with self._changed:
            self._changed.notify_all()
            return self._changed.wait_for(self._quiet, timeout)

    def stop(self, timeout: float = GOODBYE) -> None:
        """Drop what has not been begun, and wait for what has."""
        with self._changed:
            self._ending = True
            self._jobs.clear()
            self._repeating.clear()
            self._changed.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def _quiet(self) -> bool:
        return not self._busy and not self._jobs and not any(each.remaining() <= 0 for each in self._repeating)

    def _started(self) -> bool:
        self._changed.notify_all()
        if self._ending:
            self._jobs.clear()
            return False
        if self._thread is None:
            thread = threading.Thread(target=self._run, args=(self._changed,), name="safekv-background", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the interpreter is shutting down
                self._jobs.clear()
                return False
            self._thread = thread
            # Last come, first called: before urllib3 closes the pool that a job may be using.
            atexit.unregister(self.stop)
            atexit.register(self.stop)
        return True

    def _run(self, changed: threading.Condition) -> None:
        while True:
            with changed:
                job = self._next()
            if job is None:
                return
            try:
                job()
            except BaseException:  # whatever it is, the next job is to be done
                logger.warning("A job in the background failed", exc_info=True)
            finally:
                job = None  # what it refers to is not to live until the next one comes
                with changed:
                    self._busy = False
                    changed.notify_all()

    def _next(self) -> Job | None:
        """Wait for work; None ends the thread."""
        while not self._ending:
            if self._jobs:
                self._busy = True
                return self._jobs.popleft()
            waits = {each: each.remaining() for each in self._repeating}
            for each, wait in waits.items():
                if wait <= 0:
                    self._busy = True
                    return each
            signalled = self._changed.wait(min([*waits.values(), IDLE]))
            if not signalled and not self._jobs and not self._repeating:
                break
        self._thread = None
        return None


_BACKGROUND = Background()


def background() -> Background:
    """The process's one."""
    return _BACKGROUND
