"""What can be told and looked at, as data. Loaded when the first of it is needed: seventeen dataclasses cost a tenth of
what importing a door costs, and most processes tell nobody anything.
"""

from __future__ import annotations

from dataclasses import dataclass


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
    """A credential was asked for a token. ``vault``: what it is for (``vault.azure.net``; a vault of the emulator).

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
