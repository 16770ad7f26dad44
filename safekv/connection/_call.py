"""One call through the pipeline, as both policies see it: its turn, its deadline, its end. No I/O."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, MutableMapping
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

from azure.core.pipeline import PipelineContext, PipelineRequest, PipelineResponse

from safekv import _events
from safekv._clock import SYSTEM_CLOCK, SYSTEM_RANDOM, Clock
from safekv._operations import Repeat, operation_of
from safekv.connection import _ending
from safekv.connection._doubt import Doubt, Verdict
from safekv.connection._identity import RAW
from safekv.connection._outcome import outcome_of
from safekv.connection._reading import client_request_id, error_in, parsed, path_of, text_of
from safekv.errors import AmbiguousWrite, DeadlineExceeded
from safekv.errors._catalogue import match
from safekv.resilience._flow import THROTTLED, Denied, Flow, Outcome, RetryLimits
from safekv.resilience._lane import Priority
from safekv.resilience._retry_after import retry_after

if TYPE_CHECKING:
    from safekv.connection._traffic import Traffic

_UNKNOWN = object()
#: The call that this thread or task is sending, for whoever waits on its behalf further down.
UNDER_WAY: ContextVar[Call | None] = ContextVar("safekv_call", default=None)
#: Called each time that a request goes out with a token, for those who only waited for one to be there.
ON_TOKEN: ContextVar[Callable[[], object] | None] = ContextVar("safekv_on_token", default=None)

_Response = PipelineResponse[Any, Any]


def goes_out(request: Any) -> None:
    """A request is sent: if it has a token, others need not wait for its answer to get theirs."""
    told = ON_TOKEN.get()
    if told is not None and "Authorization" in request.headers:
        told()


class Terms(NamedTuple):
    """What a call may do. Times in seconds."""

    limits: RetryLimits
    timeout: float
    attempt_timeout: float
    priority: Priority
    methods: frozenset[str]  # that may be repeated after an unknown outcome, whatever they do


class Call:
    """One call: whose turn it is, what to do after each attempt, and how it ends.

    :ivar wait: seconds until the next attempt after the last one, or None: there is none.
    """

    __slots__ = (
        "_began",
        "_clock",
        "_doubt",
        "_freely",
        "_lane",
        "_last",
        "_path",
        "_raw",
        "_sent",
        "_terms",
        "_traffic",
        "_turn",
        "_unsettled",
        "flow",
        "operation",
        "request",
        "transport",
        "wait",
    )

    def __init__(
        self, request: PipelineRequest[Any], transport: Any, traffic: Traffic, terms: Terms, *, freely: bool
    ) -> None:
        http = request.http_request
        context = request.context
        self.request = request
        #: The one under the pipeline; it is the one to be asked to sleep.
        self.transport = transport
        self._path = path_of(http.url)
        self.operation = operation_of(http.method, self._path)
        self.wait: float | None = None
        self._traffic = traffic
        self._terms = terms
        self._clock: Clock = getattr(transport, "clock", SYSTEM_CLOCK)
        self._began = self._turn = self._clock.monotonic()
        self._sent: float | None = None
        self._raw = RAW in context or bool(context.options.pop(RAW, False))
        repeat = self.operation.repeat
        self._freely = freely or repeat is Repeat.FREELY
        self._doubt: Doubt | None = None
        self._unsettled: str | None = None  # what was seen when it became unknown whether the write was done
        self._last: _Response | Exception | None = None
        work = traffic.work(self.operation.name, self._path, http)
        self._lane = work.lane
        self.flow = Flow(
            traffic.lane(work),
            traffic.breaker,
            traffic.budget,
            repeatable=self._freely or (repeat is not Repeat.NEVER and not self._raw),
            deadline=self._began + terms.timeout,
            limits=terms.limits,
            clock=self._clock,
            random=SYSTEM_RANDOM,
            cost=work.cost,
            priority=terms.priority,
        )

    @property
    def client_request_id(self) -> str | None:
        """``x-ms-client-request-id`` of all its requests, which the SDK's policy or its caller has chosen."""
        return client_request_id(self.request)

    # -- getting a turn

    def begin_attempt(self) -> None:
        """Nothing is known yet of what follows this attempt."""
        self.wait = self._sent = None
        if _events.hooks:
            self._turn = self._clock.monotonic()

    def poll(self) -> float:
        """0.0: send now. A number: seconds to sleep before asking again.

        :raises NoTurn: if there will be none in time.
        """
        wait = self.flow.poll()
        if isinstance(wait, Denied):
            raise NoTurn(wait)
        return wait

    def queued(self, wait: float) -> None:
        """Tell that the call sleeps for its turn."""
        last = self._last
        if isinstance(last, PipelineResponse) and last.http_response.status_code == THROTTLED:
            self._tell_wait(wait, "throttled", logging.WARNING)
        else:
            self._tell_wait(wait, "queue", logging.DEBUG)

    def bound_io(self, request: PipelineRequest[Any]) -> None:
        """Shorten the socket timeouts of ``request`` to what the deadline leaves, after all waiting for a turn.

        :raises NoTurn: if it leaves nothing.
        """
        remaining = self.flow.remaining()
        if remaining <= 0:
            raise NoTurn(Denied(0.0, "deadline"))
        if _events.hooks:
            self._sent = self._clock.monotonic()
        most = min(remaining, self._terms.attempt_timeout)
        request.context["retry_count"] = self.flow.repeats  # as the SDK's policy does, for tracing
        options = request.context.options
        config = getattr(self.transport, "connection_config", None)
        _bound(options, "connection_timeout", getattr(config, "timeout", _UNKNOWN), most)
        _bound(options, "read_timeout", getattr(config, "read_timeout", _UNKNOWN), most)

    # -- one attempt

    @property
    def in_doubt(self) -> bool:
        """Whether the next attempt takes more than sending the request again."""
        return self._doubt is not None

    def attempt(self) -> Generator[PipelineRequest[Any], _Response, _Response]:
        """The requests of one attempt; is sent the response to each, and returns the one that counts."""
        doubt = self._doubt
        assert doubt is not None
        if doubt.asks_first:
            answer = yield self._question(doubt)
            if self.wait is not None or answer.http_response.status_code in (THROTTLED, 500, 502, 503, 504):
                return answer
            if self._settled(doubt, answer):
                return self._as_answer(answer)
        response = yield self.request
        if self.wait is not None or not doubt.too_late(response.http_response.status_code):
            return response
        self._unsettled = f"HTTP {response.http_response.status_code} when it was repeated"
        if not doubt.can_ask:
            return response
        answer = yield self._question(doubt)
        done = self._settled(doubt, answer)
        return self._as_answer(answer) if done else response

    def _settled(self, doubt: Doubt, answer: _Response) -> bool:
        """Whether the write was done; if it cannot be told, it stays unsettled and is not repeated."""
        http = answer.http_response
        verdict = doubt.judge(http.status_code, parsed(text_of(http)), http.headers.get("Date"))
        if verdict is Verdict.UNCLEAR:
            self._unsettled = f"{self._unsettled}; HTTP {http.status_code} when it was read back"
            raise self._ambiguous()
        self._unsettled = None
        return verdict is Verdict.DONE

    def _question(self, doubt: Doubt) -> PipelineRequest[Any]:
        timeouts = {name: value for name, value in self.request.context.options.items() if name.endswith("_timeout")}
        return PipelineRequest(doubt.question(), PipelineContext(self.transport, **timeouts))

    def _as_answer(self, answer: _Response) -> _Response:
        """The answer to the question, as if it were the write's."""
        http = answer.http_response
        self.wait = None
        status = self._doubt.status if self._doubt is not None else None
        if status is not None:
            with suppress(AttributeError):  # a transport of the user's own may not allow it: its own status stands
                http.status_code = status
        return PipelineResponse(self.request.http_request, http, self.request.context)

    # -- what became of it

    def learn(self, response: _Response, request: PipelineRequest[Any]) -> None:
        """Take note of the answer to ``request``; says in ``wait`` what follows."""
        self._last = response
        http = response.http_response
        status = http.status_code
        if self._sent is not None:
            self._tell_request(self._sent, status, None, http.headers.get("x-ms-request-id"))
        if status < 400:
            self.wait = self.flow.answered(status)
            if request is self.request:
                self._unsettled = None
                self._traffic.learn(self.operation.name, self._path, http)
            return
        asked = retry_after(http.headers, self._clock.time())
        self.wait = self.flow.answered(status, asked)
        if status == THROTTLED:
            self._tell_throttled(asked)
        elif status in (401, 409) and self.wait is None:
            self.wait = self._until_it_settles(http)
        elif status >= 500 or status == 408:
            self._begin_to_doubt(f"HTTP {status}")
        if self.wait:
            reason = "throttled" if status == THROTTLED else f"HTTP {status}"
            self._tell_wait(self.wait, reason, logging.WARNING if status == THROTTLED else logging.INFO)

    def learn_error(self, error: Exception) -> None:
        """Take note of an attempt that brought no answer; says in ``wait`` what follows."""
        self._last = error
        if self._sent is not None:
            self._tell_request(self._sent, None, type(error).__name__, None)
        outcome = outcome_of(error)
        if outcome is None:
            self.wait = None
            return
        self.wait = self.flow.failed(outcome)
        if outcome in (Outcome.UNKNOWN, Outcome.TIMED_OUT):
            self._begin_to_doubt(type(error).__name__)
        if self.wait is not None:
            self._tell_wait(self.wait, type(error).__name__, logging.INFO)

    def _begin_to_doubt(self, seen: str) -> None:
        if self._freely or self._raw:
            return
        self._unsettled = self._unsettled or seen
        if self._doubt is None and self.operation.repeat is not Repeat.NEVER:
            self._doubt = Doubt(self.operation, self.request.http_request, self._began, self._clock)

    def _until_it_settles(self, http: Any) -> float | None:
        """Seconds until an answer that is known to pass is worth another look."""
        error = error_in(http)
        row = match(http.status_code, *error) if error else None
        if row is None or row.again is None:
            return None
        return self.flow.settling(row.id, row.again.times, row.again.after)

    # -- the end

    def again(self, state: Any) -> bool:
        """tenacity's ``retry``: whether another attempt follows the one that ``state`` tells of."""
        return self.wait is not None and not isinstance(state.outcome.exception(), NoTurn)

    def pause(self, state: Any) -> float:
        """tenacity's ``wait``."""
        return self.wait or 0.0

    def end(self, response: _Response) -> _Response:
        """The last word, where it is a response.

        :raises VaultThrottled: instead of a 429, unless the caller wants responses.
        :raises AmbiguousWrite: if a write may have been done by an attempt whose answer was lost.
        """
        status = response.http_response.status_code
        if status < 400:
            return response
        if status in (408, THROTTLED) or status >= 500 or self._unsettled:
            self._tell_end(f"HTTP {status}", None)
        if self._raw:
            return response
        if self._unsettled:
            raise self._ambiguous()
        if status == THROTTLED:
            raise self._throttled(self._retry_in(response))
        return response

    def end_error(self, error: Exception) -> Exception:
        """The last word, where it is an error."""
        if self.flow.attempts:
            self._tell_end(type(error).__name__, None)
        if self._unsettled and not isinstance(error, AmbiguousWrite):
            return self._ambiguous()
        return error

    def end_without_turn(self, denied: Denied) -> _Response:
        """The last word, where there is no time or no use for another attempt."""
        last = self._last
        self._tell_end(denied.reason, denied.retry_in)
        if isinstance(last, PipelineResponse):
            if self._raw:
                return last
            if last.http_response.status_code != THROTTLED and not self._unsettled:
                return last
        if self._unsettled:
            raise self._ambiguous()
        if isinstance(last, Exception):
            raise last
        if denied.reason in ("broken", "isolated"):
            raise _ending.left_alone(self.operation.name, self._traffic.host, denied)
        if last is None and denied.retry_in <= 0 and not self.flow.limited():
            raise _ending.too_late(self.operation.name, self._traffic.host)
        raise self._throttled(max(denied.retry_in, self.flow.lane_wait()))

    def too_late(self) -> DeadlineExceeded:
        """The error for a call whose time was over before it was sent."""
        return _ending.too_late(self.operation.name, self._traffic.host)

    def _throttled(self, retry_in: float) -> Exception:
        said = error_in(self._last.http_response) if isinstance(self._last, PipelineResponse) else None
        return _ending.throttled(self.operation.name, self._traffic.host, said, retry_in, self.flow.attempts)

    def _ambiguous(self) -> AmbiguousWrite:
        status = self._last.http_response.status_code if isinstance(self._last, PipelineResponse) else None
        return _ending.ambiguous(self.operation.name, self._traffic.host, self._unsettled or "", status)

    def _retry_in(self, response: _Response) -> float:
        asked = retry_after(response.http_response.headers, self._clock.time())
        return max(asked or 0.0, self.flow.lane_wait())

    def _tell_request(self, sent: float, status: int | None, error: str | None, request_id: str | None) -> None:
        waited, seconds = sent - self._turn, self._clock.monotonic() - sent
        host, operation, http = self._traffic.host, self.operation.name, self.request.http_request
        about = (host, operation, http.method, self._lane, status, error, self.flow.attempts, waited, seconds)
        _events.emit(_events.RequestFinished(*about, self.client_request_id, request_id))

    def _tell_throttled(self, asked: float | None) -> None:
        about = (self._traffic.host, self.operation.name, self._lane, asked, self.flow.attempts)
        _events.emit(_events.Throttled(*about, self.client_request_id))

    def _tell_wait(self, wait: float, reason: str, level: int) -> None:
        attempt = self.flow.attempts + 1
        name, host = self.operation.name, self._traffic.host
        _events.emit(_events.Waiting(host, name, self._lane, wait, reason, attempt, self.client_request_id))
        _events.logger.log(level, "%s on %s: %s; attempt %d in %.1f s", name, host, reason, attempt, wait)

    def _tell_end(self, reason: str, retry_in: float | None) -> None:
        if not self.flow.repeats and retry_in is None and reason != f"HTTP {THROTTLED}":
            return
        elapsed = self._clock.monotonic() - self._began
        name, host, attempts = self.operation.name, self._traffic.host, self.flow.attempts
        about = (host, name, self._lane, reason, attempts, elapsed, retry_in)
        _events.emit(_events.GaveUp(*about, self.client_request_id))
        _events.logger.info("%s on %s: gave up after %d attempts and %.1f s: %s", name, host, attempts, elapsed, reason)


class NoTurn(Exception):
    """There is no time, or no use, for an attempt. Ends the attempts; never leaves the policy."""

    def __init__(self, denied: Denied) -> None:
        super().__init__(denied.reason)
        self.denied = denied


def _bound(options: MutableMapping[str, Any], name: str, configured: Any, most: float) -> None:
    """See that this timeout is at most ``most`` seconds."""
    configured = options.get(name, configured)
    if configured is None or (isinstance(configured, (int, float)) and configured > most):
        options[name] = most
