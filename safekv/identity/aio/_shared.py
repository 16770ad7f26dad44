"""Shared credentials for asyncio: one of azure-identity's for each event loop behind each."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeVar

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions

from safekv._fork import on_fork
from safekv.connection._closing import AsyncClosing
from safekv.connection._loops import PerLoop
from safekv.identity._shared import Shared

Self = TypeVar("Self", bound="AsyncSharedCredential")


class AsyncSharedCredential(AsyncClosing, Shared):
    """The aio kind. azure-identity's session belongs to one loop; this credential does not."""

    _per_loop: PerLoop[Any]

    def _start(self) -> None:
        super()._start()
        args, kwargs = self._arguments
        self._per_loop = PerLoop(partial(self._original, *args, **kwargs), _close)
        on_fork(self)

    def after_fork(self) -> None:
        self._per_loop.after_fork()

    async def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        """As azure-identity's, from the credential of the running loop."""
        token: AccessToken = await (await self._per_loop.get()).get_token(*scopes, **kwargs)
        return token

    async def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """As azure-identity's, from the credential of the running loop."""
        token: AccessTokenInfo = await (await self._per_loop.get()).get_token_info(*scopes, options=options)
        return token

    async def close(self) -> None:
        """Give back one lease; the last one closes azure-identity's credentials."""
        if self._give_back():
            await self._per_loop.aclose()


async def _close(credential: Any) -> None:
    await credential.close()
