"""One call through the pipeline, as both policies see it: its limits, its deadline, its verdicts."""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from copy import copy
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from azure.core.pipeline import PipelineRequest, PipelineResponse

from safekv._clock import SYSTEM_CLOCK, SYSTEM_RANDOM, Clock
from safekv._operations import operation_of
from safekv._settings import Settings
from safekv.connection._outcome import outcome_of
from safekv.errors import DeadlineExceeded, InvalidArgument
from safekv.resilience._flow import THROTTLED, Flow, RetryLimits
from safekv.resilience._retry_after import retry_after

_LOGGER = logging.getLogger("safekv")
_LOGGER.addHandler(logging.NullHandler())  # or Python prints warnings of a library nobody configured

#: The SDK's keywords that limit how often something is repeated.
_LIMITS = {
    "retry_total": ("total",),
    "retry_connect": ("not_sent",),
    "retry_read": ("unknown",),
    "retry_status": ("status", "throttled"),
    "retry_backoff_factor": ("fault_base",),
    "retry_backoff_max": ("cap",),
}
_UNKNOWN = object()
_KEYWORDS = (*_LIMITS, "retry_on_methods", "timeout")
#: The call that this thread or task is sending, for whoever waits on its behalf further down.
UNDER_WAY: ContextVar[Call | None] = ContextVar("safekv_call", default=None)


class CallRules:
    """What all calls of one client share. ``options`` are the client's own keywords."""

    def __init__(self, settings: Settings, options: Mapping[str, Any]) -> None:
        self.timeout = _first(options.get("timeout"), settings.timeout)
        self.methods = _methods(options)
        extra = frozenset(options.get("retry_on_status_codes", ()))
        self.limits = _limited(RetryLimits(extra_statuses=extra), options)

    def begin(self, request: PipelineRequest[Any]) -> Call:
        """Start the clock for one call; takes the retry keywords that were given for it alone."""
        problem = getattr(request.context.transport, "problem", None)
        if isinstance(problem, InvalidArgument):
            raise copy(problem)  # before the SDK's policies ask for a token, or complain less clearly
        given = _taken(request.context.options)
        http = request.http_request
        clock: Clock = getattr(request.context.transport, "clock", SYSTEM_CLOCK)
        operation = operation_of(http.method, urlsplit(http.url).path)
        limits = _limited(self.limits, given)
        if not isinstance(getattr(http, "content", None), (str, bytes, type(None))):
            limits = replace(limits, total=0)  # a file or a generator: read once, it is gone
        flow = Flow(
            repeatable=operation.repeatable or http.method in self.methods | _methods(given),
            deadline=clock.monotonic() + _first(given.get("timeout"), self.timeout),
            limits=limits,
            clock=clock,
            random=SYSTEM_RANDOM,
        )
        return Call(request, operation.name, flow, clock)


class Call:
    """One call: how much time is left, and what to do after each attempt."""

    __slots__ = ("_clock", "_name", "_request", "flow")

    def __init__(self, request: PipelineRequest[Any], name: str, flow: Flow, clock: Clock) -> None:
        self._request = request
        self._name = name
        self._clock = clock
        self.flow = flow

    @property
    def transport(self) -> Any:
        """The transport under the pipeline; it is the one to be asked to sleep."""
        return self._request.context.transport

    def bound_io(self) -> None:
        """Shorten the socket timeouts of the next attempt to what the deadline leaves.

        :raises DeadlineExceeded: if it leaves nothing.
        """
        remaining = self.flow.remaining()
        if remaining <= 0:
            raise self.too_late()
        self._request.context["retry_count"] = self.flow.attempts  # as the SDK's policy does, for tracing
        options = self._request.context.options
        config = getattr(self.transport, "connection_config", None)
        for option, default in (("connection_timeout", "timeout"), ("read_timeout", "read_timeout")):
            configured = options.get(option, getattr(config, default, _UNKNOWN))
            if configured is None or (isinstance(configured, (int, float)) and configured > remaining):
                options[option] = remaining

    def too_late(self) -> DeadlineExceeded:
        """The error for a call whose time was over before it was sent."""
        return DeadlineExceeded(
            f"{self._name} on {self._host()} was not sent: its timeout was over first.",
            hint="Give the call more time (timeout=, in seconds) or make fewer at once.",
        )

    def after_response(self, response: PipelineResponse[Any, Any]) -> float | None:
        """Seconds until the next attempt, or None: the response is the caller's."""
        http = response.http_response
        if http.status_code < 400:
            return None
        wait = self.flow.after_status(http.status_code, retry_after(http.headers, self._clock.time()))
        if wait is not None:
            self._log(wait, f"HTTP {http.status_code}")
        return wait

    def after_error(self, error: Exception) -> float | None:
        """Seconds until the next attempt, or None: the error is the caller's."""
        outcome = outcome_of(error)
        wait = None if outcome is None else self.flow.after_error(outcome)
        if wait is not None:
            self._log(wait, type(error).__name__)
        return wait

    def _log(self, wait: float, reason: str) -> None:
        level = logging.WARNING if reason == f"HTTP {THROTTLED}" else logging.INFO
        attempt = self.flow.attempts + 1
        _LOGGER.log(level, "%s on %s: %s; attempt %d in %.1f s", self._name, self._host(), reason, attempt, wait)

    def _host(self) -> str:
        return str(urlsplit(self._request.http_request.url).netloc)


def _first(given: float | None, default: float) -> float:
    return default if given is None else given


def _methods(options: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(method.upper() for method in options.get("retry_on_methods") or ())


def _taken(options: MutableMapping[str, Any]) -> dict[str, Any]:
    return {keyword: options.pop(keyword) for keyword in _KEYWORDS if keyword in options}


def _limited(limits: RetryLimits, given: Mapping[str, Any]) -> RetryLimits:
    changes = {field: given[keyword] for keyword, fields in _LIMITS.items() if keyword in given for field in fields}
    return replace(limits, **changes) if changes else limits
