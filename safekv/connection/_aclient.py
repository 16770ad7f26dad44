"""What makes an SDK client of the aio doors a shared one. See ``_client``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safekv.connection._aconnection import AsyncConnection
from safekv.connection._client import SharedClient

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from azure.core.rest import AsyncHttpResponse, HttpRequest

    from safekv.connection._atransport import AsyncLeasedTransport


class AsyncSharedClient(SharedClient):
    """A shared client of the aio doors."""

    _connection_kind = AsyncConnection

    @classmethod
    def _translator(cls) -> Any:
        from safekv.connection._translate import AsyncTranslate

        return AsyncTranslate()

    def send_request(
        self, request: HttpRequest, *, stream: bool = False, **kwargs: Any
    ) -> Awaitable[AsyncHttpResponse]:
        """As the SDK's: the answer is returned, whatever its status."""
        answer: Awaitable[AsyncHttpResponse] = super().send_request(  # type: ignore[misc]
            request, stream=stream, **self._raw_options(), **kwargs
        )
        return answer

    async def _give_back(self, lease: AsyncLeasedTransport) -> None:
        if lease.registry.give_back(lease):
            await lease.connection.close()
