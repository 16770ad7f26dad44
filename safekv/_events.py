"""What happens where nobody looks: every wait, every 429, every change of a gate, as data.

An event says which vault and which operation, never a name of an object, a value or a token;
only those of the cache (``safekv.cache``) also say which secret.
A hook is any callable that takes one; what it raises is logged and stops nothing.

>>> stop = subscribe(print)
>>> stop()
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

logger = logging.getLogger("safekv")
logger.addHandler(logging.NullHandler())  # or Python prints warnings of a library nobody configured


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened between this process and ``vault`` (a host name)."""

    vault: str


@dataclass(frozen=True, slots=True)
class Throttled(Event):
    """A request was answered 429. ``retry_after``: seconds that the service asks for, if it does."""

    operation: str
    lane: str
    retry_after: float | None
    attempt: int


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


@dataclass(frozen=True, slots=True)
class ManyCredentials(Event):
    """Several credential objects are in use for the vault; ``ManyCredentialsWarning`` says so too, once."""


@dataclass(frozen=True, slots=True)
class ManyServiceCalls(Event):
    """The service encrypts or decrypts all the time with one key; ``ManyServiceCallsWarning`` names it, once."""


@dataclass(frozen=True, slots=True)
class UncachedReads(Event):
    """The same secret is read all the time, and not kept; ``UncachedReadsWarning`` says which, once."""


class Hook(Protocol):
    """Whoever wants to know."""

    def __call__(self, event: Event, /) -> object: ...


_hooks: tuple[Hook, ...] = ()


def subscribe(hook: Hook) -> Callable[[], None]:
    """Have every event of this process given to ``hook``, in the thread where it happens; the answer ends that.

    A hook must be quick and must not call a vault: calls wait for it.
    """
    global _hooks
    _hooks = (*_hooks, hook)

    def unsubscribe() -> None:
        global _hooks
        _hooks = tuple(each for each in _hooks if each is not hook)

    return unsubscribe


def emit(event: Event) -> None:
    """Give ``event`` to all hooks."""
    for hook in _hooks:
        try:
            hook(event)
        except Exception:  # noqa: PERF203  (one hook's trouble is not the next one's)
            logger.warning("A hook failed on %s", type(event).__name__, exc_info=True)
