"""What a forked child must not go on with: locks that another thread holds, and salts that the parent uses."""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class Forkable(Protocol):
    """Something with a part that starts again in a child."""

    def after_fork(self) -> None:
        """Called in the child before anything else runs there."""
        ...


_FORKABLE: WeakSet[Forkable] = WeakSet()


def on_fork(it: Forkable) -> None:
    """Have ``it.after_fork()`` called in every child, for as long as ``it`` is alive."""
    _FORKABLE.add(it)


def _in_child() -> None:
    for it in list(_FORKABLE):
        it.after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_in_child)
