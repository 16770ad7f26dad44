"""From events to OpenTelemetry's spans: one for each call, with what happens to it on the way as its events.

A span holds the vault's host and the operation, never the request's path: that has the object's name.
Others who would write down the whole URL are told to keep still meanwhile: azure-core (see
``_events.subscribe``), and client libraries of HTTP that are instrumented themselves.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import Any

from opentelemetry import context, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from safekv import _events
from safekv._fork import on_fork
from safekv.observability._labels import server

#: The names under which instrumentations of HTTP look for it; the second is the older one.
_KEEP_STILL = ("suppress_http_instrumentation", "suppress_instrumentation")


@dataclass(slots=True)
class _Call:
    """A call under way, as the events between its beginning and its end find it."""

    number: int
    span: Span
    attached: Any
    before: Token[_Call | None] | None = None


_CURRENT: ContextVar[_Call | None] = ContextVar("safekv_span", default=None)


class Spans:
    """A hook, from :meth:`begin` to :meth:`end`. ``names``: say the object's name as well."""

    def __init__(self, tracer: Tracer, *, names: bool = False) -> None:
        self._tracer = tracer
        self._names = names
        self._unsubscribe: Callable[[], None] | None = None
        self._ending = False
        self._under_way: dict[int, _Call | None] = {}
        self.after_fork()
        on_fork(self)

    def after_fork(self) -> None:
        """The calls of the parent's other threads do not end here."""
        self._lock = threading.RLock()  # the garbage collector may close a coroutine while its thread is in here
        here = _CURRENT.get()
        self._under_way = {number: call for number, call in self._under_way.items() if call and call is here}

    def begin(self) -> None:
        """Be told."""
        self._unsubscribe = _events.subscribe(self, names=self._names, traces=True)

    def end(self) -> None:
        """Begin no more spans, and be told until those have ended that are open: their threads are inside of them."""
        with self._lock:
            self._ending = True
            idle = not self._under_way
        if idle:
            self._forget()

    def _forget(self) -> None:
        unsubscribe, self._unsubscribe = self._unsubscribe, None
        if unsubscribe is not None:
            unsubscribe()

    def _comes(self, number: int) -> bool:
        with self._lock:
            if not self._ending:
                self._under_way[number] = None
            return not self._ending

    def _goes(self, number: int) -> _Call | None:
        with self._lock:
            call = self._under_way.pop(number, None)
            last = self._ending and not self._under_way
        if last:
            self._forget()
        return call

    def __call__(self, event: _events.Event) -> None:
        if isinstance(event, _events.CallStarted):
            if self._comes(event.call):
                self._under_way[event.call] = self._start(event)
            return
        if isinstance(event, _events.CallFinished):  # by its number: it may have been closed in another context
            call = self._goes(event.call)
            if call is not None:
                self._end(call, event)
            return
        call = _CURRENT.get()
        if call is None:
            return
        if not call.span.is_recording():
            pass  # not sampled; or over, and this is of a task that outlives it: another call waits for its token
        elif isinstance(event, _events.RequestFinished):
            if event.attempt > 1 or event.error or (event.status or 0) >= 400:
                call.span.add_event("attempt", _attempt(event))
        elif isinstance(event, _events.Waiting):
            call.span.add_event("wait", {"safekv.reason": event.reason, "safekv.seconds": event.seconds})
        elif isinstance(event, _events.TokenFetched):
            about: dict[str, Any] = {"safekv.credential": event.credential, "safekv.seconds": event.seconds}
            call.span.add_event("token", {**about, **({"error.type": event.error} if event.error else {})})

    def _start(self, event: _events.CallStarted) -> _Call:
        attributes: dict[str, Any] = {
            "az.namespace": "Microsoft.KeyVault",
            "http.request.method": event.method,
            "safekv.operation": event.operation,
            **server(event.vault),
        }
        span = self._tracer.start_span(event.operation, kind=SpanKind.CLIENT, attributes=attributes)
        inside = trace.set_span_in_context(span)
        for key in _KEEP_STILL:
            inside = context.set_value(key, True, inside)
        call = _Call(event.call, span, context.attach(inside))
        call.before = _CURRENT.set(call)
        return call

    def _end(self, call: _Call, event: _events.CallFinished) -> None:
        with suppress(ValueError):  # in another context there is nothing to put back
            if call.before is not None:
                _CURRENT.reset(call.before)
            context.detach(call.attached)
        about: dict[str, Any] = {
            "http.response.status_code": event.status,
            "az.client_request_id": event.client_request_id,
            "az.service_request_id": event.request_id,
            "http.request.resend_count": event.attempts - 1 if event.attempts > 1 else None,
            "safekv.name": event.name if self._names else None,
        }
        failed = event.error or (str(event.status) if (event.status or 0) >= 400 else None)
        about["error.type"] = failed
        call.span.set_attributes({name: value for name, value in about.items() if value is not None})
        if failed:
            call.span.set_status(Status(StatusCode.ERROR))
        call.span.end()


def _attempt(event: _events.RequestFinished) -> dict[str, Any]:
    about = {
        "safekv.attempt": event.attempt,
        "safekv.seconds": event.seconds,
        "safekv.waited": event.waited,
        "http.response.status_code": event.status,
        "error.type": event.error,
        "az.service_request_id": event.request_id,
    }
    return {name: value for name, value in about.items() if value is not None}
