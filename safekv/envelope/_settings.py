"""How long a ring's keys stay in memory and serve. Times in seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass

from safekv.envelope._budgets import DEFAULT_WORKERS, MESSAGES
from safekv.errors import InvalidArgument

MAX_SPREAD = 60.0


@dataclass(frozen=True, slots=True)
class RingSettings:
    """What a process may change about a ring.

    :raises InvalidArgument: for what cannot be.
    """

    #: Plaintext data keys are dropped after this, and unwrapped again when they are next needed.
    ttl: float = 3600.0
    #: Part of ``ttl`` by which processes that started together come apart: each takes off up to so much.
    jitter: float = 0.1
    #: When unwrapping fails for a transient reason, go on with the old keys for so long after ``ttl``. 0: not at all.
    max_stale: float = 0.0
    #: A data key that encrypts for longer is reported as due for rotation (``KeyRing.due``).
    max_age: float = 90 * 86400.0
    #: Processes that encrypt with this ring at once; each gets its part of an A256GCM key's 2^32 messages.
    workers: int = DEFAULT_WORKERS
    #: Seconds over which processes that start together spread their first unwrapping, each waiting at random. None:
    #: ``workers`` / 200 (a vault does 400 a second) for a ring that came in a pickle, 0 for all others.
    spread: float | None = None
    #: Seconds that a thread or task waits for another one that opens or changes the ring. Then: ``RingUnavailable``.
    wait_timeout: float = 300.0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("ttl", 1.0, 86400.0),
            ("jitter", 0.0, 0.9),
            ("max_stale", 0.0, 7 * 86400.0),
            ("max_age", 1.0, math.inf),
            ("workers", 1, MESSAGES),
            ("spread", 0.0, MAX_SPREAD),
            ("wait_timeout", 0.001, 86400.0),
        ):
            value = getattr(self, name)
            if value is None and name == "spread":
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
                raise InvalidArgument(f"{name}={value!r} must be a number from {low:g} to {high:g}.")
        if self.workers != int(self.workers):
            raise InvalidArgument(f"workers={self.workers!r} must be a whole number.")
