"""The aio transport of a connection: one aiohttp session per event loop, one SSL context."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import ServiceResponseTimeoutError
from azure.core.pipeline.transport import AsyncHttpTransport

from safekv._clock import Clock
from safekv.connection._call import UNDER_WAY, goes_out
from safekv.connection._closing import AsyncClosing
from safekv.connection._identity import RAW
from safekv.connection._loops import PerLoop
from safekv.connection._punctual import TOO_SLOW
from safekv.connection._tls import ssl_context, trusted_bundle
from safekv.connection._transport import Leased, closed_error, refuse, without_secrets
from safekv.connection._writes import is_read, telling
from safekv.errors import InvalidArgument

if TYPE_CHECKING:
    from azure.core.pipeline.transport import AioHttpTransport

_SOON = 0.001


class LoopTransport(AsyncClosing, AsyncHttpTransport[Any, Any]):
    """azure-core's ``AioHttpTransport``, one for each event loop that uses the connection.

    aiohttp's sessions belong to one loop; a client that outlives ``asyncio.run`` needs a
    new one in the next. azure-core would build an SSL context per request for a private
    CA; here the session has one, shared by all.
    """

    def __init__(self, pool_size: int, options: dict[str, Any]) -> None:
        from azure.core.configuration import ConnectionConfiguration

        self.connection_config = ConnectionConfiguration(**options)
        self._transports: PerLoop[AioHttpTransport] = PerLoop(partial(_make_transport, pool_size, options), _close)

    async def send(self, request: Any, **kwargs: Any) -> Any:
        """Send ``request``, and read its answer to the end within the deadline of the call under way.

        :raises ServiceResponseTimeoutError: as azure-core does when one read takes too long.
        """
        transport = await self._transports.get()
        call = UNDER_WAY.get()
        if call is None:
            return await transport.send(request, **kwargs)
        try:
            async with _within(max(_SOON, call.flow.remaining())):
                return await transport.send(request, **kwargs)
        except asyncio.TimeoutError as error:
            raise ServiceResponseTimeoutError(TOO_SLOW, error=error) from error

    async def open(self) -> None:
        """Nothing to do: each loop's session opens at its first request."""

    async def close(self) -> None:
        await self._transports.aclose()

    async def sleep(self, duration: float) -> None:
        await asyncio.sleep(duration)

    def after_fork(self) -> None:
        self._transports.after_fork()


def _within(seconds: float) -> Any:
    if sys.version_info >= (3, 11):
        return asyncio.timeout(seconds)
    from async_timeout import timeout  # aiohttp brings it where Python has none

    return timeout(seconds)


def _make_transport(pool_size: int, options: Mapping[str, Any]) -> AioHttpTransport:
    from urllib.request import getproxies

    import aiohttp
    from azure.core.pipeline.transport import AioHttpTransport

    options = dict(options)
    proxied = bool(getproxies().keys() & {"https", "all"})
    trust_env = options.pop("use_env_settings", proxied)
    verify = trusted_bundle(options.pop("connection_verify", True))
    certificate = options.pop("connection_cert", None)
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=pool_size, ssl=_trust(verify, certificate)),
        trust_env=trust_env,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )
    # aiohttp re-sends a PUT when a kept connection turns out to be closed: set_secret
    # would make two versions. There is no keyword for it; the policy does the repeating.
    session._retry_connection = False
    return AioHttpTransport(session=session, use_env_settings=trust_env, **options)


async def _close(transport: AioHttpTransport) -> None:
    await transport.close()


def _trust(verify: bool | str, certificate: Any) -> Any:
    if verify is False:
        return False
    return ssl_context(None if verify is True else verify, certificate)


class AsyncLeasedTransport(AsyncClosing, AsyncHttpTransport[Any, Any]):
    """What one aio client sees of its connection's transport; see ``LeasedTransport``."""

    def __init__(self, connection: Leased, close: Callable[[AsyncLeasedTransport], Awaitable[None]]) -> None:
        self.connection = connection
        self._close = close
        self.leases = 0
        self.registry: Any = None  # where the lease was taken, and is given back
        self.problem: InvalidArgument | None = None

    @property
    def connection_config(self) -> Any:
        return self._checked().connection_config  # a closed one must not open its connection again

    @property
    def clock(self) -> Clock:
        return self.connection.clock

    async def open(self) -> None:
        await self._checked().open()

    async def __aenter__(self) -> AsyncLeasedTransport:
        await self._checked().__aenter__()
        return self

    async def send(self, request: Any, **kwargs: Any) -> Any:
        transport = self._checked()
        kwargs.pop(RAW, None)  # still there where the user's own policies are in our place
        refuse(request, self.problem, self.connection.url)
        goes_out(request)
        if is_read(request):
            response = await transport.send(request, **kwargs)
        else:
            with telling(self.connection.url, request):
                response = await transport.send(request, **kwargs)
        if response.status_code == 401:
            self.connection.tokens.refused(request.headers.get("Authorization"))
        if response.status_code >= 400:
            with suppress(AttributeError):  # a transport of the user's own may not allow it
                response.request = without_secrets(request)
        return response

    async def sleep(self, duration: float) -> None:
        await self._checked().sleep(duration)

    async def close(self) -> None:
        await self._close(self)

    def _checked(self) -> Any:
        if self.leases <= 0:
            raise closed_error(self.connection.url)
        return self.connection.transport
