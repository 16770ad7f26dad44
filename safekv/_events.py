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
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from weakref import WeakSet

from safekv._fork import Lock, on_fork

if TYPE_CHECKING:
    from safekv._event_types import (
        BreakerChanged,
        CacheState,
        CallFinished,
        CallStarted,
        EnvelopeState,
        Event,
        GateChanged,
        GaveUp,
        LaneState,
        ManyCredentials,
        ManyServiceCalls,
        RequestFinished,
        RingUnwrapped,
        State,
        Throttled,
        TokenFetched,
        UncachedReads,
        Waiting,
    )

__all__ = [
    "BreakerChanged",
    "CacheState",
    "CallFinished",
    "CallStarted",
    "EnvelopeState",
    "Event",
    "GateChanged",
    "GaveUp",
    "Hook",
    "LaneState",
    "ManyCredentials",
    "ManyServiceCalls",
    "RequestFinished",
    "RingUnwrapped",
    "State",
    "Stateful",
    "Subscription",
    "Throttled",
    "TokenFetched",
    "UncachedReads",
    "Waiting",
    "emit",
    "has_state",
    "hooks",
    "logger",
    "named",
    "states",
    "subscribe",
    "traced",
]

logger = logging.getLogger("safekv")
logger.addHandler(logging.NullHandler())  # or Python prints warnings of a library nobody configured


def __getattr__(name: str) -> Any:
    """The kinds of events and states, as ``_events.Throttled``: see ``_event_types``."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from safekv import _event_types

    kind = globals()[name] = getattr(_event_types, name)
    return kind


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
_replacing = Lock()


def subscribe(hook: Hook, *, names: bool = False, traces: bool = False) -> Callable[[], None]:
    """Have every event of this process given to ``hook``, in the thread where it happens; the answer ends that.

    A hook must be quick and must not call a vault: calls wait for it.

    :param names: whether ``CallFinished`` is to say the object's name.
    :param traces: it makes a span of each call, so azure-core, whose spans show the URL, is to make none.
    """
    global hooks
    mine = Subscription(hook, names, traces)
    with _replacing.it:
        hooks = (*hooks, mine)

    def unsubscribe() -> None:
        global hooks
        with _replacing.it:
            hooks = tuple(each for each in hooks if each is not mine)

    return unsubscribe


def emit(event: Event) -> None:
    """Give ``event`` to all hooks, without the name to those that did not ask for it."""
    nameless = _without_name(event)
    for hook, names, _ in hooks:
        try:
            hook(event if names else nameless)
        except Exception:  # noqa: PERF203  (one hook's trouble is not the next one's)
            logger.warning("A hook failed on %s", type(event).__name__, exc_info=True)


def _without_name(event: Event) -> Event:
    from dataclasses import replace

    from safekv._event_types import CallFinished

    return replace(event, name=None) if isinstance(event, CallFinished) and event.name else event


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
