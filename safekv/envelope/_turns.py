"""Waiting for one's turn, for so long and no longer: who has it may be waiting for a vault that does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from safekv.envelope._errors import RingUnavailable


class Lock(Protocol):
    """A ``threading.Lock`` or ``RLock``."""

    def acquire(self, blocking: bool = ..., timeout: float = ...) -> bool: ...

    def release(self) -> None: ...


@contextmanager
def turn(lock: Lock, seconds: float) -> Iterator[None]:
    """Hold ``lock``.

    :raises RingUnavailable: (transient) if it was not to be had for ``seconds``.
    """
    if not lock.acquire(timeout=seconds):
        raise waited(seconds)
    try:
        yield
    finally:
        lock.release()


def waited(seconds: float) -> RingUnavailable:
    """The error for a turn that did not come."""
    return RingUnavailable(
        f"Another thread or task has been opening or changing these keys for {seconds:g} s.",
        hint="It waits for a vault. Try again later; RingSettings(wait_timeout=...) says how long others wait for it.",
        transient=True,
    )
