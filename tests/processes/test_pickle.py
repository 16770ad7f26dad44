"""A pickled client is found again in the other process, through its registry."""

from __future__ import annotations

import pytest

from safekv.emulator import EmulatorServer

from .conftest import Run

pytestmark = pytest.mark.sockets


THERE = """
import pickle, sys
client = pickle.load(sys.stdin.buffer)
from safekv.identity import DefaultAzureCredential
from safekv.secrets import SecretClient
assert client is SecretClient(None, DefaultAzureCredential(), timeout=20)
assert client.get_secret("s2").value == "value-one-2"
"""


def test_a_client_travels_to_a_spawned_process(run: Run) -> None:
    run(
        """
        import pickle, subprocess, sys
        from safekv.identity import DefaultAzureCredential
        from safekv.secrets import SecretClient

        client = SecretClient(None, DefaultAzureCredential(), timeout=20)
        client.get_secret("s1")
        subprocess.run([sys.executable, "-c", sys.argv[1]], input=pickle.dumps(client), check=True, timeout=60)
        """,
        THERE,
    )


def test_a_pickle_holds_no_token(run: Run) -> None:
    run(
        """
        import pickle
        from safekv.secrets import SecretClient

        client = SecretClient()
        value = client.get_secret("s1").value
        pickled = pickle.dumps(client)
        token = client._lease.connection.tokens.get_token("https://0.0.1/.default").token
        assert value.encode() not in pickled and token.encode() not in pickled and len(pickled) < 500
        """
    )


@pytest.mark.parametrize("colour", ["", ".aio"])
def test_an_error_of_the_service_takes_neither_token_nor_value_along(
    server: EmulatorServer, run: Run, colour: str
) -> None:
    """Over a real connection, where requests and aiohttp keep requests of their own."""
    server.emulator.fail(operation="set_secret", error="403_rbac")
    run(
        f"""
        import asyncio, inspect, pickle
        from azure.core.exceptions import HttpResponseError
        from safekv.secrets{colour} import SecretClient

        async def main():
            client = SecretClient()
            try:
                answer = client.set_secret("name", "a planted value")
                await answer if inspect.isawaitable(answer) else answer
            except HttpResponseError as error:
                pickled = pickle.dumps(error)
            assert b"planted" not in pickled and b"Bearer ey" not in pickled

        asyncio.run(main())
        """
    )
