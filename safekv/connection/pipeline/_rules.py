"""What all calls of one client share: the SDK's keywords of repeating, and how long a call may take."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azure.core.pipeline import PipelineRequest

from safekv._seconds import limit
from safekv._settings import Settings
from safekv.connection._bulk import is_bulk
from safekv.connection.pipeline._call import Call, Terms
from safekv.errors import InvalidArgument
from safekv.resilience._flow import RetryLimits
from safekv.resilience._lane import Priority

if TYPE_CHECKING:
    from safekv.connection._traffic import Traffic

#: The SDK's keywords that limit how often something is repeated.
_LIMITS = {
    "retry_total": ("total",),
    "retry_connect": ("not_sent",),
    "retry_read": ("unknown",),
    "retry_status": ("status", "throttled"),
    "retry_backoff_factor": ("fault_base",),
    "retry_backoff_max": ("cap",),
}
_KEYWORDS = frozenset({*_LIMITS, "retry_on_methods", "timeout"})


class CallRules:
    """``options`` are the client's own keywords; a call's keywords change them for that call."""

    def __init__(self, settings: Settings, options: Mapping[str, Any]) -> None:
        self._settings = settings
        self._timeout = limit("timeout", options.get("timeout"))
        self._methods = _methods(options)
        extra = frozenset(options.get("retry_on_status_codes", ()))
        self._limits = _limited(RetryLimits(extra_statuses=extra), options)
        self._usual = {bulk: self._terms({}, bulk) for bulk in (False, True)}

    def begin(self, request: PipelineRequest[Any], traffic: Traffic) -> Call:
        """Start the clock for one call; takes the retry keywords that were given for it alone."""
        transport = request.context.transport
        problem = getattr(transport, "problem", None)
        if problem is not None and isinstance(problem, InvalidArgument):
            raise copy(problem)  # before the SDK's policies ask for a token, or complain less clearly
        options = request.context.options
        if _KEYWORDS.isdisjoint(options):
            terms = self._usual[is_bulk()]
        else:
            terms = self._terms({keyword: options.pop(keyword) for keyword in _KEYWORDS & options.keys()}, is_bulk())
        http = request.http_request
        if not isinstance(getattr(http, "content", None), (str, bytes, type(None))):
            # A file or a generator: read once, it is gone.
            terms = terms._replace(limits=replace(terms.limits, total=0))
        return Call(request, transport, traffic, terms, freely=http.method in terms.methods)

    def _terms(self, given: Mapping[str, Any], bulk: bool) -> Terms:
        timeout = _first(limit("timeout", given.get("timeout")), self._timeout)
        usual = self._settings.bulk_timeout if bulk else self._settings.timeout
        return Terms(
            limits=_limited(self._limits, given),
            timeout=usual if timeout is None else timeout,
            attempt_timeout=self._settings.attempt_timeout,
            priority=Priority.BULK if bulk else Priority.INTERACTIVE,
            methods=self._methods | _methods(given),
        )


def _first(given: float | None, default: float | None) -> float | None:
    return default if given is None else given


def _methods(options: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(method.upper() for method in options.get("retry_on_methods") or ())


def _limited(limits: RetryLimits, given: Mapping[str, Any]) -> RetryLimits:
    changes = {field: given[keyword] for keyword, fields in _LIMITS.items() if keyword in given for field in fields}
    return replace(limits, **changes) if changes else limits
