"""One credential, however many clients, threads and tasks ask it for tokens.

azure-identity has no lock and each SDK client keeps its own token, so a cold start of 64
threads is 64 token requests. A :class:`TokenSource` stands in front of one credential:
requests for the same token become one, the answer is kept until shortly before it
expires, and while one caller refreshes it the others go on with the present one.
"""

from __future__ import annotations

import inspect
import re
import threading
from typing import TYPE_CHECKING, Any, NoReturn

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions

from safekv._clock import SYSTEM_CLOCK, SYSTEM_RANDOM, Clock, Random
from safekv._fork import on_fork
from safekv.connection import _emulation
from safekv.connection.pipeline._call import ON_TOKEN, UNDER_WAY
from safekv.connection.pipeline._telling import TellingOfToken
from safekv.connection.tokens._credential_kinds import no_credential, wrong_colour
from safekv.connection.tokens._flights import Flights
from safekv.connection.tokens._tokens import TokenCache, TokenKey, as_token_info
from safekv.errors import AuthenticationFailed, CredentialTooOld, SafeKVError

if TYPE_CHECKING:
    from concurrent.futures import Future

#: Seconds to wait for a token that somebody else is getting (a slow `az` takes a dozen).
FLIGHT_TIMEOUT = 60.0
#: The keywords that newer versions of the SDK pass on; an older credential knows none of them.
_UNKNOWN_KEYWORD = re.compile("unexpected keyword argument '(tenant_id|claims|enable_cae|options)'")
GUIDE = "https://github.com/Azure/azure-sdk-for-python/blob/main/sdk/keyvault/TROUBLESHOOTING.md"


class TokenSource:
    """The sync source of tokens of one identity. It is itself a credential, of both protocols."""

    def __init__(self, credential: Any, *, clock: Clock = SYSTEM_CLOCK, random: Random = SYSTEM_RANDOM) -> None:
        self.credential = credential
        self._clock = clock
        self._random = random
        self.after_fork()
        on_fork(self)

    def after_fork(self) -> None:
        """Start again: a lock may have been held, and tokens are not inherited."""
        self._lock = threading.Lock()
        self.cache = TokenCache(self._clock, self._random)
        self._flights: Flights[TokenKey, Future[AccessTokenInfo]] = Flights()

    def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """A token for the scopes; from the cache, from a request under way, or from the credential."""
        key = TokenKey.of(scopes, options or {})
        while True:
            token, due = self.cache.look(key)
            if token is None or due:
                token = self._fly(key, token)
            if token is not None:
                return token

    def _fly(self, key: TokenKey, token: AccessTokenInfo | None) -> AccessTokenInfo | None:
        """Get the next token, or wait for whoever is getting it, or go on with the present one.

        None if the other one was interrupted: then it is somebody else's turn.
        """
        from concurrent.futures import Future  # only who needs a token pays for its import

        with self._lock:
            flight = self._flights.of(key)
            leading = flight is None
            if flight is None:
                flight = Future()
                self._flights.begin(key, flight)
        if leading:
            return self._lead(key, flight)
        return token if token is not None else _landed(flight)

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **_: Any,
    ) -> AccessToken:
        """The same as :meth:`get_token_info`, in azure-core's older protocol."""
        key = TokenKey(scopes, tenant_id, claims, enable_cae)
        token = self.get_token_info(*scopes, options=key.options())
        return AccessToken(token.token, token.expires_on)

    def refused(self, authorization: str | None) -> None:
        """The vault answered 401 to this ``Authorization`` header."""
        if authorization:
            self.cache.refused(authorization.partition(" ")[2])

    def close(self) -> None:
        """The credential belongs to whoever made it; nothing is closed here."""

    def __enter__(self) -> TokenSource:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def _lead(self, key: TokenKey, flight: Future[AccessTokenInfo]) -> AccessTokenInfo:
        try:
            # Whoever led before us may have finished between our look and our lead.
            token, due = self.cache.look(key)
            if token is None or due:
                token = self._refresh(key, token)
            flight.set_result(token)
        except Exception as error:
            flight.set_exception(error)
            raise
        except BaseException:
            flight.cancel()  # an interrupt is for this thread alone
            raise
        finally:
            with self._lock:
                self._flights.end(key, flight)
        return token

    def _refresh(self, key: TokenKey, present: AccessTokenInfo | None) -> AccessTokenInfo:
        told = ON_TOKEN.set(None)  # a credential that asks a vault itself sends no token of ours
        try:
            with TellingOfToken(self.credential, key):
                token = as_token_info(self._ask(key))
            return keep(self.cache, self.credential, key, token)
        except Exception:
            if present is None:
                raise
            self.cache.postpone(key)
            return present
        finally:
            ON_TOKEN.reset(told)

    def _ask(self, key: TokenKey) -> AccessToken | AccessTokenInfo:
        answer: Any = ask(self.credential, key)
        if inspect.isawaitable(answer):
            if inspect.iscoroutine(answer):
                answer.close()  # nobody will await it
            raise wrong_colour(self.credential)
        return answer  # type: ignore[no-any-return]


