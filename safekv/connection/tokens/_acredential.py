"""The aio source of tokens of one identity. See ``_credential``, its twin."""

from __future__ import annotations

import asyncio
import inspect
from contextlib import suppress
from typing import Any

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions

from safekv._clock import SYSTEM_CLOCK, SYSTEM_RANDOM
from safekv._fork import on_fork
from safekv.connection._closing import AsyncClosing
from safekv.connection.pipeline._call import ON_TOKEN, UNDER_WAY
from safekv.connection.pipeline._telling import TellingOfToken
from safekv.connection.tokens import _credential
from safekv.connection.tokens._credential import TokenSource, ask, keep, patience, raise_advised, too_late
from safekv.connection.tokens._flights import Flights
from safekv.connection.tokens._tokens import TokenCache, TokenKey, as_token_info
from safekv.errors import InvalidCredential


class AsyncTokenSource(AsyncClosing):
    """The aio source of tokens of one identity, for async credentials and for sync ones.

    A sync credential is asked in a worker thread, so that it cannot stall the loop; its
    tokens are then shared with the sync clients of the same identity.
    """

    def __init__(self, credential: Any, sync_source: TokenSource | None = None) -> None:
        self.credential = credential
        self._sync_source = sync_source
        self._own_cache = TokenCache(SYSTEM_CLOCK, SYSTEM_RANDOM)
        self._flights: Flights[tuple[asyncio.AbstractEventLoop, TokenKey], asyncio.Task[AccessTokenInfo]] = Flights()
        on_fork(self)

    @property
    def cache(self) -> TokenCache:
        return self._sync_source.cache if self._sync_source else self._own_cache

    def after_fork(self) -> None:
        """Start again: tokens are not inherited, and the parent's tasks never end here."""
        self._own_cache = TokenCache(SYSTEM_CLOCK, SYSTEM_RANDOM)
        self._flights = Flights()

    async def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """As :meth:`TokenSource.get_token_info`."""
        key = TokenKey.of(scopes, options or {})
        token, due = self.cache.look(key)
        if token is not None and not due:
            return token
        flight = self._flights.of((asyncio.get_running_loop(), key))
        if flight is not None and token is not None:
            return token
        flight = flight or self._start(key, token)
        try:
            # Shielded: a caller that is cancelled must not take the others' token along.
            return await asyncio.wait_for(asyncio.shield(flight), patience())
        except asyncio.TimeoutError:
            if flight.done():
                raise  # it is the credential that timed out
            raise too_late() from None

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **_: Any,
    ) -> AccessToken:
        """The same as :meth:`get_token_info`, in azure-core's older protocol."""
        key = TokenKey(scopes, tenant_id, claims, enable_cae)
        token = await self.get_token_info(*scopes, options=key.options())
        return AccessToken(token.token, token.expires_on)

    def refused(self, authorization: str | None) -> None:
        """The vault answered 401 to this ``Authorization`` header."""
        if authorization:
            self.cache.refused(authorization.partition(" ")[2])

    async def close(self) -> None:
        """The credential belongs to whoever made it; nothing is closed here."""

    def _start(self, key: TokenKey, present: AccessTokenInfo | None) -> asyncio.Task[AccessTokenInfo]:
        loop = asyncio.get_running_loop()
        self._flights.drop(lambda each: each[0].is_closed())
        flight = loop.create_task(self._refresh(key, present))
        former = self._flights.begin((loop, key), flight)
        if former is not None:
            loop.call_later(2 * _credential.FLIGHT_TIMEOUT, former.cancel)  # when nobody waits for it any more

        def landed(task: asyncio.Task[AccessTokenInfo]) -> None:
            self._flights.end((loop, key), task)
            if not task.cancelled():
                task.exception()  # seen, also when every caller has been cancelled

        flight.add_done_callback(landed)
        return flight

    async def _refresh(self, key: TokenKey, present: AccessTokenInfo | None) -> AccessTokenInfo:
        UNDER_WAY.set(None)  # this task serves many callers: the first one's deadline is not theirs
        ON_TOKEN.set(None)  # a credential that asks a vault itself, perhaps in another thread, has no token of ours
        try:
            if self._sync_source is not None:
                with suppress(InvalidCredential):
                    return await asyncio.to_thread(self._sync_source.get_token_info, *key.scopes, options=key.options())
                self._sync_source = None  # it looked synchronous, and is not
            with TellingOfToken(self.credential, key):
                answer = ask(self.credential, key)
                token = await _with_advice(self.credential, answer) if inspect.isawaitable(answer) else answer
            return keep(self.cache, self.credential, key, as_token_info(token))
        except Exception:
            if present is None:
                raise
            self.cache.postpone(key)
            return present


async def _with_advice(credential: Any, answer: Any) -> Any:
    try:
        return await answer
    except TypeError as error:
        raise_advised(credential, error)
