"""Many readers at once: one request, no inherited failures, never back to an older version."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import azure.core.exceptions as azure_errors
import pytest
from caching import AsyncHeld, Cached, Held, holding
from colours import Colour
from rotation_loop import rotate_under_readers

from safekv import CacheSettings
from safekv.errors import DeadlineExceeded
from safekv.secrets import SecretClient
from safekv.secrets.aio import SecretClient as AsyncSecretClient
from safekv.testing import LocalKeyVault


def reads(local: LocalKeyVault) -> int:
    return sum(entry.operation == "get_secret" and entry.status != 401 for entry in local.journal)


async def until_held(slow: AsyncHeld) -> None:
    while not slow.held.is_set():  # noqa: ASYNC110  (set from any thread)
        await asyncio.sleep(0.001)


def test_a_hundred_on_a_cold_key_are_one_request(colour: Colour, local: LocalKeyVault) -> None:
    """Powertools: 50 threads, one cold key, 50 calls."""
    slow = holding(colour, local)
    with Cached.made(colour, local, transport=slow) as cached:
        if colour.loop is None:
            threading.Timer(0.2, slow.let.set).start()
        else:
            colour.loop.call_later(0.2, slow.let.set)
        answers = colour.together(100, lambda _: cached.client.get_secret("greeting"))
        assert [answer.value for answer in answers] == ["hello"] * 100
        assert reads(local) == 1
        assert len({id(answer) for answer in answers}) == 100


def test_a_failure_is_one_request_and_an_error_for_each(colour: Colour, local: LocalKeyVault) -> None:
    slow = holding(colour, local)
    local.fail(operation="get_secret", error="403_rbac", count=None)
    with Cached.made(colour, local, transport=slow) as cached:
        if colour.loop is None:
            threading.Timer(0.2, slow.let.set).start()
        else:
            colour.loop.call_later(0.2, slow.let.set)
        answers = colour.together(30, lambda _: cached.client.get_secret("greeting"))
        assert {getattr(answer, "status_code", None) for answer in answers} == {403}
        assert all(isinstance(answer, azure_errors.HttpResponseError) for answer in answers)
        assert len({id(answer) for answer in answers}) == 30
        assert reads(local) == 1


def test_who_waits_for_another_waits_no_longer_than_its_own_timeout(local: LocalKeyVault) -> None:
    slow = Held(local.emulator)
    client = SecretClient(local.url(), local.credential(), transport=slow)
    leader = threading.Thread(target=lambda: client.get_secret("greeting"))
    leader.start()
    assert slow.held.wait(10)
    before = time.monotonic()
    with pytest.raises(DeadlineExceeded, match="while another call read the same secret"):
        client.get_secret("greeting", timeout=0.1)
    assert time.monotonic() - before < 5
    slow.let.set()
    leader.join()
    assert client.get_secret("greeting").value == "hello"


def test_a_hasty_readers_failure_is_not_inherited(local: LocalKeyVault) -> None:
    """The first gives the vault a second, the others 30: one of them takes over."""

    slow = Held(local.emulator)
    client = SecretClient(local.url(), local.credential(), transport=slow)
    local.fail(operation="get_secret", status=429, retry_after=5)  # the hasty one cannot wait for that
    outcomes: dict[str, Any] = {}

    def read(who: str, **how: Any) -> None:
        try:
            outcomes[who] = client.get_secret("greeting", **how).value
        except Exception as error:
            outcomes[who] = error

    hasty = threading.Thread(target=read, args=("hasty",), kwargs={"timeout": 1})
    hasty.start()
    assert slow.held.wait(10)
    patient = [threading.Thread(target=read, args=(f"patient {number}",)) for number in range(5)]
    for thread in patient:
        thread.start()
    time.sleep(0.1)  # in which they join; if they come later, they lead
    slow.let.set()
    for thread in [hasty, *patient]:
        thread.join()
    assert isinstance(outcomes.pop("hasty"), azure_errors.HttpResponseError)
    assert list(outcomes.values()) == ["hello"] * 5
    assert reads(local) == 2


def test_a_cancelled_leader_is_followed_by_another(local: LocalKeyVault) -> None:
    async def main() -> None:

        slow = AsyncHeld(local.emulator)
        client = AsyncSecretClient(local.url(), local.credential(), transport=slow)
        leader = asyncio.ensure_future(client.get_secret("greeting"))
        await until_held(slow)
        others = [asyncio.ensure_future(client.get_secret("greeting")) for _ in range(5)]
        await asyncio.sleep(0.01)
        leader.cancel()
        await asyncio.sleep(0.01)
        slow.let.set()
        assert [secret.value for secret in await asyncio.gather(*others)] == ["hello"] * 5
        assert leader.cancelled()

    asyncio.run(main())
    assert reads(local) == 1


def test_a_follower_that_is_cancelled_disturbs_nobody(local: LocalKeyVault) -> None:
    async def main() -> None:

        slow = AsyncHeld(local.emulator)
        client = AsyncSecretClient(local.url(), local.credential(), transport=slow)
        leader = asyncio.ensure_future(client.get_secret("greeting"))
        await until_held(slow)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.get_secret("greeting"), 0.01)
        slow.let.set()
        assert (await leader).value == "hello"

    asyncio.run(main())


def test_loops_in_several_threads_wait_for_one_read(local: LocalKeyVault) -> None:

    slow = AsyncHeld(local.emulator)
    client = AsyncSecretClient(local.url(), local.credential(), transport=slow)
    values: list[str] = []

    async def main() -> None:
        values.extend(secret.value for secret in await asyncio.gather(*(client.get_secret("greeting") for _ in "123")))

    threads = [threading.Thread(target=lambda: asyncio.run(main())) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    slow.let.set()
    for thread in threads:
        thread.join()
    assert values == ["hello"] * 12
    assert reads(local) == 1


def test_with_a_value_at_hand_nobody_waits_long(local: LocalKeyVault) -> None:
    """The vault hangs, the value is past its time: each call gives it ``patience``, then serves what there is."""

    slow = Held(local.emulator)
    client = SecretClient(local.url(), local.credential(), transport=slow, cache=CacheSettings(jitter=0, patience=0.1))
    slow.let.set()
    client.get_secret("greeting")
    slow.let.clear()
    slow.held.clear()
    local.advance(seconds=301)
    leader = threading.Thread(target=lambda: client.get_secret("greeting"))
    leader.start()
    assert slow.held.wait(10)
    assert client.get_secret("greeting").value == "hello"  # although its own leader is still waiting
    with pytest.raises(DeadlineExceeded):
        client.get_secret("greeting", max_age=0, timeout=0.05)  # but not to one who wants it fresh
    slow.let.set()
    leader.join()


@pytest.mark.parametrize("seconds", [1.5])
def test_no_reader_of_64_ever_sees_an_older_version_after_a_newer_one(seconds: float) -> None:
    """The same loop runs for half a minute as a program: ``python tests/doors/rotation_loop.py``."""
    result = rotate_under_readers(readers=64, seconds=seconds)
    assert result.backwards == 0
    assert result.reads > 1000
    assert result.rotations > 20


def test_one_background_thread_that_ends_when_there_is_nothing_to_do(
    local: LocalKeyVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safekv.connection import _background

    def ours() -> list[str]:
        return [thread.name for thread in threading.enumerate() if thread.name == "safekv-background"]

    monkeypatch.setattr(_background, "IDLE", 0.05)
    for number in range(5):
        local.set_secret(f"s{number}", "x")
    client = local.vault(cache=CacheSettings(jitter=0)).secrets
    for number in range(5):
        client.get_secret(f"s{number}")
    local.advance(seconds=250)
    for number in range(5):
        client.get_secret(f"s{number}")
    assert len(ours()) <= 1
    local.settle()
    assert client.cache_info().refreshes == 5
    for _ in range(400):
        if not ours():
            break
        time.sleep(0.01)
    assert not ours()
    local.advance(seconds=250)
    client.get_secret("s0")
    local.settle()  # another one
    assert client.cache_info().refreshes == 6
