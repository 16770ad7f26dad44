"""What makes an SDK client of the aio doors a shared one. See ``_client``."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from safekv.connection._aconnection import AsyncConnection
from safekv.connection._client import SharedClient

if TYPE_CHECKING:
    from azure.core.rest import AsyncHttpResponse, HttpRequest

    from safekv.connection.wire._atransport import AsyncLeasedTransport


class AsyncSharedClient(SharedClient):
    """A shared client of the aio doors."""

    _connection_kind = AsyncConnection

    @classmethod
    def _translator(cls) -> Any:
        from safekv.connection.pipeline._translate import AsyncTranslate

        return AsyncTranslate()

    def send_request(
        self, request: HttpRequest, *, stream: bool = False, **kwargs: Any
    ) -> Awaitable[AsyncHttpResponse]:
        """The SDK's ``send_request``: gives the response, whatever its status."""
        kwargs.update(self._raw_options())
        return super().send_request(request, stream=stream, **kwargs)  # type: ignore[misc,no-any-return]

    async def _give_back(self, lease: AsyncLeasedTransport) -> None:
        if lease.registry.give_back(lease):
            await lease.connection.close()
