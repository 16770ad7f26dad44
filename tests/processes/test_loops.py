"""One aio client object, several event loops."""

from __future__ import annotations

import pytest

from safekv.emulator import EmulatorServer

from .conftest import Run

pytestmark = pytest.mark.sockets

READING = """
import asyncio, gc, threading
from safekv.secrets.aio import SecretClient

client = SecretClient()

async def main():
    secrets = await asyncio.gather(*(client.get_secret(f"s{number}") for number in range(10)))
    assert [secret.value for secret in secrets] == [f"value-one-{number}" for number in range(10)]
"""


def test_two_asyncio_runs_in_a_row_on_one_client(server: EmulatorServer, run: Run) -> None:
    run(READING + "asyncio.run(main())\nasyncio.run(main())\ngc.collect()")
    assert [entry.status for entry in server.emulator.journal].count(200) == 20


def test_loops_in_several_threads_at_once(run: Run) -> None:
    run(
        READING
        + """
threads = [threading.Thread(target=lambda: asyncio.run(main())) for _ in range(6)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert not client._lease.connection.transport._transports._entries
"""
    )


def test_an_async_credential_works_in_several_loops(run: Run) -> None:
    run(
        READING.replace("SecretClient()", "SecretClient(None, DefaultAzureCredential())").replace(
            "import asyncio", "from safekv.identity.aio import DefaultAzureCredential\nimport asyncio"
        )
        + "asyncio.run(main())\nasyncio.run(main())\ngc.collect()"
    )


def test_a_private_ca_costs_no_handshake_per_request(server: EmulatorServer, run: Run) -> None:
    """azure-core makes an SSL context, and so a connection, for every request with a CA file."""
    run(
        """
        import asyncio, os
        from safekv.secrets.aio import SecretClient

        async def main():
            async with SecretClient(connection_verify=os.environ["REQUESTS_CA_BUNDLE"]) as client:
                for number in range(10):
                    await client.get_secret(f"s{number}")

        asyncio.run(main())
        """
    )
    assert server.connections == 1


def test_a_put_on_a_dead_kept_connection_is_not_sent_twice(server: EmulatorServer, run: Run) -> None:
    """aiohttp by itself re-sends a PUT, which would make two versions of the secret."""
    server.emulator.fail(operation="set_secret", network="reset-after")
    run(
        """
        import asyncio, sys, warnings
        from safekv.secrets.aio import SecretClient

        if sys.version_info < (3, 11):  # its asyncio complains of every TLS connection that the other side resets
            warnings.simplefilter("ignore", ResourceWarning)

        async def main():
            client = SecretClient()
            await client.get_secret("s1")
            stored = await client.set_secret("s1", "another value")
            assert stored.value == "another value"  # read back
            versions = [version async for version in client.list_properties_of_secret_versions("s1")]
            assert len(versions) == 2, versions

        asyncio.run(main())
        """
    )
    assert [entry.method for entry in server.emulator.journal].count("PUT") == 1