def keep(cache: TokenCache, credential: Any, key: TokenKey, token: AccessTokenInfo) -> AccessTokenInfo:
    """Store a fresh token, unless an emulator made it: no real vault is to see that one."""
    return token if _emulation.instead_of(credential) else cache.store(key, token)


def ask(credential: Any, key: TokenKey) -> Any:
    """Ask a credential of either protocol; the answer of an async one is to be awaited."""
    emulation = _emulation.instead_of(credential)
    if emulation is not None:
        return emulation.credential().get_token_info(*key.scopes, options=key.options())
    try:
        if hasattr(credential, "get_token_info"):
            return credential.get_token_info(*key.scopes, options=key.options())
        if hasattr(credential, "get_token"):
            return credential.get_token(*key.scopes, **key.options())
    except TypeError as error:
        raise_advised(credential, error)
    raise no_credential(credential)


def raise_advised(credential: Any, error: TypeError) -> NoReturn:
    """Raise the error, with the guide's advice if it is the one that the guide names."""
    if not _UNKNOWN_KEYWORD.search(str(error)):
        raise error
    raise CredentialTooOld(
        f"{type(credential).__name__}.get_token failed: {error}",
        hint="The vault tells its tenant, and the credential must take it. Upgrade azure-identity to 1.8.0 or newer "
        "(pip install -U azure-identity); a credential of your own takes get_token(*scopes, **options).",
        guide_url=f"{GUIDE}#tenant-authentication-issues",
    ) from error


def _landed(flight: Future[AccessTokenInfo]) -> AccessTokenInfo | None:
    from concurrent.futures import CancelledError
    from concurrent.futures import TimeoutError as FutureTimeout

    try:
        return flight.result(timeout=patience())
    except CancelledError:
        return None
    except FutureTimeout:
        if flight.done():
            raise  # it is the credential that timed out
        raise too_late() from None


def patience() -> float:
    """Seconds to wait for a token that somebody else is getting: at most what the call has left."""
    call = UNDER_WAY.get()
    return FLIGHT_TIMEOUT if call is None else max(0.0, min(FLIGHT_TIMEOUT, call.flow.remaining()))


def too_late() -> SafeKVError:
    """The error for a caller whose patience is over."""
    call = UNDER_WAY.get()
    if call is not None and call.flow.remaining() <= 0:
        return call.too_late()
    return AuthenticationFailed(
        f"The credential gave no token within {FLIGHT_TIMEOUT:.0f} s.",
        hint="Another caller is waiting for the same token. See which part of the credential hangs: "
        "logging.getLogger('azure.identity').setLevel(logging.DEBUG).",
        guide_url=f"{GUIDE}#other-authentication-issues",
    )
