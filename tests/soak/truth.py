"""What each secret may hold at each moment, and what is wrong with a value that was read.

A value says to which vault and name it belongs, and the how-manieth it is. Who reads after a write has ended must not
see what was there before; whether a write of unknown outcome has been done stays open until the next one.
"""

from __future__ import annotations

import threading
from collections import Counter


class Wrong(AssertionError):
    """A value that should not have been read. It names no value."""


def value_of(vault: str, name: str, generation: int) -> str:
    return f"{vault}|{name}|{generation}"


class Truth:
    """Of one secret: the generation that was surely written, and the newest that may have been."""

    def __init__(self, vault: str, name: str) -> None:
        self.vault, self.name = vault, name
        self.surely = 0
        self.perhaps = 0

    def check(self, value: str | None, at_least: int) -> None:
        """:raises Wrong: if it belongs elsewhere, is older than ``at_least``, or was never written."""
        vault, name, generation = (value or "||-1").split("|")
        if (vault, name) != (self.vault, self.name):
            raise Wrong(f"{self.vault}/{self.name}: got the value of {vault}/{name}")
        if not at_least <= int(generation) <= self.perhaps:
            raise Wrong(f"{self.vault}/{self.name}: got generation {generation}, wanted {at_least} to {self.perhaps}")


class Tally:
    """What was done, by kind, and what went wrong."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.done: Counter[str] = Counter()
        self.expected: Counter[str] = Counter()  # failures that a fault explains, by type
        self.failures: Counter[str] = Counter()  # those that nothing explains
        self.longest = 0.0  # seconds of one call

    def count(self, kind: str, seconds: float) -> None:
        with self._lock:
            self.done[kind] += 1
            self.longest = max(self.longest, seconds)

    def fail(self, what: str, *, expected: bool) -> None:
        with self._lock:
            (self.expected if expected else self.failures)[what] += 1
