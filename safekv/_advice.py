"""Warnings about how a vault is used: they point at the caller's line, and come once for each thing."""

from __future__ import annotations

import sys
import warnings
from collections import OrderedDict, deque

from safekv.errors import SafeKVWarning

#: So many calls within so many seconds are a habit.
MANY = 100
WITHIN = 10.0
_MOST_NAMES = 256


class CallCounter:
    """Tells, once for each name, that the same is asked for all the time."""

    def __init__(self) -> None:
        self._times: OrderedDict[str, deque[float]] = OrderedDict()
        self._told: OrderedDict[str, None] = OrderedDict()

    def count(self, name: str, now: float) -> bool:
        """One more call; True if it is time to say something. Times in seconds."""
        if name in self._told:
            return False
        times = self._times.setdefault(name, deque(maxlen=MANY + 1))
        times.append(now)
        self._times.move_to_end(name)
        while len(self._times) > _MOST_NAMES:
            self._times.popitem(last=False)
        if len(times) <= MANY or now - times[0] > WITHIN:
            return False
        self._told[name] = None
        while len(self._told) > _MOST_NAMES:
            self._told.popitem(last=False)
        del self._times[name]
        return True


def warn(text: str, kind: type[SafeKVWarning]) -> None:
    """Give a Python warning that points at the line outside safekv and the SDK that led here."""
    level, frame = 1, sys._getframe(0)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(("safekv.", "azure.")):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, kind, stacklevel=level)
