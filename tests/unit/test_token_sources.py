"""Many ask, one asks the credential: the sources of tokens under real threads and tasks."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo
from azure.core.exceptions import ClientAuthenticationError

from safekv._clock import VirtualClock
from safekv.connection.tokens import _credential, _flights
from safekv.connection.tokens._acredential import AsyncTokenSource
from safekv.connection.tokens._credential import TokenSource
from safekv.connection.tokens._tokens import TokenCache
from safekv.errors import AuthenticationFailed, CredentialTooOld, InvalidCredential

SCOPE = "https://vault.azure.net/.default"
START = 1_700_000_000.0


class Never:
    def random(self) -> float:
        return 0.0


class Credential:
    """Of the newer protocol. ``calls`` keeps the options, ``errors`` come in turn.

    ``delay`` is in real seconds; ``delays`` come first, in turn.
    """

    def __init__(self, clock: VirtualClock, delay: float = 0.0) -> None:
        self.clock = clock
        self.delay = delay
        self.delays: list[float] = []
        self.calls: list[dict[str, Any]] = []
        self.errors: list[BaseException] = []

    def seconds(self) -> float:
        return self.delays.pop(0) if self.delays else self.delay

    def answer(self, options: Any) -> AccessTokenInfo:
        self.calls.append(dict(options or {}))
        if self.errors:
            raise self.errors.pop(0)
        return AccessTokenInfo(f"token-{len(self.calls)}", int(self.clock.time()) + 3600)

    def get_token_info(self, *scopes: str, options: Any = None) -> AccessTokenInfo:
        time.sleep(self.seconds())
        return self.answer(options)


class OldCredential(Credential):
    """Of the older protocol alone."""

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        time.sleep(self.seconds())
        token = self.answer(options)
        return AccessToken(token.token, token.expires_on)

    @property
    def get_token_info(self) -> Any:
        raise AttributeError("get_token_info")


class AsyncCredential(Credential):
    async def get_token_info(self, *scopes: str, options: Any = None) -> AccessTokenInfo:
        await asyncio.sleep(self.seconds())
        return self.answer(options)


class OldAsyncCredential(Credential):
    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        await asyncio.sleep(self.seconds())
        token = self.answer(options)
        return AccessToken(token.token, token.expires_on)

    @property
    def get_token_info(self) -> Any:
        raise AttributeError("get_token_info")


class World:
    """A source of some kind, and how to ask it: once, or by many at once."""

    def __init__(self, kind: str, loop: asyncio.AbstractEventLoop | None) -> None:
        self.clock = VirtualClock(START)
        self.loop = loop
        makes: dict[str, type[Credential]] = {
            "sync": Credential,
            "sync-old": OldCredential,
            "aio": AsyncCredential,
            "aio-old": OldAsyncCredential,
            "aio-over-sync": Credential,
        }
        self.credential = makes[kind](self.clock)
        behind = None if kind in ("aio", "aio-old") else TokenSource(self.credential, clock=self.clock, random=Never())
        self.source: Any = behind
        if loop is not None:
            self.source = AsyncTokenSource(self.credential, behind)
            self.source._own_cache = TokenCache(self.clock, Never())

    def ask(self, **options: Any) -> str:
        answer = self.source.get_token_info(SCOPE, options=options)
        token = answer if self.loop is None else self.loop.run_until_complete(answer)
        return str(token.token)

    def ask_together(self, *many: dict[str, Any]) -> list[Any]:
        if self.loop is not None:
            return self.loop.run_until_complete(self._tasks(many))
        barrier = threading.Barrier(len(many))

        def one(options: dict[str, Any]) -> Any:
            barrier.wait(10)
            try:
                return self.source.get_token_info(SCOPE, options=options).token
            except Exception as error:
                return error

        with ThreadPoolExecutor(len(many)) as pool:
            return list(pool.map(one, many))

    async def _tasks(self, many: tuple[dict[str, Any], ...]) -> list[Any]:
        asked = (self.source.get_token_info(SCOPE, options=options) for options in many)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        return [getattr(answer, "token", answer) for answer in answers]


@pytest.fixture(params=["sync", "sync-old", "aio", "aio-old", "aio-over-sync"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if not request.param.startswith("aio"):
        yield World(request.param, None)
        return
    loop = asyncio.new_event_loop()
    with contextlib.closing(loop):
        yield World(request.param, loop)
        loop.run_until_complete(loop.shutdown_default_executor())


def test_sixty_four_at_once_are_one(world: World) -> None:
    world.credential.delay = 0.3
    assert world.ask_together(*[{}] * 64) == ["token-1"] * 64
    assert len(world.credential.calls) == 1
    assert world.ask() == "token-1"
    assert len(world.credential.calls) == 1


def test_what_differs_is_asked_apart(world: World) -> None:
    world.credential.delay = 0.2
    differences = [{}, {"tenant_id": "a"}, {"tenant_id": "b"}, {"claims": "c"}, {"enable_cae": True}]
    tokens = world.ask_together(*differences * 5)
    assert tokens[:5] * 5 == tokens
    assert len(set(tokens)) == 5
    assert sorted(map(str, world.credential.calls)) == sorted(map(str, differences))


def test_options_reach_the_credential_as_they_are(world: World) -> None:
    options = {"tenant_id": "t", "claims": "c", "enable_cae": True}
    world.ask(**options)
    assert world.credential.calls == [options]


def test_scopes_are_told_apart(world: World) -> None:
    def ask(*scopes: str) -> str:
        answer = world.source.get_token_info(*scopes)
        token = answer if world.loop is None else world.loop.run_until_complete(answer)
        return str(token.token)

    assert [ask("a"), ask("b"), ask("a", "b"), ask("a")] == ["token-1", "token-2", "token-3", "token-1"]


def test_the_older_protocol_gives_the_same_token(world: World) -> None:
    answer = world.source.get_token(SCOPE, tenant_id="t", enable_cae=True, surplus="ignored")
    token = answer if world.loop is None else world.loop.run_until_complete(answer)
    assert isinstance(token, AccessToken)
    assert token.token == world.ask(tenant_id="t", enable_cae=True) == "token-1"


def test_one_refreshes_ahead_and_the_others_go_on(world: World) -> None:
    world.ask()
    world.clock.advance(3400)
    world.credential.delay = 0.3
    tokens = world.ask_together(*[{}] * 16)
    assert tokens.count("token-2") == 1
    assert tokens.count("token-1") == 15
    assert world.ask() == "token-2"
    assert len(world.credential.calls) == 2


def test_a_refresh_that_fails_keeps_the_present_one_for_a_while(world: World) -> None:
    world.ask()
    world.clock.advance(3400)
    world.credential.errors = [ClientAuthenticationError("not now"), OSError("nor now")]
    assert [world.ask(), world.ask()] == ["token-1", "token-1"]
    assert len(world.credential.calls) == 2
    world.clock.advance(31)
    assert world.ask() == "token-1"
    assert len(world.credential.calls) == 3
    world.clock.advance(31)
    assert world.ask() == "token-4"


def test_an_expired_one_is_never_given_out(world: World) -> None:
    world.ask()
    world.clock.advance(3600)
    world.credential.errors = [ClientAuthenticationError("gone")]
    with pytest.raises(ClientAuthenticationError, match="gone"):
        world.ask()
    assert world.ask() == "token-3"


@pytest.mark.parametrize("error", [ClientAuthenticationError("no"), OSError("no"), TimeoutError("no"), TypeError("no")])
def test_an_error_is_everybodys_and_the_next_call_tries_again(world: World, error: Exception) -> None:
    world.credential.delay = 0.3
    world.credential.errors = [error]
    answers = world.ask_together(*[{}] * 8)
    assert {type(answer) for answer in answers} == {type(error)}
    assert {str(answer) for answer in answers} == {"no"}
    assert len(world.credential.calls) == 1
    assert error.__cause__ is not error
    assert world.ask() == "token-2"


def test_a_refused_token_is_dropped(world: World) -> None:
    world.ask()
    world.source.refused(None)
    world.source.refused("Bearer something-else")
    assert world.ask() == "token-1"
    world.source.refused("Bearer token-1")
    assert world.ask() == "token-2"


def test_claims_replace_what_was_there(world: World) -> None:
    assert [world.ask(), world.ask(claims="c"), world.ask(), world.ask(claims="c")] == ["token-1"] + ["token-2"] * 3


def test_a_child_starts_with_nothing(world: World) -> None:
    world.ask()
    if world.source.__dict__.get("_sync_source"):
        world.source._sync_source.after_fork()
    world.source.after_fork()
    if isinstance(world.source, AsyncTokenSource):
        world.source._own_cache = TokenCache(world.clock, Never())
    assert world.ask() == "token-2"


def test_closing_leaves_the_credential_alone(world: World) -> None:
    if world.loop is None:
        with world.source:
            world.source.close()
        return

    async def main() -> None:
        async with world.source:
            await world.source.close()

    world.loop.run_until_complete(main())


class Ancient:
    def get_token(self, *scopes: str) -> AccessToken:
        raise AssertionError


class AncientAsync:
    async def get_token(self, *scopes: str) -> AccessToken:
        raise AssertionError


class Wrapper:
    """Passes on what it does not know to something that does not know it either."""

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return Ancient().get_token(*scopes, **options)


class Buggy:
    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        raise TypeError("'NoneType' object is not callable")


@pytest.mark.parametrize("credential", [Ancient(), AncientAsync(), Wrapper()], ids=lambda it: type(it).__name__)
def test_one_that_is_too_old_is_told_so(credential: Any) -> None:
    def ask() -> Any:
        if isinstance(credential, AncientAsync):
            return asyncio.run(AsyncTokenSource(credential).get_token_info(SCOPE, options={"tenant_id": "t"}))
        return TokenSource(credential).get_token_info(SCOPE, options={"tenant_id": "t"})

    with pytest.raises(CredentialTooOld) as caught:
        ask()
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, ClientAuthenticationError)
    assert "#tenant-authentication-issues" in str(caught.value)
    assert "azure-identity" in str(caught.value)
    assert "tenant_id" in str(caught.value)
    assert isinstance(caught.value.__cause__, TypeError)


def test_another_type_error_stays_what_it_is() -> None:
    with pytest.raises(TypeError) as caught:
        TokenSource(Buggy()).get_token_info(SCOPE, options={"tenant_id": "t"})
    assert not isinstance(caught.value, CredentialTooOld)
    assert caught.value.__cause__ is None


class Bluish:
    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return (lambda: AccessToken("", 0))(colour="blue")


def test_a_keyword_that_is_not_ours_is_no_matter_of_age() -> None:
    with pytest.raises(TypeError, match="colour") as caught:
        TokenSource(Bluish()).get_token_info(SCOPE, options={"tenant_id": "t"})
    assert not isinstance(caught.value, CredentialTooOld)


def test_no_credential_at_all() -> None:
    with pytest.raises(InvalidCredential, match="a object, has neither get_token nor get_token_info"):
        TokenSource(object()).get_token_info(SCOPE)
    with pytest.raises(InvalidCredential):
        asyncio.run(AsyncTokenSource(object()).get_token_info(SCOPE))


def test_an_interrupt_is_the_leaders_alone() -> None:
    """Ctrl-C in the thread that asks the credential is no answer for the threads that wait."""
    clock = VirtualClock(START)
    credential = Credential(clock, delay=0.2)
    credential.errors = [KeyboardInterrupt()]
    source = TokenSource(credential, clock=clock)
    results: list[Any] = []

    def ask() -> None:
        try:
            results.append(source.get_token_info(SCOPE).token)
        except BaseException as error:
            results.append(type(error))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(map(str, results)) == sorted(["token-2"] * 3 + [str(KeyboardInterrupt)])


def test_a_cancelled_task_does_not_take_the_others_along() -> None:
    clock = VirtualClock(START)
    credential = AsyncCredential(clock, delay=0.05)

    async def main() -> list[Any]:
        source = AsyncTokenSource(credential)
        source._own_cache = TokenCache(clock, Never())
        tasks = [asyncio.ensure_future(source.get_token_info(SCOPE)) for _ in range(4)]
        await asyncio.sleep(0.01)
        tasks[0].cancel()
        tasks[2].cancel()
        return [
            getattr(answer, "token", type(answer)) for answer in await asyncio.gather(*tasks, return_exceptions=True)
        ]

    assert asyncio.run(main()) == [asyncio.CancelledError, "token-1", asyncio.CancelledError, "token-1"]
    assert len(credential.calls) == 1


def test_nobody_is_left_when_all_are_cancelled() -> None:
    clock = VirtualClock(START)
    credential = AsyncCredential(clock, delay=0.02)
    credential.errors = [OSError("nobody listens")]

    async def main() -> None:
        source = AsyncTokenSource(credential)
        task = asyncio.ensure_future(source.get_token_info(SCOPE))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0.05)
        assert len(source._flights) == 0

    asyncio.run(main())


def test_a_loop_that_dies_in_between_leaves_nothing_behind() -> None:
    clock = VirtualClock(START)
    credential = AsyncCredential(clock, delay=0.0)
    source = AsyncTokenSource(credential)
    source._own_cache = TokenCache(clock, Never())

    async def begin() -> None:
        credential.delay = 60
        asyncio.ensure_future(source.get_token_info(SCOPE))  # noqa: RUF006
        await asyncio.sleep(0)

    async def again() -> str:
        credential.delay = 0
        return (await source.get_token_info(SCOPE)).token

    asyncio.run(begin())
    assert asyncio.run(again()) == "token-1"
    assert len(source._flights) == 0


@pytest.fixture
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_credential, "FLIGHT_TIMEOUT", 0.05)


@pytest.mark.usefixtures("_hasty")
def test_nobody_waits_for_ever_for_another(world: World) -> None:
    world.credential.delay = 0.4
    answers = world.ask_together({}, {}, {})
    kinds = sorted(type(answer).__name__ for answer in answers)
    # The thread that asks has nobody to leave; a task leaves the credential to itself.
    assert kinds == (["AuthenticationFailed"] * 2 + ["str"] if world.loop is None else ["AuthenticationFailed"] * 3)
    failed = next(answer for answer in answers if isinstance(answer, AuthenticationFailed))
    assert "no token within" in str(failed)
    if world.loop is not None:
        world.loop.run_until_complete(asyncio.sleep(0.5))
    assert world.ask() == "token-1"


@pytest.mark.usefixtures("_hasty")
@pytest.mark.parametrize("present", [False, True])
def test_one_that_does_not_return_is_given_up(world: World, present: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its caller is lost. After a while the next one asks again, and until then a token that is there is used."""
    if present:
        world.ask()
        world.clock.advance(3400)
    world.credential.delays = [0.5]
    lost = threading.Thread(target=world.ask)
    if world.loop is None:
        lost.start()
    else:
        task = world.loop.create_task(world.source.get_token_info(SCOPE))
    while world.credential.delays:
        time.sleep(0.001) if world.loop is None else world.loop.run_until_complete(asyncio.sleep(0.001))
    if present:
        assert world.ask() == "token-1"
    else:
        with pytest.raises(AuthenticationFailed):
            world.ask()
    monkeypatch.setattr(_flights, "OVERDUE", -1.0)
    assert world.ask() == f"token-{1 + present}"
    if world.loop is None:
        lost.join(10)
    else:
        (answer,) = world.loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        assert type(answer) is AuthenticationFailed
        for left in (rest := asyncio.all_tasks(world.loop)):
            left.cancel()
        world.loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
    assert len(world.source._flights) == 0


