"""From events and states to OpenTelemetry's metrics. docs/monitoring.md lists them.

Labels: the vault's host, the operation, the status or the class of the error; nothing that names an object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from safekv import _events
from safekv.observability._labels import Labels, server

#: Seconds. A vault answers in some tens of milliseconds; a call may wait for its turn until its timeout.
REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10)
CALL_BUCKETS = (*REQUEST_BUCKETS, 30, 60, 300)

S = TypeVar("S", bound=_events.State)
Attributes = dict[str, Any]


class Metrics:
    """The instruments of one meter; a hook. ``on`` says whether the observed ones say anything."""

    def __init__(self, meter: Meter) -> None:
        self.on = False
        self._labels = Labels()
        self._make_counted(meter)
        self._make_observed(meter)
        self._handlers: dict[type[_events.Event], Callable[[Any], None]] = {
            _events.RequestFinished: self._request,
            _events.CallFinished: self._call,
            _events.Throttled: self._throttled,
            _events.BreakerChanged: self._breaker,
            _events.TokenFetched: self._token,
            _events.RingUnwrapped: self._unwrapped,
        }

    def __call__(self, event: _events.Event) -> None:
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    # Told

    def _make_counted(self, meter: Meter) -> None:
        def counter(name: str, unit: str, description: str) -> Any:
            return meter.create_counter(name, unit, description)

        def histogram(name: str, description: str, buckets: tuple[float, ...]) -> Any:
            return meter.create_histogram(name, "s", description, explicit_bucket_boundaries_advisory=buckets)

        self._requests = counter("safekv.requests", "{request}", "Requests sent to vaults, with every repetition.")
        self._request_time = histogram("safekv.request.duration", "From a request to its answer.", REQUEST_BUCKETS)
        self._call_time = histogram("safekv.call.duration", "From a call to its end, all waiting.", CALL_BUCKETS)
        self._throttles = counter("safekv.throttled", "{request}", "Requests that were answered 429.")
        self._lane_time = histogram("safekv.lane.wait", "How long requests wait for their turn.", CALL_BUCKETS)
        self._openings = counter("safekv.breaker.opened", "{time}", "Times that a vault was left alone.")
        self._tokens = counter("safekv.token.fetches", "{token}", "Tokens that credentials were asked for.")
        self._token_time = histogram("safekv.token.duration", "How long a credential took.", REQUEST_BUCKETS)
        self._unwraps = counter("safekv.envelope.unwraps", "{ring}", "Key rings opened by a key in a vault.")

    def _request(self, event: _events.RequestFinished) -> None:
        labels = self._about(event.vault, event.operation, event.status, event.error)
        self._requests.add(1, labels)
        self._request_time.record(event.seconds, labels)
        self._lane_time.record(event.waited, self._lane(event.vault, event.lane))

    def _call(self, event: _events.CallFinished) -> None:
        labels = self._about(event.vault, event.operation, event.status, event.error)
        self._call_time.record(event.seconds, labels)

    def _throttled(self, event: _events.Throttled) -> None:
        operation = {"safekv.operation": self._labels.operation(event.operation)}
        self._throttles.add(1, {**self._lane(event.vault, event.lane), **operation})

    def _breaker(self, event: _events.BreakerChanged) -> None:
        if event.state == "open":
            self._openings.add(1, self._vault(event.vault))

    def _token(self, event: _events.TokenFetched) -> None:
        labels = {**self._vault(event.vault), "safekv.credential": self._labels.name(event.credential)}
        labels |= self._error(event.error)
        self._tokens.add(1, labels)
        self._token_time.record(event.seconds, labels)

    def _unwrapped(self, event: _events.RingUnwrapped) -> None:
        self._unwraps.add(1, {**self._vault(event.vault), **self._error(event.error)})

    # Looked at

    def _make_observed(self, meter: Meter) -> None:
        def gauge(name: str, unit: str, description: str, look: Any) -> None:
            meter.create_observable_gauge(name, [self._looking(look)], unit, description)

        def counter(name: str, unit: str, description: str, look: Any) -> None:
            meter.create_observable_counter(name, [self._looking(look)], unit, description)

        gauge("safekv.lane.rate", "{unit}/s", "The rate that a lane goes at, while it limits anything.", self._rates)
        gauge("safekv.lane.waiting", "{call}", "Calls that wait for their turn.", self._waiting)
        counter("safekv.cache.reads", "{read}", "Reads of secrets, by where the answer came from.", self._reads)
        gauge("safekv.cache.entries", "{secret}", "Secrets that are kept.", self._entries)
        counter("safekv.envelope.bytes", "By", "Content that was encrypted and decrypted.", self._bytes)
        counter("safekv.envelope.items", "{item}", "Records, files and streams, likewise.", self._items)

    def _looking(self, look: Callable[[], Iterator[tuple[float, Attributes]]]) -> Any:
        """``look`` as a callback; what has the same labels is one number."""

        def callback(options: CallbackOptions) -> Iterable[Observation]:
            sums: dict[tuple[tuple[str, Any], ...], float] = {}
            for value, labels in look() if self.on else ():
                key = tuple(labels.items())
                sums[key] = sums.get(key, 0) + value
            return [Observation(value, dict(key)) for key, value in sums.items()]

        return callback

    def _rates(self) -> Iterator[tuple[float, Attributes]]:
        for state in _of(_events.LaneState):
            if state.rate is not None:
                yield state.rate, self._lane(state.vault, state.lane)

    def _waiting(self) -> Iterator[tuple[float, Attributes]]:
        for state in _of(_events.LaneState):
            yield state.waiting, self._lane(state.vault, state.lane)

    def _reads(self) -> Iterator[tuple[float, Attributes]]:
        for state in _of(_events.CacheState):
            for result in ("hits", "misses", "stale", "negative"):
                yield getattr(state, result), {**self._vault(state.vault), "safekv.cache.result": _ONE_OF[result]}

    def _entries(self) -> Iterator[tuple[float, Attributes]]:
        for state in _of(_events.CacheState):
            yield state.entries, self._vault(state.vault)

    def _bytes(self) -> Iterator[tuple[float, Attributes]]:
        for state in _of(_events.EnvelopeState):
            yield state.bytes, {"safekv.envelope.action": state.action}

    def _items(self) -> Iterator[tuple[float, Attributes]]:
        for state in _of(_events.EnvelopeState):
            yield state.items, {"safekv.envelope.action": state.action}

    # Labels

    def _vault(self, vault: str) -> Attributes:
        return dict(server(self._labels.vault(vault)))

    def _lane(self, vault: str, lane: str) -> Attributes:
        return {**self._vault(vault), "safekv.lane": self._labels.name(lane)}

    def _error(self, error: str | None) -> Attributes:
        return {} if error is None else {"error.type": self._labels.error(error)}

    def _about(self, vault: str, operation: str, status: int | None, error: str | None) -> Attributes:
        labels = {**self._vault(vault), "safekv.operation": self._labels.operation(operation)}
        if status is not None:
            labels["http.response.status_code"] = status
            error = error or (str(status) if status >= 400 else None)
        return {**labels, **self._error(error)}


_ONE_OF = {"hits": "hit", "misses": "miss", "stale": "stale", "negative": "negative"}


def _of(kind: type[S]) -> Iterator[S]:
    return (state for state in _events.states() if isinstance(state, kind))
