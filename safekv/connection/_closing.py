"""``async with`` for whatever has a ``close()``."""

from __future__ import annotations

from types import TracebackType
from typing import TypeVar

Self = TypeVar("Self", bound="AsyncClosing")


class AsyncClosing:
    """Entering gives the object itself, leaving closes it."""

    async def close(self) -> None:
        """Close what is open."""
        raise NotImplementedError

    async def __aenter__(self: Self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()
