"""The async seat in the SDK's pipeline. See ``_policy``, its twin."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from copy import copy
from typing import Any

from azure.core.exceptions import AzureError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy, AsyncRetryPolicy

from safekv._fork import on_fork
from safekv._settings import Settings
from safekv.connection._loops import LoopLocal
from safekv.connection.pipeline._call import ON_TOKEN, UNDER_WAY, Call, NoTurn
from safekv.connection.pipeline._outcome import let_in
from safekv.connection.pipeline._policy import WARM_UP_PATIENCE, Leading, Seat
from safekv.connection.pipeline._rules import CallRules


class AsyncResilience(AsyncRetryPolicy[Any, Any]):
    """Sends each request in its lane, and repeats what may be repeated; see ``Resilience``."""

    def __init__(self, connection: Seat, settings: Settings, **options: Any) -> None:
        super().__init__(**options)
        self._rules = CallRules(settings, options)
        self._connection = connection
        self._gate = AsyncWarmUpGate()
        self._authentications = LoopLocal(self._authentication)
        on_fork(self)

    def after_fork(self) -> None:
        self._gate = AsyncWarmUpGate()
        self._authentications = LoopLocal(self._authentication)

    def _authentication(self) -> Any:
        """The next policy, for one event loop.

        The SDK's authentication holds an ``asyncio.Lock``, which belongs to the first loop that
        waits for it. The one in the pipeline stays unused, and each loop gets a copy of it.
        """
        return copy(self.next) if isinstance(self.next, AsyncBearerTokenCredentialPolicy) else self.next

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        call = self._rules.begin(request, self._connection.traffic)
        response: Any = None
        try:
            try:
                response = await self._attempt(call)
            except (AzureError, AttributeError):
                if call.wait is None:
                    raise
            if call.wait is not None:
                response = await self._repeat(call)
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

    async def _repeat(self, call: Call) -> PipelineResponse[Any, Any]:
        from tenacity import AsyncRetrying  # costs 40 ms, and most processes never need it

        await call.transport.sleep(call.wait)
        # One for each call, and with hooks that do not suspend: a shared one mixes up its tasks.
        return await AsyncRetrying(retry=call.again, wait=call.pause, sleep=call.transport.sleep)(self._attempt, call)

    async def _attempt(self, call: Call) -> PipelineResponse[Any, Any]:
        if not call.in_doubt:
            return await self._exchange(call, call.request)
        steps = call.attempt()
        request = next(steps)
        while True:
            try:
                request = steps.send(await self._exchange(call, request))
            except StopIteration as end:  # noqa: PERF203
                response: PipelineResponse[Any, Any] = end.value
                return response

    async def _exchange(self, call: Call, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """One request, in its turn, and its answer."""
        call.begin_attempt()
        try:
            response = None
            while response is None:
                wait = call.poll()
                if wait:
                    call.queued(wait)
                while wait:
                    await call.transport.sleep(wait)
                    wait = call.poll()
                response = await self._send(call, request)
            call.learn(response, request)
            return response
        except (AzureError, AttributeError) as error:
            call.learn_error(error)
            raise
        finally:
            call.flow.leave()

    async def _send(self, call: Call, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any] | None:
        """The answer; None if the turn has become void while we waited for a connection."""
        leading = None
        if not self._gate.is_open:
            leading = await self._gate.enter(min(WARM_UP_PATIENCE, call.flow.remaining()))
        try:
            slots = await self._connection.slots.take(call)
            under_way = UNDER_WAY.set(call)
            on_token = ON_TOKEN.set(leading.opens(ON_TOKEN.get())) if leading is not None else None
            try:
                call.bound_io(request)
                if not call.flow.sent():
                    return None
                response: PipelineResponse[Any, Any] = await self._authentications.get().send(request)
            finally:
                with suppress(RuntimeError):  # its loop is closed, and whoever waited there waits no more
                    slots.release()
                with suppress(ValueError):  # closed in another context, as after its loop: nothing to put back
                    UNDER_WAY.reset(under_way)
                    if on_token is not None:
                        ON_TOKEN.reset(on_token)
            if leading is not None or not self._gate.is_open:
                self._gate.is_open = let_in(response)
            return response
        finally:
            if leading is not None:
                leading.end()


class AsyncWarmUpGate:
    """As ``WarmUpGate``, for the tasks of each loop."""

    def __init__(self) -> None:
        self.is_open = False
        self._locks = LoopLocal(asyncio.Lock)

    async def enter(self, patience: float) -> Leading | None:
        """Wait for the turn; None if the caller does not lead."""
        lock = self._locks.get()
        try:
            await asyncio.wait_for(lock.acquire(), max(0.0, patience))
        except asyncio.TimeoutError:
            return None
        if self.is_open:
            lock.release()
            return None
        return Leading(self, lock)


class AsyncSlots:
    """As ``Slots``, for the tasks of each loop."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.after_fork()

    def after_fork(self) -> None:
        self._free = LoopLocal(lambda: asyncio.Semaphore(self._size))

    async def take(self, call: Call) -> asyncio.Semaphore:
        """Wait for a free slot, at most until the call's deadline; the caller releases it.

        :raises DeadlineExceeded: if none comes free before it.
        """
        free = self._free.get()
        if not free.locked():
            await free.acquire()  # returns at once
            return free
        try:
            await asyncio.wait_for(free.acquire(), max(0.0, call.flow.remaining()))
        except asyncio.TimeoutError:
            raise call.too_late() from None
        return free
