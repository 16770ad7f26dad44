"""The sync seat in the SDK's pipeline: turns, retries within a deadline, one cold start at a time.

The policy takes the place of the SDK's own retry (``retry_policy=``) and carries out what
a ``Call`` decides. ``_apolicy`` is its twin.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from azure.core.exceptions import AzureError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import RetryPolicy

from safekv._fork import on_fork
from safekv._settings import Settings
from safekv.connection.pipeline._call import ON_TOKEN, UNDER_WAY, Call, NoTurn
from safekv.connection.pipeline._outcome import let_in
from safekv.connection.pipeline._rules import CallRules

if TYPE_CHECKING:
    from safekv.connection._traffic import Traffic

#: Seconds that a request waits for the first one to come back with a token.
WARM_UP_PATIENCE = 5.0


class Seat(Protocol):
    """What a policy needs of its connection."""

    slots: Any

    @property
    def traffic(self) -> Traffic: ...


class Resilience(RetryPolicy[Any, Any]):
    """Sends each request in its lane, and repeats what may be repeated, until the call's deadline.

    The SDK's keywords keep their meaning: ``timeout`` is the deadline of a call in seconds,
    ``retry_total=0`` means one attempt, ``retry_on_methods`` names methods that may be
    repeated after an unknown outcome.
    """

    def __init__(self, connection: Seat, settings: Settings, **options: Any) -> None:
        super().__init__(**options)
        self._rules = CallRules(settings, options)
        self._connection = connection
        self._gate = WarmUpGate()
        on_fork(self)

    def after_fork(self) -> None:
        self._gate = WarmUpGate()

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        call = self._rules.begin(request, self._connection.traffic)
        response: Any = None
        try:
            try:
                response = self._attempt(call)
            except (AzureError, AttributeError):
                if call.wait is None:
                    raise
            if call.wait is not None:
                response = self._repeat(call)
        except NoTurn as no_turn:
            denied = no_turn.denied
        except Exception as error:
            end = call.end_error(error)
            if end is error:
                raise
            raise end from error
        else:
            return call.end(response)
        return call.end_without_turn(denied)

    def _repeat(self, call: Call) -> PipelineResponse[Any, Any]:
        from tenacity import Retrying  # costs 40 ms, and most processes never need it

        call.transport.sleep(call.wait)
        return Retrying(retry=call.again, wait=call.pause, sleep=call.transport.sleep)(self._attempt, call)

    def _attempt(self, call: Call) -> PipelineResponse[Any, Any]:
        if not call.in_doubt:
            return self._exchange(call, call.request)
        steps = call.attempt()
        request = next(steps)
        while True:
            try:
                request = steps.send(self._exchange(call, request))
            except StopIteration as end:  # noqa: PERF203
                response: PipelineResponse[Any, Any] = end.value
                return response

    def _exchange(self, call: Call, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """One request, in its turn, and its answer."""
        call.begin_attempt()
        try:
            response = None
            while response is None:
                wait = call.poll()
                if wait:
                    call.queued(wait)
                while wait:
                    call.transport.sleep(wait)
                    wait = call.poll()
                response = self._send(call, request)
            call.learn(response, request)
            return response
        except (AzureError, AttributeError) as error:
            call.learn_error(error)
            raise
        finally:
            call.flow.leave()

    def _send(self, call: Call, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any] | None:
        """The answer; None if the turn has become void while we waited for a connection."""
        leading = None
        if not self._gate.is_open:
            leading = self._gate.enter(min(WARM_UP_PATIENCE, call.flow.remaining()))
        try:
            slots = self._connection.slots
            slots.take(call)
            under_way = UNDER_WAY.set(call)
            on_token = ON_TOKEN.set(leading.opens(ON_TOKEN.get())) if leading is not None else None
            try:
                call.bound_io(request)
                if not call.flow.sent():
                    return None
                response = self.next.send(request)
            finally:
                UNDER_WAY.reset(under_way)
                if on_token is not None:
                    ON_TOKEN.reset(on_token)
                slots.give_back()
            if leading is not None or not self._gate.is_open:
                self._gate.is_open = let_in(response)
            return response
        finally:
            if leading is not None:
                leading.end()


class WarmUpGate:
    """Until there is a token that the vault has asked for, requests go one at a time.

    The first request of a client goes out without a token, is answered 401 and then gets
    one. Without a gate, 64 cold threads are 64 such requests. It opens when the first one goes
    out with its token, and is closed again if the vault refuses that. A request waits only so
    long, then goes by itself: a vault that hangs does not queue its callers.
    """

    def __init__(self) -> None:
        self.is_open = False
        self._lock = threading.Lock()

    def enter(self, patience: float) -> Leading | None:
        """Wait for the turn; None if the caller does not lead."""
        if not self._lock.acquire(timeout=max(0.0, patience)):
            return None
        if self.is_open:
            self._lock.release()
            return None
        return Leading(self, self._lock)


class Leading:
    """The turn of the one who goes first. It ends once: when the gate opens, or without."""

    __slots__ = ("_gate", "_lock")

    def __init__(self, gate: Any, lock: Any) -> None:
        self._gate = gate
        self._lock = lock

    def opens(self, then: Callable[[], object] | None) -> Callable[[], None]:
        """What opens the gate, and then goes on with what else was to be told."""

        def opened() -> None:
            self._gate.is_open = True
            self.end()
            if then is not None:
                then()

        return opened

    def end(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            with suppress(RuntimeError):  # an event loop's, which is closed: whoever waited there waits no more
                lock.release()


class Slots:
    """How many requests of a connection are under way at once: as many as its pool holds."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.after_fork()

    def after_fork(self) -> None:
        # threading.Semaphore does the same for four times the price.
        self._free = self._size
        self._waiting = 0
        self._changed = threading.Condition(threading.Lock())

    def take(self, call: Call) -> None:
        """Wait for a free slot, at most until the call's deadline; the caller gives it back.

        :raises DeadlineExceeded: if none comes free before it.
        """
        with self._changed:
            if self._free <= 0 and not self._wait(call):
                raise call.too_late()
            self._free -= 1

    def _wait(self, call: Call) -> bool:
        self._waiting += 1
        try:
            patience = min(max(0.0, call.flow.remaining()), threading.TIMEOUT_MAX)
            return self._changed.wait_for(lambda: self._free > 0, patience)
        finally:
            self._waiting -= 1

    def give_back(self) -> None:
        with self._changed:
            self._free += 1
            if self._waiting:
                self._changed.notify()
