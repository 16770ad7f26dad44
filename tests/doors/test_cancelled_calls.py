"""A call that gives up, wherever it is, hands back what it holds: its turn, its probe, its slot."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from colours import Colour, aio_colour
from doubles import AsyncWatched

import safekv
import safekv.secrets.aio
from safekv._events import subscribe
from safekv.errors import VaultThrottled
from safekv.events import CallFinished
from safekv.testing import LocalKeyVault


class Slow(AsyncWatched):
    """Answers when it is told to."""

    def __init__(self, local: LocalKeyVault) -> None:
        super().__init__(local)
        self.answer = asyncio.Event()
        self.reached = asyncio.Event()
        self.slow = False

    async def send(self, request: Any, **options: Any) -> Any:
        if self.slow:
            self.reached.set()
            await self.answer.wait()
        return await super().send(request, **options)


@pytest.fixture
def aio() -> Any:
    with aio_colour() as colour:
        yield colour


def test_a_cancelled_probe_lets_the_next_one_go(aio: Colour, local: LocalKeyVault) -> None:
    transport = Slow(local)
    client = aio.client(local, transport=transport)

    async def story() -> None:
        await client.get_secret("greeting")
        local.fail(operation="get_secret", status=429)
        with pytest.raises(VaultThrottled):
            await client.get_secret("greeting", retry_total=0)
        transport.slow = True
        probe = asyncio.ensure_future(client.get_secret("greeting"))
        await transport.reached.wait()
        assert client.lane_status()["secrets"].probing
        probe.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await probe
        assert not client.lane_status()["secrets"].probing
        transport.slow = False
        assert (await client.get_secret("greeting")).value == "hello"

    aio.run(story())


def test_cancelled_in_the_queue(aio: Colour, local: LocalKeyVault) -> None:
    client = aio.client(local, transport=AsyncWatched(local, delay=0.01), max_rate=1.0)

    async def story() -> None:
        calls = [asyncio.ensure_future(client.get_secret("greeting")) for _ in range(20)]
        await asyncio.sleep(0)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        status = client.lane_status()["secrets"]
        assert (status.interactive, status.bulk) == (0, 0)
        assert (await client.get_secret("greeting")).value == "hello"

    aio.run(story())


async def _many(client: Any, reached: asyncio.Event, count: int) -> list[asyncio.Task[Any]]:
    calls = [asyncio.ensure_future(client.get_secret("greeting")) for _ in range(count)]
    await reached.wait()
    await asyncio.sleep(0)
    return calls


def test_closed_in_another_context(aio: Colour, local: LocalKeyVault) -> None:
    """As by who drives coroutines by hand: the slot is free again, and no error stands in the way."""
    transport = Slow(local)
    client = aio.client(local, transport=transport, pool_size=1)
    aio.run(client.get_secret("greeting"))
    transport.slow = True
    (call,) = aio.run(_many(client, transport.reached, 1))
    call.get_coro().close()
    transport.slow = False
    assert aio.run(client.get_secret("greeting", timeout=5)).value == "hello"
    call.cancel()
    with pytest.raises(RuntimeError, match="already awaited"):
        aio.run(call)


@pytest.mark.parametrize("warm", [True, False])
def test_closed_after_its_loop(local: LocalKeyVault, warm: bool) -> None:
    """The loop was closed with calls under way, in the queue for a slot, and behind the first with a token."""
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # it tells of tasks that were pending
    transport = Slow(local)
    client = safekv.secrets.aio.SecretClient(
        local.url(), local.credential(), transport=transport, cache=None, pool_size=1
    )
    finished: list[Any] = []
    stop = subscribe(lambda event: isinstance(event, CallFinished) and finished.append(event.error))
    if warm:
        loop.run_until_complete(client.get_secret("greeting"))
        finished.clear()
    transport.slow = True
    calls = loop.run_until_complete(_many(client, transport.reached, 3))
    loop.close()
    for call in calls:
        call.get_coro().close()
    stop()
    assert finished == ["GeneratorExit"] * 3


def test_bulk_in_a_coroutine_that_is_closed_in_another_context() -> None:
    async def work() -> None:
        with safekv.bulk():
            await asyncio.get_running_loop().create_future()

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)
    task = loop.create_task(work())
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    task.get_coro().close()


def test_a_probe_that_fails_in_an_odd_way(colour: Colour, local: LocalKeyVault) -> None:
    """An error that nobody expects, from the user's own policy for instance."""
    client = colour.client(local)
    local.fail(operation="get_secret", status=429)
    with pytest.raises(VaultThrottled):
        colour.run(client.get_secret("greeting", retry_total=0))

    def hook(response: Any) -> None:
        raise RuntimeError("odd")

    with pytest.raises(RuntimeError, match="odd"):
        colour.run(client.get_secret("greeting", raw_response_hook=hook))
    assert not client.lane_status()["secrets"].probing
    assert colour.run(client.get_secret("greeting")).value == "hello"
