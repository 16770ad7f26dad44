"""A forked child never reads its parent's answers. With the SDK, some of these reads return another secret."""

from __future__ import annotations

import os

import pytest

from safekv.emulator import EmulatorServer

from .conftest import Run

pytestmark = [
    pytest.mark.sockets,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system"),
]

FORKING = """
import os, sys, threading, traceback, warnings
warnings.filterwarnings("ignore", message=".*multi-threaded.*", category=DeprecationWarning)  # it is what we test
from safekv.secrets import SecretClient

def in_child(work):
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        code = work() or 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)

def ended_well(*pids):
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    assert not any(codes), codes

def read(client, number):
    value = client.get_secret(f"s{number % 20}").value
    assert value == f"value-one-{number % 20}", f"s{number % 20} was answered with {value}"
"""


def test_children_of_a_warm_parent_read_the_right_values(server: EmulatorServer, run: Run) -> None:
    """4 children, 150 rounds, while the parent goes on reading on the connection that they inherited."""
    run(
        FORKING
        + """
client = SecretClient()
read(client, 0)
for turn in range(150):
    children = [in_child(lambda: read(client, turn + number)) for number in range(4)]
    read(client, turn)
    ended_well(*children)
"""
    )
    served = [entry for entry in server.emulator.journal if entry.status == 200]
    assert len(served) == 1 + 150 * 5
    assert {entry.status for entry in server.emulator.journal} == {200, 401}


def test_a_child_has_an_empty_registry_and_a_connection_of_its_own(run: Run) -> None:
    run(
        FORKING
        + """
from safekv.connection import _registry
client = SecretClient()
read(client, 0)
inherited = client._lease.connection.transport

def child():
    assert len(_registry.current()) == 0
    assert client._lease.connection.transport is not inherited
    again = SecretClient()
    assert again is not client
    read(again, 1)
    read(client, 2)

ended_well(in_child(child))
assert client._lease.connection.transport is inherited
read(client, 3)
"""
    )


def test_closing_in_a_child_leaves_the_parents_connection_open(server: EmulatorServer, run: Run) -> None:
    run(
        FORKING
        + """
client = SecretClient()
read(client, 0)

def child():
    read(client, 1)
    client.close()

ended_well(in_child(child))
read(client, 2)
"""
    )
    assert server.connections == 2


def test_forking_while_threads_hold_every_lock(run: Run) -> None:
    """Children of a parent whose threads read, construct and fetch tokens all the time never hang."""
    run(
        FORKING
        + """
from safekv.identity import DefaultAzureCredential
client = SecretClient()
read(client, 0)
stop = threading.Event()

def busy(number):
    while not stop.is_set():
        read(SecretClient(), number)
        client._lease.connection.tokens.cache.refused("none")
        DefaultAzureCredential()

threads = [threading.Thread(target=busy, args=(number,)) for number in range(4)]
[thread.start() for thread in threads]
try:
    for turn in range(15):
        ended_well(*(in_child(lambda: (read(client, turn), read(SecretClient(), turn)) and 0) for _ in range(2)))
finally:
    stop.set()
    [thread.join() for thread in threads]
""",
        timeout=90,
    )


def test_forking_while_a_thread_subscribes(run: Run) -> None:
    """It waits there for no thread that is not in the child."""
    run(
        FORKING
        + """
import safekv, signal
from safekv import _events

def subscribed():
    signal.alarm(20)  # rather than hang
    seen = []
    stop = safekv.subscribe(seen.append)
    read(client, 1)
    stop()
    assert seen

client = SecretClient()
with _events._replacing.it:
    forking = threading.Thread(target=lambda: ended_well(in_child(subscribed)))
    forking.start()
    forking.join(30)
assert not forking.is_alive()
"""
    )


def test_an_aio_client_works_in_a_child(run: Run) -> None:
    run(
        FORKING
        + """
import asyncio
from safekv.secrets.aio import SecretClient as AsyncSecretClient
client = AsyncSecretClient()

async def main(number):
    assert (await client.get_secret(f"s{number}")).value == f"value-one-{number}"

asyncio.run(main(1))
ended_well(in_child(lambda: asyncio.run(main(2))), in_child(lambda: asyncio.run(main(3))))
asyncio.run(main(4))
"""
    )


def test_a_pool_of_worker_processes(run: Run) -> None:
    """The way gunicorn --preload and multiprocessing's default on Linux do it."""
    run(
        FORKING
        + """
import multiprocessing
client = SecretClient()
read(client, 0)

def work(number):
    read(client, number)
    return number

with multiprocessing.get_context("fork").Pool(4) as pool:
    assert pool.map(work, range(40)) == list(range(40))
    pool.close()
    pool.join()
"""
    )