def test_giving_one_up_cancels_nobody_who_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    credential = AsyncCredential(VirtualClock(START))
    credential.delays = [0.2]

    async def main() -> list[str]:
        source = AsyncTokenSource(credential)
        source._own_cache = TokenCache(credential.clock, Never())
        waits = [asyncio.ensure_future(source.get_token_info(SCOPE)) for _ in range(3)]
        await asyncio.sleep(0.01)
        monkeypatch.setattr(_flights, "OVERDUE", -1.0)
        first = await source.get_token_info(SCOPE)
        return [token.token for token in (first, *await asyncio.gather(*waits))]

    assert asyncio.run(main()) == ["token-1", *["token-2"] * 3]


@pytest.mark.usefixtures("_hasty")
def test_what_was_given_up_is_cancelled_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    credential = AsyncCredential(VirtualClock(START))
    credential.delays = [3600.0]

    async def main() -> None:
        source = AsyncTokenSource(credential)
        source._own_cache = TokenCache(credential.clock, Never())
        with pytest.raises(AuthenticationFailed):
            await source.get_token_info(SCOPE)
        monkeypatch.setattr(_flights, "OVERDUE", -1.0)
        assert (await source.get_token_info(SCOPE)).token == "token-1"
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert others
        assert not (await asyncio.wait(others, timeout=20))[1]

    asyncio.run(main())


