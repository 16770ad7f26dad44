"""One vault for one identity in one process: its transport, its tokens, its clients."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakValueDictionary

from safekv._clock import SYSTEM_CLOCK, Clock, VirtualClock
from safekv._fork import on_fork
from safekv.connection import _emulation
from safekv.connection._identity import LANE_OPTIONS, Same
from safekv.connection.tokens._credential_kinds import is_async, wrong_colour

# What only a constructed client needs is imported then: importing a door costs little more
# than importing the SDK's.
if TYPE_CHECKING:
    from safekv._settings import Settings
    from safekv.connection._traffic import Traffic, Traffics
    from safekv.connection.pipeline._policy import Resilience
    from safekv.connection.tokens._credential import TokenSource
    from safekv.connection.wire._transport import LeasedTransport

FindTokens = Callable[[type["Connection"], Any], Any]

#: Differently configured clients that one connection keeps for the next caller.
MAX_CLIENTS = 32


class Connection:
    """What all clients of one vault and identity share; subclassed once per colour.

    :param options: the keywords of ``CONNECTION_OPTIONS`` that were given.
    """

    colour: ClassVar[str]
    slots: Any

    def __init__(
        self, url: str, tokens: Any, options: Mapping[str, Any], settings: Settings, traffics: Traffics
    ) -> None:
        self.url = url
        self.tokens = tokens
        self.settings = settings.changed(options)
        self.leases = 0
        self.clients: OrderedDict[Hashable, Any] = OrderedDict()
        #: What its clients keep of the vault, by the settings of that; held by those clients.
        self.caches: WeakValueDictionary[Hashable, Any] = WeakValueDictionary()
        timeouts = {"connection_timeout": settings.connection_timeout, "read_timeout": settings.read_timeout}
        network = {name: value for name, value in options.items() if name not in LANE_OPTIONS}
        self._options = {**timeouts, **network}
        self._given = self._options.pop("transport", None)
        self._transport = self._given
        self._way = Same(self._given or self._options.get("session"))
        self._traffic = traffics.of(url, self._way, self.settings, lambda: self.clock)
        self._lock = threading.Lock()
        self._abandoned: list[object] = []
        on_fork(self)

    @property
    def transport(self) -> Any:
        """The transport that all leases share; opened at the first request."""
        emulation = _emulation.active()
        if emulation is not None and self._given is None:
            return emulation.transport(self.colour)
        if self._transport is None:
            with self._lock:
                if self._transport is None:
                    self._transport = self._open()
        return self._transport

    @property
    def clock(self) -> Clock:
        """The machine's clock, or the virtual one of an emulator that runs in this process."""
        emulation = _emulation.active()
        emulated = emulation.transport(self.colour) if emulation is not None else None
        clock = getattr(self._given or emulated, "clock", None)
        return clock if isinstance(clock, VirtualClock) else SYSTEM_CLOCK

    @property
    def traffic(self) -> Traffic:
        """The lanes, breaker and budget that everything shares that talks to this vault."""
        emulation = _emulation.active()
        if emulation is None or self._given is not None:
            return self._traffic
        return emulation.traffics.of(self.url, None, self.settings, lambda: self.clock)

    @property
    def given_transport(self) -> Any:
        """The caller's own transport, or None."""
        return self._given

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

    @classmethod
    def token_source(cls, credential: Any, find: FindTokens) -> Any:
        """A source of this colour in front of the credential; ``find`` finds one of another colour.

        :raises InvalidCredential: if the credential is of a colour that this one cannot ask.
        """
        raise NotImplementedError

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

    def __init__(
        self, url: str, tokens: TokenSource, options: Mapping[str, Any], settings: Settings, traffics: Traffics
    ) -> None:
        from safekv.connection.pipeline._policy import Slots

        self.slots = Slots(settings.pool_size)
        super().__init__(url, tokens, options, settings, traffics)

    @classmethod
    def token_source(cls, credential: Any, find: FindTokens) -> TokenSource:
        if is_async(credential):
            raise wrong_colour(credential)
        from safekv.connection.tokens._credential import TokenSource

        return TokenSource(credential)

    def lease(self, close: Callable[[LeasedTransport], None]) -> LeasedTransport:
        from safekv.connection.wire._transport import LeasedTransport

        return LeasedTransport(self, close)

    def policy(self, options: Mapping[str, Any]) -> Resilience:
        from safekv.connection.pipeline._policy import Resilience

        return Resilience(self, self.settings.changed(options), **options)

    def close(self) -> None:
        transport, self._transport = self._transport, self._given
        if transport is not None:
            transport.__exit__(None, None, None)

    def _open(self) -> Any:
        if "session" in self._options:  # the user's own: used as the SDK would use it
            from azure.core.pipeline.transport import RequestsTransport

            return RequestsTransport(**self._options)
        from safekv.connection.wire._transport import pooled_transport

        return pooled_transport(self.settings.pool_size, self._options)
