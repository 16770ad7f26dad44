"""One vault for one identity in one process: its transport, its tokens, its clients."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Any, ClassVar

from safekv._clock import SYSTEM_CLOCK, Clock, VirtualClock
from safekv._settings import Settings
from safekv.connection._apolicy import AsyncResilience, AsyncSlots
from safekv.connection._atransport import AsyncLeasedTransport, LoopTransport
from safekv.connection._credential import AsyncTokenSource, TokenSource
from safekv.connection._fork import on_fork
from safekv.connection._policy import Resilience, Slots
from safekv.connection._transport import LeasedTransport, pooled_transport

#: Differently configured clients that one connection keeps for the next caller.
MAX_CLIENTS = 32


class Connection:
    """What all clients of one vault and identity share; subclassed once per colour.

    :param options: the keywords of ``CONNECTION_OPTIONS`` that were given.
    """

    colour: ClassVar[str]
    slots: Any

    def __init__(self, url: str, tokens: Any, options: Mapping[str, Any], settings: Settings) -> None:
        self.url = url
        self.tokens = tokens
        self.settings = settings
        self.leases = 0
        self.clients: OrderedDict[Hashable, Any] = OrderedDict()
        timeouts = {"connection_timeout": settings.connection_timeout, "read_timeout": settings.read_timeout}
        self._options = {**timeouts, **options}
        self._given = self._options.pop("transport", None)
        self._transport = self._given
        self._lock = threading.Lock()
        self._abandoned: list[object] = []
        on_fork(self)

    @property
    def transport(self) -> Any:
        """The transport that all leases share; opened at the first request."""
        if self._transport is None:
            with self._lock:
                if self._transport is None:
                    self._transport = self._open()
        return self._transport

    @property
    def clock(self) -> Clock:
        """The machine's clock, or the virtual one of an emulator that runs in this process."""
        clock = getattr(self._given, "clock", None)
        return clock if isinstance(clock, VirtualClock) else SYSTEM_CLOCK

    def remember(self, key: Hashable, client: Any) -> None:
        """Give this client to the next caller who asks with the same options."""
        self.clients[key] = client
        while len(self.clients) > MAX_CLIENTS:
            self.clients.popitem(last=False)

    def after_fork(self) -> None:
        """The child opens a transport of its own; the parent's is kept, but never closed or used."""
        self._lock = threading.Lock()
        self.slots.after_fork()
        if self._given is None and self._transport is not None:
            self._abandoned.append(self._transport)
            self._transport = None

    def lease(self, close: Callable[[Any], Any]) -> Any:
        """A transport for one client; ``close`` is called with it when the client closes."""
        raise NotImplementedError

    def policy(self, options: Mapping[str, Any]) -> Any:
        """A retry policy for one client (a policy belongs to one pipeline)."""
        raise NotImplementedError

    def close(self) -> Any:
        """Close the transport, if it was ever opened."""
        raise NotImplementedError

    def _open(self) -> Any:
        raise NotImplementedError


class SyncConnection(Connection):
    colour = "sync"
    tokens: TokenSource

    def __init__(self, url: str, tokens: TokenSource, options: Mapping[str, Any], settings: Settings) -> None:
        self.slots = Slots(settings.pool_size)
        super().__init__(url, tokens, options, settings)

    def lease(self, close: Callable[[LeasedTransport], None]) -> LeasedTransport:
        return LeasedTransport(self, close)

    def policy(self, options: Mapping[str, Any]) -> Resilience:
        return Resilience(self.settings, self.slots, **options)

    def close(self) -> None:
        transport, self._transport = self._transport, self._given
        if transport is not None:
            transport.__exit__(None, None, None)

    def _open(self) -> Any:
        return pooled_transport(self.settings.pool_size, self._options)


class AsyncConnection(Connection):
    colour = "aio"
    tokens: AsyncTokenSource

    def __init__(self, url: str, tokens: AsyncTokenSource, options: Mapping[str, Any], settings: Settings) -> None:
        self.slots = AsyncSlots(settings.pool_size)
        super().__init__(url, tokens, options, settings)

    def lease(self, close: Callable[[AsyncLeasedTransport], Any]) -> AsyncLeasedTransport:
        return AsyncLeasedTransport(self, close)

    def policy(self, options: Mapping[str, Any]) -> AsyncResilience:
        return AsyncResilience(self.settings, self.slots, **options)

    async def close(self) -> None:
        transport, self._transport = self._transport, self._given
        if transport is not None:
            await transport.__aexit__(None, None, None)

    def after_fork(self) -> None:
        if isinstance(self._transport, LoopTransport):
            self._transport.after_fork()
        super().after_fork()

    def _open(self) -> LoopTransport:
        return LoopTransport(self.settings.pool_size, self._options)
