"""What makes an SDK client of the aio doors a shared one. See ``_client``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safekv.connection._aconnection import AsyncConnection
from safekv.connection._client import SharedClient

if TYPE_CHECKING:
    from safekv.connection._atransport import AsyncLeasedTransport


class AsyncSharedClient(SharedClient):
    """A shared client of the aio doors."""

    _connection_kind = AsyncConnection

    async def _give_back(self, lease: AsyncLeasedTransport) -> None:
        if lease.registry.give_back(lease):
            await lease.connection.close()
