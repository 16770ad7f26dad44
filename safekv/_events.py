"""What happens where nobody looks: every call, every wait, every 429, every change of a gate, as data.

An event says which vault and which operation, never a value or a token. A name of an object is
only in those of the cache (``safekv.cache``), and in ``CallFinished`` for hooks that ask for it.
A hook is any callable that takes one; what it raises is logged and stops nothing. Whoever tells
something that is not rare looks at ``hooks`` first: nobody there costs nothing.

What is rather looked at than told (how fast a lane goes, what a cache has done) is a ``State``,
which :func:`states` asks of everything that has one.

>>> stop = subscribe(print)
>>> stop()
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol
from weakref import WeakSet

from safekv._fork import on_fork

logger = logging.getLogger("safekv")
logger.addHandler(logging.NullHandler())  # or Python prints warnings of a library nobody configured


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened between this process and ``vault`` (a host name)."""

    vault: str


@dataclass(frozen=True, slots=True)
class CallStarted(Event):
    """A call begins, in the thread or task that makes it; ``CallFinished`` follows there, whatever happens.

    :ivar operation: the SDK's name for it (``get_secret``), or the HTTP method where there is none.
    :ivar method: the HTTP method.
    """

    operation: str
    method: str


@dataclass(frozen=True, slots=True)
class CallFinished(Event):
    """A call is over: with an answer, or with an error. What the cache answers is no call.

    :ivar status: the last answer's HTTP status; None if there was none.
    :ivar error: the class of what was raised (``SecretNotFound``), None if nothing was.
    :ivar attempts: requests that were sent. 0: it failed before.
    :ivar seconds: from the call to its end, with all waiting.
    :ivar client_request_id: ``x-ms-client-request-id`` of all its requests.
    :ivar request_id: ``x-ms-request-id`` of the last answer, which is the audit log's CorrelationId.
    :ivar name: the object's name, for hooks that were subscribed with ``names=True``; otherwise None.
    """

    operation: str
    method: str
    status: int | None
    error: str | None
    attempts: int
    seconds: float
    client_request_id: str | None
    request_id: str | None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class RequestFinished(Event):
    """One attempt of a call brought an answer, or failed.

    :ivar status: the answer's HTTP status; None if there was none.
    :ivar error: the class of what came instead of an answer.
    :ivar waited: seconds that it waited for its turn.
    :ivar seconds: from there to the answer, including a token where one had to be fetched.
    :ivar attempt: 1 for the first.
    """

    operation: str
    method: str
    lane: str
    status: int | None
    error: str | None
    attempt: int
    waited: float
    seconds: float
    client_request_id: str | None
    request_id: str | None


@dataclass(frozen=True, slots=True)
class TokenFetched(Event):
    """A credential was asked for a token. ``vault``: the resource that it is for (``vault.azure.net``).

    :ivar credential: the class of the credential.
    :ivar error: the class of what it raised, None if it gave one.
    """

    credential: str
    error: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class RingUnwrapped(Event):
    """A key ring (``safekv.envelope``) was opened by a key in ``vault``, or could not be (``error``)."""

    error: str | None


@dataclass(frozen=True, slots=True)
class Throttled(Event):
    """A request was answered 429. ``retry_after``: seconds that the service asks for, if it does."""

    operation: str
    lane: str
    retry_after: float | None
    attempt: int
    client_request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting(Event):
    """A call sleeps for ``seconds``: for its turn in the lane (``queue``), or before it is repeated.

    ``reason`` is ``queue``, ``throttled``, ``HTTP 503``-like, the name of an exception, or ``breaker``.
    """

    operation: str
    lane: str
    seconds: float
    reason: str
    attempt: int
    client_request_id: str | None = None


@dataclass(frozen=True, slots=True)
class GateChanged(Event):
    """A lane's gate closed for ``seconds``, or opened (0). ``rate``: cost units per second from then on."""

    lane: str
    seconds: float
    rate: float | None


@dataclass(frozen=True, slots=True)
class BreakerChanged(Event):
    """The vault is left alone for ``seconds`` (``open``), or answers again (``closed``)."""

    state: str
    seconds: float


