"""A call that gives up, wherever it is, hands back what it holds: its turn, its probe, its slot."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from colours import Colour, aio_colour
from doubles import AsyncWatched

from safekv.errors import VaultThrottled
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
