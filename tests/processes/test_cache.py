"""The cache in real processes: nothing of a parent's in a child, and no thread that holds up the end."""

from __future__ import annotations

import os

import pytest

from safekv.emulator import EmulatorServer

from .conftest import Run
from .test_fork import FORKING

pytestmark = pytest.mark.sockets
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")

BACKGROUND = """
import threading
def background():
    return [thread for thread in threading.enumerate() if thread.name == "safekv-background"]
"""


def reads(server: EmulatorServer) -> int:
    return sum(entry.status == 200 for entry in server.emulator.journal)


def test_a_process_reads_once(server: EmulatorServer, run: Run) -> None:
    run(
        """
        import threading
        from safekv.secrets import SecretClient

        def work():
            for _ in range(100):
                assert SecretClient().get_secret("s1").value == "value-one-1"

        threads = [threading.Thread(target=work) for _ in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        """,
        cache=True,
    )
    assert reads(server) == 1


@needs_fork
def test_a_child_counts_its_own(run: Run) -> None:
    """Neither what its parent's caches have done, nor what those had that were gone."""
    run(
        FORKING
        + """
import gc
from safekv.events import CacheState, states

def done():
    return sum(state.hits + state.misses for state in states() if isinstance(state, CacheState))

gone = SecretClient("two")
read(client := SecretClient("one"), 0)
gone.get_secret("s0")
gone.close()
del gone
gc.collect()
assert done() == 2

def child():
    assert done() == 0
    read(client, 0)
    read(client, 0)
    assert done() == 2
    client._reads.start_again()
    assert done() == 2

ended_well(in_child(child), in_child(child))
read(client, 0)
assert done() == 3
""",
        cache=True,
    )


@needs_fork
def test_a_child_has_nothing_of_its_parents(server: EmulatorServer, run: Run) -> None:
    run(
        FORKING
        + BACKGROUND
        + """
from safekv import CacheSettings
client = SecretClient(cache=CacheSettings(ttl=60, jitter=0, refresh_ahead=0.001))
read(client, 0)
import time
time.sleep(0.1)
read(client, 0)  # refreshes in the background
assert background()

def child():
    assert not client._reads.entries
    assert client.cache_info().entries == client.cache_info().hits == 0
    assert not background()
    read(client, 0)
    assert not background()  # not before it is needed
    time.sleep(0.1)
    read(client, 0)
    assert background()
    from safekv.connection._background import background as worker
    assert worker().drain(10)
    assert client.cache_info().refreshes == 1

ended_well(in_child(child), in_child(child))
read(client, 0)
""",
        cache=True,
    )
    assert reads(server) >= 1 + 2 * 2


@needs_fork
def test_forking_while_readers_hold_every_lock(run: Run) -> None:
    """Children of a parent whose threads read, miss, write and invalidate all the time never hang."""
    run(
        FORKING
        + """
from safekv import CacheSettings
client = SecretClient(cache=CacheSettings(ttl=0.02, jitter=0, refresh_ahead=0.1, max_entries=5))
read(client, 0)
stop = threading.Event()

def busy(number):
    while not stop.is_set():
        read(client, number)
        read(client, number + 7)
        client.invalidate(f"s{number}")
        client.cache_info()

threads = [threading.Thread(target=busy, args=(number,)) for number in range(4)]
[thread.start() for thread in threads]
try:
    for turn in range(15):
        ended_well(*(in_child(lambda: (read(client, turn), client.get_many([f"s{turn}", "s1"])) and 0) for _ in "12"))
finally:
    stop.set()
    [thread.join() for thread in threads]
""",
        timeout=90,
        cache=True,
    )


@pytest.mark.parametrize("watching", [False, True])
def test_the_end_of_a_process_waits_for_no_refresh(server: EmulatorServer, run: Run, watching: bool) -> None:
    run(
        f"""
        import time
        from safekv import CacheSettings
        from safekv.secrets import SecretClient
        client = SecretClient(cache=CacheSettings(ttl=5, jitter=0, refresh_ahead=0.01))
        client.get_secret("s1")
        time.sleep(0.1)
        if {watching}:
            client.watch(interval=0.05)
            time.sleep(0.2)
        client.get_secret("s1")
        """,
        timeout=20,
        cache=True,
    )


def test_a_vault_that_hangs_does_not_hold_up_the_end(server: EmulatorServer, run: Run) -> None:
    run(
        """
        import os, time
        from safekv import CacheSettings
        from safekv.secrets import SecretClient
        client = SecretClient(cache=CacheSettings(ttl=60, jitter=0, refresh_ahead=0.001))
        assert client.get_secret("s1").value == "value-one-1"
        time.sleep(0.1)
        from safekv.connection import _background
        _background.background().submit(lambda: time.sleep(30))
        time.sleep(0.1)
        import atexit
        began = time.monotonic()
        atexit._run_exitfuncs()
        assert time.monotonic() - began < 5
        """,
        timeout=20,
        cache=True,
    )


@pytest.mark.parametrize("end", ["pass", "await client.close()"])
def test_an_aio_refresh_ends_with_its_loop(server: EmulatorServer, run: Run, end: str) -> None:
    run(
        f"""
        import asyncio, gc
        from safekv import CacheSettings
        from safekv.secrets.aio import SecretClient

        async def main():
            client = SecretClient(cache=CacheSettings(ttl=60, jitter=0, refresh_ahead=0.001))
            await client.get_secret("s1")
            client.watch(interval=60)
            await asyncio.sleep(0.1)
            assert (await client.get_secret("s1")).value == "value-one-1"
            await asyncio.sleep(0.1)  # aiohttp leaves a socket unclosed if a request is cancelled as its loop ends
            {end}

        asyncio.run(main())
        gc.collect()
        asyncio.run(main())
        gc.collect()
        """,
        cache=True,
    )


def test_loops_in_turn_share_what_is_kept(server: EmulatorServer, run: Run) -> None:
    run(
        """
        import asyncio
        from safekv.secrets.aio import SecretClient
        client = SecretClient()

        async def main():
            return (await client.get_secret("s1")).value

        assert asyncio.run(main()) == asyncio.run(main()) == "value-one-1"
        """,
        cache=True,
    )
    assert reads(server) == 1


def test_a_pickled_client_takes_no_entries_to_another_process(server: EmulatorServer, run: Run) -> None:
    run(
        """
        import pickle, subprocess, sys
        from safekv import CacheSettings
        from safekv.secrets import SecretClient
        client = SecretClient(cache=CacheSettings(ttl=77))
        client.get_secret("s1")
        data = pickle.dumps(client)
        assert b"value-one-1" not in data
        program = (
            "import pickle, sys; client = pickle.load(sys.stdin.buffer);"
            "assert client._reads.settings.ttl == 77 and not client._reads.entries;"
            "assert client.get_secret('s1').value == 'value-one-1'"
        )
        subprocess.run([sys.executable, "-W", "error", "-c", program], input=data, check=True)
        """,
        cache=True,
    )
    assert reads(server) == 2
