"""What starts again in a forked child.

A child inherits memory but not threads: a lock that another thread held stays locked for
ever, and a socket that is used on both sides mixes up their answers. Whoever owns such
things registers here and gets ``after_fork()`` called in the child, before anything else
runs there.
"""

from __future__ import annotations

import os
import threading
from typing import Protocol
from weakref import WeakSet


class Forkable(Protocol):
    """Something that must not be used in a child as the parent left it."""

    def after_fork(self) -> None:
        """Drop locks and inherited state; leave the parent's sockets open and untouched."""
        ...


_FORKABLE: WeakSet[Forkable] = WeakSet()


def on_fork(it: Forkable) -> None:
    """Have ``it.after_fork()`` called in every child, for as long as ``it`` is alive."""
    _FORKABLE.add(it)


class Lock:
    """A lock that a forked child gets anew: ``with lock.it:``. Who has it may take it again."""

    def __init__(self) -> None:
        self.after_fork()
        on_fork(self)

    def after_fork(self) -> None:
        self.it = threading.RLock()


def _in_child() -> None:
    problem: Exception | None = None
    for it in list(_FORKABLE):
        try:
            it.after_fork()
        except Exception as error:  # noqa: PERF203  (the others must not stay as the parent left them for that)
            problem = problem or error
    if problem is not None:
        raise problem  # Python reports it, and goes on in the child


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_in_child)
