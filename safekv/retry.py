"""tenacity strategies for an application's own retries around vault calls.

safekv's clients retry by themselves. These are for what lies outside of one call: a whole job
that may start again, or calls through the SDK's own clients. Use them with ``reraise=True``, so
that the last real error comes out.

>>> from tenacity import retry, retry_if_exception_type
>>> from safekv.errors import VaultThrottled
>>> @retry(
...     retry=retry_if_exception_type(VaultThrottled),
...     wait=wait_retry_after(),
...     stop=stop_at_deadline(120),
...     reraise=True,
... )
... def job() -> str:
...     return "done"
>>> job()
'done'
"""

from __future__ import annotations

import math
import time
from typing import Any

from tenacity import RetryCallState, stop_before_delay, wait_random_exponential
from tenacity.wait import wait_base

from safekv.resilience._retry_after import retry_after

__all__ = ["stop_at_deadline", "wait_retry_after"]


class wait_retry_after(wait_base):
    """Wait as long as the error says; else as ``fallback`` says.

    An error says so by ``retry_in`` (safekv's errors) or by the headers of its ``response``
    (azure-core's). Whatever the headers hold, it raises nothing.

    :param fallback: a tenacity wait; by default up to 1, 2, 4 … 16 s at random.
    """

    def __init__(self, fallback: Any = None) -> None:
        self._fallback = wait_random_exponential(multiplier=1, max=16) if fallback is None else fallback

    def __call__(self, retry_state: RetryCallState) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        said = getattr(error, "retry_in", None)
        if said is None:
            headers = getattr(getattr(error, "response", None), "headers", None)
            said = retry_after(headers, time.time()) if headers is not None else None
        if isinstance(said, (int, float)) and math.isfinite(said) and said > 0:
            return float(said)
        return float(self._fallback(retry_state))


class stop_at_deadline(stop_before_delay):
    """Stop when the next attempt would begin later than ``seconds`` after the first one did."""

    def __init__(self, seconds: float) -> None:
        if not 0 < seconds < math.inf:
            raise ValueError(f"seconds={seconds!r} must be a positive, finite number, for example 120.")
        super().__init__(seconds)
