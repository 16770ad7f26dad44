"""The aio kind of connection. See ``_connection``, its twin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from safekv.connection._connection import Connection, FindTokens, SyncConnection
from safekv.connection.tokens._credential_kinds import is_async
from safekv.errors import MissingPackage

# Imported when a client is constructed; see _connection.
if TYPE_CHECKING:
    from safekv._settings import Settings
    from safekv.connection._traffic import Traffics
    from safekv.connection.pipeline._apolicy import AsyncResilience
    from safekv.connection.tokens._acredential import AsyncTokenSource
    from safekv.connection.wire._atransport import AsyncLeasedTransport


class AsyncConnection(Connection):
    colour = "aio"
    tokens: AsyncTokenSource

    def __init__(
        self, url: str, tokens: AsyncTokenSource, options: Mapping[str, Any], settings: Settings, traffics: Traffics
    ) -> None:
        from safekv.connection.pipeline._apolicy import AsyncSlots

        if "transport" not in options and find_spec("aiohttp") is None:
            raise MissingPackage(
                "safekv's aio clients need aiohttp, which is not installed.", hint="pip install 'safekv[aio]'"
            )
        self.slots = AsyncSlots(settings.pool_size)
        super().__init__(url, tokens, options, settings, traffics)

    @classmethod
    def token_source(cls, credential: Any, find: FindTokens) -> AsyncTokenSource:
        """A sync credential will do as well; its tokens are then those of the sync clients."""
        from safekv.connection.tokens._acredential import AsyncTokenSource

        behind = None if is_async(credential) else find(SyncConnection, credential)
        return AsyncTokenSource(credential, behind)

    def lease(self, close: Callable[[AsyncLeasedTransport], Any]) -> AsyncLeasedTransport:
        from safekv.connection.wire._atransport import AsyncLeasedTransport

        return AsyncLeasedTransport(self, close)

    def policy(self, options: Mapping[str, Any]) -> AsyncResilience:
        from safekv.connection.pipeline._apolicy import AsyncResilience

        return AsyncResilience(self, self.settings.changed(options), **options)

    async def close(self) -> None:
        transport, self._transport = self._transport, self._given
        if transport is not None:
            await transport.__aexit__(None, None, None)

    def after_fork(self) -> None:
        if hasattr(self._transport, "after_fork"):
            self._transport.after_fork()
        super().after_fork()

    def _open(self) -> Any:
        if "session" in self._options:  # the user's own: used as the SDK would use it
            from azure.core.pipeline.transport import AioHttpTransport

            return AioHttpTransport(**self._options)
        from safekv.connection.wire._atransport import LoopTransport

        return LoopTransport(self.settings.pool_size, self._options)
