"""Metrics and spans for OpenTelemetry. It needs the extra ``otel`` (opentelemetry-api); what exports them is yours.

::

    from safekv.observability import instrument

    handle = instrument()       # the process's providers
    ...
    handle.uninstrument()
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import safekv
from safekv import _events
from safekv.errors import InvalidArgument, MissingPackage

try:
    from opentelemetry import metrics, trace
except ModuleNotFoundError as error:
    raise MissingPackage(
        f"safekv.observability.instrument needs {error.name}, which is not installed.",
        hint="pip install 'safekv[otel]', and opentelemetry-sdk with an exporter for where it is to go.",
    ) from None

from safekv.observability._metrics import Metrics
from safekv.observability._spans import Spans

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

__all__ = ["Instrumentation", "instrument"]

_SCHEMA = "https://opentelemetry.io/schemas/1.23.1"
#: A meter keeps its instruments for ever, so each provider gets them once.
_METRICS: WeakKeyDictionary[Any, Metrics] = WeakKeyDictionary()
_lock = threading.Lock()
_on: Instrumentation | None = None


class Instrumentation:
    """What :func:`instrument` has begun."""

    def __init__(self, metrics_: Metrics, stops: tuple[Callable[[], None], ...]) -> None:
        self._metrics = metrics_
        self._stops = stops

    def uninstrument(self) -> None:
        """Measure nothing any more; spans that are open are still ended. Harmless if repeated."""
        global _on
        with _lock:
            if _on is self:
                _on = None
                self._metrics.on = False
            for stop in self._stops:
                stop()

    def __enter__(self) -> Instrumentation:
        return self

    def __exit__(self, *details: object) -> None:
        self.uninstrument()


def instrument(
    meter_provider: MeterProvider | None = None,
    tracer_provider: TracerProvider | None = None,
    names: bool = False,
) -> Instrumentation:
    """Measure every call of this process to its vaults, sync and aio, until ``uninstrument()``.

    Spans are children of the caller's current span; those of refreshes in the background are roots.
    Nothing that is exported holds a value, a token or (without ``names``) the name of an object.

    :param meter_provider: by default the process's.
    :param tracer_provider: by default the process's.
    :param names: put the object's name on spans, as ``safekv.name``. Metrics never have it.
    :raises InvalidArgument: if it is on already: two would count everything twice.
    """
    global _on
    with _lock:
        if _on is not None:
            raise InvalidArgument(
                "safekv is instrumented already.", hint="Call uninstrument() of what instrument() gave you first."
            )
        meters = meter_provider or metrics.get_meter_provider()
        measure = _METRICS.get(meters)
        if measure is None:
            measure = Metrics(meters.get_meter("safekv", safekv.__version__, _SCHEMA))
            _METRICS[meters] = measure
        tracer = trace.get_tracer("safekv", safekv.__version__, tracer_provider, _SCHEMA)
        measure.on = True
        spans = Spans(tracer, names=names)
        unsubscribe = _events.subscribe(measure)  # first: a call is measured while its span is still the current one
        spans.begin()
        _on = Instrumentation(measure, (unsubscribe, spans.end))
        return _on
