"""The sync seat in the SDK's pipeline: retries within a deadline, and one cold start at a time.

The policy takes the place of the SDK's own retry (``retry_policy=``) and carries out what
a ``Call`` decides. ``_apolicy`` is its twin.
"""

from __future__ import annotations

import threading
from typing import Any

from azure.core.exceptions import AzureError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import RetryPolicy

from safekv._settings import Settings
from safekv.connection._call import UNDER_WAY, Call, CallRules
from safekv.connection._fork import on_fork
from safekv.connection._outcome import let_in

#: Seconds that a request waits for the first one to come back with a token.
WARM_UP_PATIENCE = 5.0


class Resilience(RetryPolicy[Any, Any]):
    """Repeats what may be repeated, until the call's deadline.

    The SDK's keywords keep their meaning: ``timeout`` is the deadline of a call in seconds,
    ``retry_total=0`` means one attempt, ``retry_on_methods`` names methods that may be
    repeated after an unknown outcome.
    """

    def __init__(self, settings: Settings, slots: Slots, **options: Any) -> None:
        super().__init__(**options)
        self._rules = CallRules(settings, options)
        self._slots = slots
        self._gate = WarmUpGate()
        on_fork(self)

    def after_fork(self) -> None:
        self._gate = WarmUpGate()

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        call = self._rules.begin(request)
        while True:
            call.bound_io()
            try:
                response = self._attempt(request, call)
            except (AzureError, AttributeError) as error:
                wait = call.after_error(error)
                if wait is None:
                    raise
                call.transport.sleep(wait)
                if call.flow.remaining() <= 0:  # the sleep took longer than it should
                    raise
            else:
                wait = call.after_response(response)
                if wait is None:
                    return response
                call.transport.sleep(wait)
                if call.flow.remaining() <= 0:
                    return response

    def _attempt(self, request: PipelineRequest[Any], call: Call) -> PipelineResponse[Any, Any]:
        leading = not self._gate.is_open and self._gate.enter(min(WARM_UP_PATIENCE, call.flow.remaining()))
        try:
            self._slots.take(call)
            under_way = UNDER_WAY.set(call)
            try:
                response = self.next.send(request)
            finally:
                UNDER_WAY.reset(under_way)
                self._slots.give_back()
            if not self._gate.is_open:
                self._gate.is_open = let_in(response)
            return response
        finally:
            if leading:
                self._gate.leave()


class WarmUpGate:
    """Until the vault has accepted a token, requests go one at a time.

    The first request of a client goes out without a token, is answered 401 and then gets
    one. Without a gate, 64 cold threads are 64 such requests. A request waits only so long,
    then goes by itself: a vault that hangs does not queue its callers.
    """

    def __init__(self) -> None:
        self.is_open = False
        self._lock = threading.Lock()

    def enter(self, patience: float) -> bool:
        """Wait for the turn; True if the caller leads, and has to :meth:`leave`."""
        if not self._lock.acquire(timeout=max(0.0, patience)):
            return False
        if self.is_open:
            self._lock.release()
            return False
        return True

    def leave(self) -> None:
        self._lock.release()


class Slots:
    """How many requests of a connection are under way at once: as many as its pool holds."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.after_fork()

    def after_fork(self) -> None:
        self._free = threading.Semaphore(self._size)

    def take(self, call: Call) -> None:
        """Wait for a free slot, at most until the call's deadline; the caller gives it back.

        :raises DeadlineExceeded: if none comes free before it.
        """
        if not self._free.acquire(timeout=min(max(0.0, call.flow.remaining()), threading.TIMEOUT_MAX)):
            raise call.too_late()

    def give_back(self) -> None:
        self._free.release()
