"""What ``safekv.subscribe`` tells a hook: every wait, every 429, every change of a gate.

>>> import safekv
>>> from safekv.events import Throttled
>>> seen = []
>>> stop = safekv.subscribe(lambda event: isinstance(event, Throttled) and seen.append(event.operation))
>>> stop()
"""

from __future__ import annotations

from safekv._events import (
    BreakerChanged,
    Event,
    GateChanged,
    GaveUp,
    Hook,
    ManyCredentials,
    ManyServiceCalls,
    Throttled,
    UncachedReads,
    Waiting,
)

__all__ = [
    "BreakerChanged",
    "Event",
    "GateChanged",
    "GaveUp",
    "Hook",
    "ManyCredentials",
    "ManyServiceCalls",
    "Throttled",
    "UncachedReads",
    "Waiting",
]