def waiting(source: AsyncTokenSource) -> Callable[[], Any]:
    return lambda: asyncio.run(source.get_token_info(SCOPE))


def test_a_sync_credential_does_not_stall_the_loop() -> None:
    clock = VirtualClock(START)
    credential = Credential(clock, delay=0.2)
    source = AsyncTokenSource(credential, TokenSource(credential, clock=clock))

    async def main() -> int:
        asked = asyncio.ensure_future(source.get_token_info(SCOPE))
        ticks = 0
        while not asked.done():
            await asyncio.sleep(0.01)
            ticks += 1
        return ticks

    assert asyncio.run(main()) >= 5


def test_threads_and_loops_share_one_request() -> None:
    clock = VirtualClock(START)
    credential = Credential(clock, delay=0.1)
    sync = TokenSource(credential, clock=clock)
    aio = AsyncTokenSource(credential, sync)
    barrier = threading.Barrier(8)

    def one(number: int) -> str:
        barrier.wait(10)
        token = sync.get_token_info(SCOPE) if number % 2 else waiting(aio)()
        return str(token.token)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(8))) == ["token-1"] * 8
    assert len(credential.calls) == 1


class AwaitableCredential(Credential):
    """Async by what it returns, not by its ``def``: a decorator or a wrapper will do that."""

    def get_token_info(self, *scopes: str, options: Any = None) -> Any:
        answer: asyncio.Future[AccessTokenInfo] = asyncio.Future(loop=asyncio.new_event_loop())
        answer.get_loop().close()
        answer.set_result(self.answer(options))
        return answer


def test_async_by_what_it_returns() -> None:
    from safekv.connection._aconnection import AsyncConnection
    from safekv.connection._registry import Registry

    source = Registry().tokens(AsyncConnection, AwaitableCredential(VirtualClock(START)))
    assert asyncio.run(source.get_token_info(SCOPE)).token == "token-2"  # the first answer was not awaited