@dataclass(frozen=True, slots=True)
class GaveUp(Event):
    """A call failed that was repeated, or that was not sent for want of time.

    :ivar attempts: requests that were sent.
    :ivar elapsed: seconds since the call began.
    :ivar retry_in: seconds after which trying again makes sense, where that is known.
    """

    operation: str
    lane: str
    reason: str
    attempts: int
    elapsed: float
    retry_in: float | None
    client_request_id: str | None = None


@dataclass(frozen=True, slots=True)
class ManyCredentials(Event):
    """Several credential objects are in use for the vault; ``ManyCredentialsWarning`` says so too, once."""


@dataclass(frozen=True, slots=True)
class ManyServiceCalls(Event):
    """The service encrypts or decrypts all the time with one key; ``ManyServiceCallsWarning`` names it, once."""


@dataclass(frozen=True, slots=True)
class UncachedReads(Event):
    """The same secret is read all the time, and not kept; ``UncachedReadsWarning`` says which, once."""


@dataclass(frozen=True, slots=True)
class LaneState:
    """How one class of a vault's operations goes now; see ``lane_status()`` for more.

    :ivar rate: cost units per second; None while nothing limits it.
    :ivar waiting: calls that wait for their turn.
    """

    vault: str
    lane: str
    rate: float | None
    waiting: int


@dataclass(frozen=True, slots=True)
class CacheState:
    """What one cache of secrets has done since it began; ``cache`` is its number in this process."""

    vault: str
    cache: int
    hits: int
    misses: int
    stale: int
    negative: int
    entries: int


@dataclass(frozen=True, slots=True)
class EnvelopeState:
    """What ``safekv.envelope`` has done while anybody was subscribed: records, files and streams, and bytes of content.

    :ivar action: ``encrypt`` or ``decrypt``.
    """

    action: str
    items: int
    bytes: int


State = LaneState | CacheState | EnvelopeState


class Stateful(Protocol):
    """Something to look at."""

    def states(self) -> Iterable[State]: ...


class Hook(Protocol):
    """Whoever wants to know."""

    def __call__(self, event: Event, /) -> object: ...


class Subscription(NamedTuple):
    """A hook, and what it asked for."""

    hook: Hook
    names: bool
    traces: bool


#: Who wants to know. Empty, nothing is told; replaced as a whole, so that reading it needs no lock.
hooks: tuple[Subscription, ...] = ()


def subscribe(hook: Hook, *, names: bool = False, traces: bool = False) -> Callable[[], None]:
    """Have every event of this process given to ``hook``, in the thread where it happens; the answer ends that.

    A hook must be quick and must not call a vault: calls wait for it.

    :param names: whether ``CallFinished`` is to say the object's name.
    :param traces: it makes a span of each call, so azure-core, whose spans show the URL, is to make none.
    """
    global hooks
    mine = Subscription(hook, names, traces)
    hooks = (*hooks, mine)

    def unsubscribe() -> None:
        global hooks
        hooks = tuple(each for each in hooks if each is not mine)

    return unsubscribe


def emit(event: Event) -> None:
    """Give ``event`` to all hooks, without the name to those that did not ask for it."""
    nameless = replace(event, name=None) if isinstance(event, CallFinished) and event.name else event
    for hook, names, _ in hooks:
        try:
            hook(event if names else nameless)
        except Exception:  # noqa: PERF203  (one hook's trouble is not the next one's)
            logger.warning("A hook failed on %s", type(event).__name__, exc_info=True)


def named() -> bool:
    """Whether somebody asked for names."""
    return any(each.names for each in hooks)


def traced() -> bool:
    """Whether somebody makes spans of calls."""
    return any(each.traces for each in hooks)


class _Sources:
    """Everything that has a state, for as long as it is alive; a forked child begins with what it inherits."""

    def __init__(self) -> None:
        self._all: WeakSet[Stateful] = WeakSet()
        self.after_fork()
        on_fork(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()  # the garbage collector may end a source while its thread is in here

    def add(self, source: Stateful) -> None:
        with self._lock:
            self._all.add(source)

    def alive(self) -> list[Stateful]:
        with self._lock:
            return list(self._all)


_sources = _Sources()


def has_state(source: Stateful) -> None:
    """Ask ``source`` too, from now on, for as long as it is alive."""
    _sources.add(source)


def states() -> list[State]:
    """How everything stands now."""
    return [state for source in _sources.alive() for state in source.states()]
