"""What ``safekv.subscribe`` tells a hook: every call, every wait, every 429, every change of a gate.

>>> import safekv
>>> from safekv.events import Throttled
>>> seen = []
>>> stop = safekv.subscribe(lambda event: isinstance(event, Throttled) and seen.append(event.operation))
>>> stop()
"""

from __future__ import annotations

from safekv._events import (
    BreakerChanged,
    CacheState,
    CallFinished,
    CallStarted,
    EnvelopeState,
    Event,
    GateChanged,
    GaveUp,
    Hook,
    LaneState,
    ManyCredentials,
    ManyServiceCalls,
    RequestFinished,
    RingUnwrapped,
    State,
    Throttled,
    TokenFetched,
    UncachedReads,
    Waiting,
    states,
)

__all__ = [
    "BreakerChanged",
    "CacheState",
    "CallFinished",
    "CallStarted",
    "EnvelopeState",
    "Event",
    "GateChanged",
    "GaveUp",
    "Hook",
    "LaneState",
    "ManyCredentials",
    "ManyServiceCalls",
    "RequestFinished",
    "RingUnwrapped",
    "State",
    "Throttled",
    "TokenFetched",
    "UncachedReads",
    "Waiting",
    "states",
]
