"""Counting requests per window of time, by class of operation."""

from __future__ import annotations

from collections import deque

from safekv.emulator._settings import Limits


class Throttle:
    """What one vault has admitted lately."""

    def __init__(self) -> None:
        self._sliding: dict[str, deque[float]] = {}
        self._fixed: dict[str, tuple[int, int]] = {}

    def clear(self) -> None:
        self._sliding.clear()
        self._fixed.clear()

    def refuse(self, limits: Limits, limit_class: str, now: float) -> float | None:
        """Count a request. None if it is admitted, else how many seconds until the next one would be."""
        most: int | None = getattr(limits, limit_class)
        if most is None:
            return None
        if most == 0:
            return limits.window
        if limits.sliding:
            return self._refuse_sliding(limits, limit_class, most, now)
        return self._refuse_fixed(limits, limit_class, most, now)

    def _refuse_sliding(self, limits: Limits, limit_class: str, most: int, now: float) -> float | None:
        counted = self._sliding.get(limit_class)
        if counted is None or counted.maxlen != most:  # the limit was changed
            counted = self._sliding[limit_class] = deque(counted or (), maxlen=most)
        # Only the last ``most`` requests matter: while the oldest of them is inside the window, it is full.
        wait = counted[0] + limits.window - now if len(counted) == most else 0.0
        if wait <= 0 or limits.count_rejected:
            counted.append(now)
        return wait if wait > 0 else None

    def _refuse_fixed(self, limits: Limits, limit_class: str, most: int, now: float) -> float | None:
        window = int(now // limits.window)
        began, count = self._fixed.get(limit_class, (window, 0))
        count = count if began == window else 0
        if count < most:
            self._fixed[limit_class] = (window, count + 1)
            return None
        return (window + 1) * limits.window - now
