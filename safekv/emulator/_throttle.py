"""Counting requests per window of time, by class of operation."""

from __future__ import annotations

from collections import deque

from safekv.emulator._rates import Rate
from safekv.emulator._settings import Limits


class Throttle:
    """What one vault has admitted lately."""

    def __init__(self) -> None:
        self._sliding: dict[str, deque[float]] = {}
        self._fixed: dict[str, tuple[int, int]] = {}

    def clear(self) -> None:
        self._sliding.clear()
        self._fixed.clear()

    def refuse(self, limits: Limits, limit_class: str, now: float, weight: int = 1) -> float | None:
        """Count a request, as ``weight`` ones. None if it is admitted, else how many seconds until it would be."""
        rate = limits.rate(limit_class)
        if rate is None:
            return None
        if rate.most < weight:
            return rate.window
        if limits.sliding:
            return self._refuse_sliding(limits, limit_class, rate, now, weight)
        return self._refuse_fixed(limit_class, rate, now, weight)

    def _refuse_sliding(self, limits: Limits, limit_class: str, rate: Rate, now: float, weight: int) -> float | None:
        most = rate.most
        counted = self._sliding.get(limit_class)
        if counted is None or counted.maxlen != most:  # the limit was changed
            counted = self._sliding[limit_class] = deque(counted or (), maxlen=most)
        # Only the last ``most`` requests matter: while those that have to make room are inside the window, it is full.
        surplus = len(counted) + weight - most
        wait = counted[surplus - 1] + rate.window - now if surplus > 0 else 0.0
        if wait <= 0 or limits.count_rejected:
            counted.extend([now] * weight)
        return wait if wait > 0 else None

    def _refuse_fixed(self, limit_class: str, rate: Rate, now: float, weight: int) -> float | None:
        window = int(now // rate.window)
        began, count = self._fixed.get(limit_class, (window, 0))
        count = count if began == window else 0
        if count + weight <= rate.most:
            self._fixed[limit_class] = (window, count + weight)
            return None
        return (window + 1) * rate.window - now
