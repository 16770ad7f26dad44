"""Waiting until the vault has deleted or recovered something: when to look, when it is done, when to stop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.core.polling import PollingMethod

from safekv._clock import Clock
from safekv._seconds import limit
from safekv.connection.pipeline._reading import error_in
from safekv.errors import DeadlineExceeded

P = TypeVar("P")

#: Seconds between two looks, as the SDK has it.
INTERVAL = 2.0
#: A 403 with one of these comes from the network: it says nothing about the object.
_OF_THE_NETWORK = frozenset({"ForbiddenByFirewall", "ForbiddenByConnection"})


class Waiting:
    """One wait and its deadline. No I/O.

    :param operation: what is waited for.
    :param timeout: seconds for all of it.
    :param interval: seconds between two looks.
    :param call_timeout: seconds that one look may take.
    """

    def __init__(
        self, operation: str, host: str, clock: Clock, timeout: float, interval: float, call_timeout: float
    ) -> None:
        self._operation = operation
        self._host = host
        self._clock = clock
        self._timeout = timeout
        self._interval = interval
        self._call_timeout = call_timeout
        self._deadline = clock.monotonic() + timeout
        self._last: Exception | None = None

    @classmethod
    def of(
        cls,
        client: Any,
        operation: str,
        given: Mapping[str, Any],
        *,
        interval: float = INTERVAL,
        timeout: float | None = None,
    ) -> Waiting:
        """For a call of a shared client with these keywords: ``timeout`` is that of the whole wait.

        ``timeout`` is in seconds, for a call that is given none; by default the setting ``wait_timeout``.
        """
        connection, own = client._lease.connection, client._origin[2]
        settings = connection.settings.changed(own)
        if given.get("timeout") is not None:
            timeout = limit("timeout", given["timeout"])
        if given.get("_polling_interval") is not None:  # as in the SDK, whose tests use it
            interval = given["_polling_interval"]
        return cls(
            operation,
            connection.traffic.host,
            connection.clock,
            settings.wait_timeout if timeout is None else timeout,
            interval,
            own.get("timeout") or settings.timeout,
        )

    def look_timeout(self) -> float:
        """Seconds for the next look."""
        return max(0.001, min(self._call_timeout, self._deadline - self._clock.monotonic()))

    def is_over(self, error: Exception) -> bool:
        """What an error of a look means: True: it is done, False: not yet.

        :raises Exception: the error itself, if waiting on makes no sense.
        """
        if isinstance(error, ResourceNotFoundError):
            self._last = None
            return False
        if isinstance(error, HttpResponseError) and error.status_code == 403:
            if _inner_code(error) in _OF_THE_NETWORK:
                raise error
            return True  # we may not look; before it is done, that too is answered 404
        if getattr(error, "transient", False) is True:
            self._last = error
            return False
        raise error

    def pause(self, asked: float | None = None) -> float:
        """Seconds to sleep before the next look; ``asked`` is what the vault has asked for.

        :raises DeadlineExceeded: if that would be after the deadline.
        """
        retry_in = getattr(self._last, "retry_in", None)
        pause = max(self._interval if asked is None else asked, retry_in or 0.0)
        if self._clock.monotonic() + pause < self._deadline:
            return pause
        raise self._too_late() from self._last

    def _too_late(self) -> DeadlineExceeded:
        return DeadlineExceeded(
            f"{self._operation} on {self._host} was still under way when its timeout of {self._timeout:g} s was over.",
            hint="It goes on in the vault, and what it has done so far stays done. Look later, or wait longer "
            "(timeout=, in seconds; for every wait the setting wait_timeout).",
            vault=self._host,
            operation=self._operation,
            transient=True,
        )


class BoundedPolling(PollingMethod[Any]):
    """The SDK's way to wait for a deletion or a recovery, with an end, and without taking a firewall for one."""

    def __init__(self, theirs: Any, waiting: Waiting) -> None:
        self._resource = theirs.resource()
        self._finished = theirs.finished()
        self._command = theirs._command
        self._sleep = theirs._pipeline_response.context.transport.sleep
        self._waiting = waiting

    def initialize(self, client: Any, initial_response: Any, deserialization_callback: Any) -> None:
        """Nothing to do."""

    def run(self) -> None:
        while not self._finished:
            try:
                self._command(timeout=self._waiting.look_timeout())
                self._finished = True
            except AzureError as error:
                self._finished = self._waiting.is_over(error)
            if not self._finished:
                self._sleep(self._waiting.pause())

    def status(self) -> str:
        return "finished" if self._finished else "polling"

    def finished(self) -> bool:
        return self._finished  # type: ignore[no-any-return]

    def resource(self) -> Any:
        return self._resource


def bounded(poller: P, waiting: Waiting) -> P:
    """``poller``, one of the SDK's for deletions and recoveries, with a deadline."""
    poller._polling_method = BoundedPolling(poller._polling_method, waiting)  # type: ignore[attr-defined]
    return poller


async def wait_until(command: Callable[..., Awaitable[Any]], waiting: Waiting, sleep: Any) -> None:
    """The same on aio: look with ``command`` until there is something."""
    over = False
    while not over:
        try:
            await command(timeout=waiting.look_timeout())
            over = True
        except AzureError as error:
            over = waiting.is_over(error)
        if not over:
            await sleep(waiting.pause())


def _inner_code(error: HttpResponseError) -> str | None:
    known = getattr(error, "inner_code", None)
    if known is not None:
        return str(known)
    said = error_in(error.response) if error.response is not None else None
    return said[1] if said else None
