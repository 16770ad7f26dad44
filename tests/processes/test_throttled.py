"""A throttled vault over real sockets, with real sleeps."""

from __future__ import annotations

import threading

import pytest

from safekv.emulator import EmulatorServer

from .conftest import Run

pytestmark = pytest.mark.sockets


@pytest.mark.parametrize("colour", ["threads", "tasks"])
def test_a_vault_that_throttles_for_a_while_fails_nobody(server: EmulatorServer, run: Run, colour: str) -> None:
    server.emulator.fail(operation="get_secret", status=429, count=None)
    threading.Timer(2.0, server.emulator.clear_faults).start()
    run(
        f"""
        import asyncio
        from concurrent.futures import ThreadPoolExecutor

        if {colour!r} == "threads":
            from safekv.secrets import SecretClient
            client = SecretClient()
            with ThreadPoolExecutor(20) as pool:
                values = list(pool.map(lambda _: client.get_secret("s0").value, range(20)))
        else:
            from safekv.secrets.aio import SecretClient
            async def main():
                async with SecretClient() as client:
                    return [s.value for s in await asyncio.gather(*(client.get_secret("s0") for _ in range(20)))]
            values = asyncio.run(main())
        assert values == ["value-one-0"] * 20
        """
    )
    asked = [entry for entry in server.emulator.journal if entry.bearer]
    assert 20 <= len([entry for entry in asked if entry.status == 200]) <= 21
    assert len([entry for entry in asked if entry.status == 429]) <= 40


def test_an_answer_that_does_not_come_is_left_at_the_deadline(server: EmulatorServer, run: Run) -> None:
    """Connecting and the first byte share what the call has left."""
    server.emulator.fail(operation="get_secret", delay=30.0, count=None)
    run(
        """
        import time
        from azure.core.exceptions import AzureError
        from safekv.secrets import SecretClient

        client = SecretClient()
        began = time.monotonic()
        try:
            client.get_secret("s0", timeout=1.5)
        except AzureError as error:
            assert not hasattr(error, "retry_in") or error.retry_in is None
        assert 1 < time.monotonic() - began < 4, time.monotonic() - began
        """
    )
