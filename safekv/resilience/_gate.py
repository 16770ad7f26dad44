"""A gate that closes for a while, then lets one probe through before it opens again.

``Lane`` and ``Breaker`` both hold one and guard it with their own lock.
"""

from __future__ import annotations

#: Seconds after which a probe whose caller never came back is given up.
PROBE_LOST = 60.0
#: A wait too short for a clock to show.
_INSTANT = 1e-6


class Gate:
    """Open, closed until a time, or half open: one caller at a time finds out."""

    __slots__ = ("_probe", "_probe_sent", "closed_until", "half_open")

    def __init__(self) -> None:
        self.closed_until = float("-inf")
        self.half_open = False
        self._probe: object | None = None
        self._probe_sent = 0.0

    def left(self, now: float) -> float:
        """Seconds for which it stays closed; 0 when it is open or half open."""
        left = self.closed_until - now
        return left if left > _INSTANT else 0.0

    def probing(self, now: float) -> bool:
        """Whether a probe is under way, so that everybody else has to wait for its news."""
        if self._probe is not None and now - self._probe_sent > PROBE_LOST:
            self._probe = None
        return self._probe is not None

    def close(self, until: float) -> None:
        self.closed_until = max(self.closed_until, until)
        self.half_open = True
        self._probe = None

    def open(self) -> None:
        self.closed_until = float("-inf")
        self.half_open = False
        self._probe = None

    def admit(self, who: object, now: float) -> None:
        """Let ``who`` through; while half open, that makes it the probe."""
        if self.half_open:
            self._probe = who
            self._probe_sent = now

    def hand_back(self, who: object) -> bool:
        """``who`` brings no good news or none at all. True if it was the probe."""
        mine = self._probe is who
        if mine:
            self._probe = None
        return mine
