"""When a token may be used, and when it is time for the next: decisions, without asking anybody."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions

from safekv._clock import Clock, Random

#: Different (scope, tenant, claims) that one identity keeps tokens for.
MAX_TOKENS = 64
#: Seconds after a failed refresh in which the present token is used without asking again.
REFRESH_PAUSE = 30.0


class TokenKey(NamedTuple):
    """What a token is good for. A token for one key is never given out for another."""

    scopes: tuple[str, ...]
    tenant_id: str | None = None
    claims: str | None = None
    enable_cae: bool = False

    @classmethod
    def of(cls, scopes: Sequence[str], options: TokenRequestOptions) -> TokenKey:
        return cls(
            tuple(scopes), options.get("tenant_id"), options.get("claims"), bool(options.get("enable_cae", False))
        )

    def options(self) -> TokenRequestOptions:
        """The request's options; only those that were given."""
        options: TokenRequestOptions = {}
        if self.tenant_id:
            options["tenant_id"] = self.tenant_id
        if self.claims:
            options["claims"] = self.claims
        if self.enable_cae:
            options["enable_cae"] = True
        return options

    def without_claims(self) -> TokenKey:
        return TokenKey(self.scopes, self.tenant_id, None, self.enable_cae)


class _Entry:
    __slots__ = ("number", "refresh_at", "token", "usable_until")

    def __init__(self, number: int, token: AccessTokenInfo, refresh_at: float, usable_until: float) -> None:
        self.number = number
        self.token = token
        self.refresh_at = refresh_at
        self.usable_until = usable_until


class TokenCache:
    """Tokens of one identity, by what they are good for. Thread-safe; times are seconds since 1970."""

    def __init__(self, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._random = random
        self._lock = threading.Lock()
        self._entries: OrderedDict[TokenKey, _Entry] = OrderedDict()
        self._numbers = count()

    def look(self, key: TokenKey) -> tuple[AccessTokenInfo | None, bool]:
        """A usable token or None, and whether it is time to get the next one."""
        now = self._clock.time()
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or entry.usable_until <= now:
                return None, True
            self._entries.move_to_end(key)
            return entry.token, entry.refresh_at <= now

    def store(self, key: TokenKey, token: AccessTokenInfo) -> AccessTokenInfo:
        """Keep a fresh token; returns it with the moment at which its user should ask again."""
        now = self._clock.time()
        lifetime = max(0.0, token.expires_on - now)
        refresh_at = self._refresh_at(token, lifetime)
        kept = AccessTokenInfo(token.token, token.expires_on, token_type=token.token_type, refresh_on=int(refresh_at))
        entry = _Entry(next(self._numbers), kept, refresh_at, token.expires_on - min(60.0, lifetime * 0.1))
        with self._lock:
            # Whoever asked with claims was told that the older token is no longer enough.
            for each in {key, key.without_claims()}:
                self._entries[each] = entry
                self._entries.move_to_end(each)
            while len(self._entries) > MAX_TOKENS:
                self._entries.popitem(last=False)
        return kept

    def postpone(self, key: TokenKey) -> None:
        """A refresh failed: use the present token for a while before the next try."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                entry.refresh_at = self._clock.time() + REFRESH_PAUSE

    def refused(self, token: str) -> None:
        """The vault refused this token: forget it, and older ones for the same thing.

        What revokes a token (CAE) revokes all that were issued before some moment.
        """
        with self._lock:
            entries = list(self._entries.items())
            last = {key.without_claims(): entry.number for key, entry in entries if entry.token.token == token}
            for key, entry in entries:
                if entry.number <= last.get(key.without_claims(), -1):
                    del self._entries[key]

    def _refresh_at(self, token: AccessTokenInfo, lifetime: float) -> float:
        """Up to a tenth of the lifetime (at most 5 min) early, so that a fleet does not refresh at once."""
        latest = token.expires_on - min(300.0, lifetime * 0.2)
        due = min(token.refresh_on, latest) if token.refresh_on else latest
        return due - self._random.random() * min(300.0, lifetime * 0.1)


def as_token_info(token: AccessToken | AccessTokenInfo) -> AccessTokenInfo:
    """Either of azure-core's two kinds of token as the newer kind."""
    if isinstance(token, AccessTokenInfo):
        return token
    return AccessTokenInfo(token.token, token.expires_on)
