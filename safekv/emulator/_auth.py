"""Who may come in: the challenge, and the few tokens that are turned away.

Anybody with a bearer token is let in, unless the token was revoked, or is one of ours (see
``_tokens``) and does not fit the vault.
"""

from __future__ import annotations

import base64
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safekv.emulator._answers import error, reworded
from safekv.emulator._messages import Request, Response
from safekv.emulator._tokens import read_claims, read_token, satisfies
from safekv.emulator._vault import Surroundings, Vault
from safekv.errors._catalogue import ServiceError, by_id

_MOST_TOKENS = 10_000


@dataclass(slots=True)
class _Seen:
    """A token that was presented. Of the token itself only a hash is kept, as its key."""

    payload: dict[str, Any] | None
    revoked: bool = False


def bearer_token(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


class Authentication:
    """Checks tokens, and writes challenges."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._settings = surroundings.settings
        self._seen: OrderedDict[int, _Seen] = OrderedDict()
        self._revoked_before = 0
        self._claims: dict[str, Any] = {}
        self._claims_text = ""

    def reset(self) -> None:
        self._seen.clear()
        self._revoked_before = 0
        self.require(None)

    def revoke(self, now: float) -> None:
        """Tokens presented until now are no good any more, nor are tokens of ours issued before this second."""
        for seen in self._seen.values():
            seen.revoked = True
        self._revoked_before = int(now)

    def require(self, claims: str | None) -> None:
        """From now on tokens have to carry what this claims request asks for; None lifts that."""
        self._claims = read_claims(claims) if claims else {}
        self._claims_text = base64.b64encode((claims or "").encode()).decode()

    def refuse(self, vault: Vault, token: str | None, now: float) -> Response | None:
        """The 401 that this token gets; None if it is let in."""
        if token is None:
            return self.challenge(vault, by_id("401_mhsm_challenge" if vault.hsm else "401_challenge"))
        seen = self._look_up(token)
        reason = self._reason(vault, seen, now)
        if reason is not None:
            return self.challenge(vault, reason)
        if self._claims and not satisfies(seen.payload or {}, self._claims):
            extra = f', error="insufficient_claims", claims="{self._claims_text}"'
            return self.challenge(vault, by_id("401_challenge"), extra)
        return None

    def payload(self, token: str | None) -> Mapping[str, Any]:
        """What a token says; nothing if it is not one of ours."""
        return (self._look_up(token).payload or {}) if token else {}

    def challenge(self, vault: Vault, row: ServiceError, extra: str = "") -> Response:
        """A 401 with the header that tells a client where to get a token."""
        return error(row, {}, self.challenge_header(vault, extra))

    def challenge_header(self, vault: Vault, extra: str = "") -> dict[str, str]:
        authority = f"{self._settings.login}/{vault.tenant}"
        return {"WWW-Authenticate": f'Bearer authorization="{authority}", resource="{vault.resource}"{extra}'}

    def _look_up(self, token: str) -> _Seen:
        key = hash(token)
        seen = self._seen.get(key)
        if seen is None:
            seen = self._seen[key] = _Seen(read_token(token))
            if len(self._seen) > _MOST_TOKENS:
                self._seen.popitem(last=False)
        return seen

    def _reason(self, vault: Vault, seen: _Seen, now: float) -> ServiceError | None:
        payload = seen.payload
        if seen.revoked or (payload and _number(payload.get("iat"), now) < self._revoked_before):
            return by_id("401_expired")
        if payload is None:  # an enforcing vault has to know who asks
            return by_id("401_sigkey") if self._settings.strict_tokens or vault.enforce else None
        return self._misfit(vault, payload, now) if self._settings.check_tokens else None

    def _misfit(self, vault: Vault, payload: dict[str, Any], now: float) -> ServiceError | None:
        if _number(payload.get("exp"), now + 1) <= now:
            return by_id("401_expired")
        audience = payload.get("aud")
        if audience not in (vault.resource, f"{vault.resource}/"):
            return _wrong_audience(vault.resource, str(audience))
        tenant = payload.get("tid")
        if (vault.moved or self._settings.check_issuer) and tenant is not None and tenant != vault.tenant:
            return _wrong_issuer(vault.tenant, str(tenant))
        return None


def _wrong_audience(expected: str, found: str) -> ServiceError:
    return reworded("401_audience", {"https://vault.azure.net": expected, "https://management.azure.com/": found})


def _wrong_issuer(expected: str, found: str) -> ServiceError:
    return reworded("401_issuer", {"<tenant1>": expected, "<tenant2>": found})


def _number(value: Any, otherwise: float) -> float:
    return value if isinstance(value, int | float) else otherwise
