"""What the decisions cost a call that succeeds at once, in microseconds of CPU of this machine."""

from __future__ import annotations

import time
from random import Random

from safekv._clock import SYSTEM_CLOCK
from safekv.resilience._breaker import Breaker, BreakerSettings
from safekv.resilience._budget import Budget, BudgetSettings
from safekv.resilience._flow import Flow, RetryLimits
from safekv.resilience._lane import Lane, LaneSettings

_CALLS, _ROUNDS = 2_000, 15


def cost(*, on: bool) -> float:
    """Flow, Lane, Breaker and Budget together; ``on``: with a lane that limits (far above what is used)."""
    lane = Lane(LaneSettings(max_rate=1e9 if on else None), SYSTEM_CLOCK, Random(1))
    breaker = Breaker(BreakerSettings(), SYSTEM_CLOCK, Random(1))
    budget = Budget(BudgetSettings(), SYSTEM_CLOCK)
    return min(_round(lane, breaker, budget) for _ in range(_ROUNDS)) * 1e6


def _round(lane: Lane, breaker: Breaker, budget: Budget) -> float:
    limits, random = RetryLimits(), Random(1)
    began = time.process_time()
    for _ in range(_CALLS):
        flow = Flow(
            lane,
            breaker,
            budget,
            repeatable=True,
            deadline=1e12,
            limits=limits,
            clock=SYSTEM_CLOCK,
            random=random,
        )
        while flow.poll():
            pass
        flow.sent()
        flow.answered(200)
        flow.leave()
    return (time.process_time() - began) / _CALLS
