"""Keys in real processes: fetched once by many threads and tasks, and again by a forked child."""

from __future__ import annotations

import os

import pytest

from safekv.emulator import EmulatorServer

from .conftest import Run

pytestmark = pytest.mark.sockets


def test_64_threads_on_one_cold_key_cause_one_get(server: EmulatorServer, run: Run) -> None:
    run(
        """
        import os, threading
        from safekv.keys import KeyClient
        from safekv.keys.crypto import CryptographyClient

        key = KeyClient().create_rsa_key("rsa", size=2048)
        barrier = threading.Barrier(64)
        seen = []

        def work():
            barrier.wait()
            seen.append(CryptographyClient(key.id).wrap_key("RSA-OAEP-256", bytes(32)).key_id)

        threads = [threading.Thread(target=work) for _ in range(64)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert seen == [key.id] * 64, seen
        """
    )
    operations = [entry.operation for entry in server.emulator.journal if entry.status == 200]
    assert operations == ["create_key", "get_key"]


def test_64_tasks_on_one_cold_key_cause_one_get(server: EmulatorServer, run: Run) -> None:
    run(
        """
        import asyncio
        from safekv.keys.aio import KeyClient
        from safekv.keys.crypto.aio import CryptographyClient

        async def main(key=None):
            key = key or await KeyClient().create_rsa_key("rsa", size=2048)
            clients = [CryptographyClient(key.id) for _ in range(64)]
            wrapped = await asyncio.gather(*(client.wrap_key("RSA-OAEP-256", bytes(32)) for client in clients))
            assert {each.key_id for each in wrapped} == {key.id}
            assert (await clients[0].unwrap_key("RSA-OAEP-256", wrapped[0])).key == bytes(32)
            return key

        key = asyncio.run(main())
        asyncio.run(main(key))  # what is known of a key does not belong to a loop
        """
    )
    operations = [entry.operation for entry in server.emulator.journal if entry.status == 200]
    assert operations == ["create_key", "get_key", "unwrap_key", "unwrap_key"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_child_fetches_the_key_itself(server: EmulatorServer, run: Run) -> None:
    run(
        """
        import os, sys
        from safekv.keys import KeyClient
        from safekv.keys.crypto import CryptographyClient

        key = KeyClient().create_rsa_key("rsa", size=2048)
        client = CryptographyClient(key.id)
        wrapped = client.wrap_key("RSA-OAEP-256", bytes(32))
        pid = os.fork()
        if not pid:
            again = client.wrap_key("RSA-OAEP-256", bytes(32))
            os._exit(not client.unwrap_key(again.algorithm, again).key == bytes(32))
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert client.unwrap_key(wrapped.algorithm, wrapped).key == bytes(32)
        """
    )
    operations = [entry.operation for entry in server.emulator.journal if entry.status == 200]
    assert operations == ["create_key", "get_key", "get_key", "unwrap_key", "unwrap_key"]
