"""Nothing is left open, or complained about, when objects are collected and interpreters end.

The ``run`` fixture fails on any output to stderr, with -W error.
"""

from __future__ import annotations

import pytest

from .conftest import Run

pytestmark = pytest.mark.sockets


@pytest.mark.parametrize("end", ["", "client.close()", "del client; gc.collect()"], ids=["used", "closed", "collected"])
def test_a_sync_client(run: Run, end: str) -> None:
    run(f"import gc\nfrom safekv.secrets import SecretClient\nclient = SecretClient()\nclient.get_secret('s1')\n{end}")


@pytest.mark.parametrize("end", ["pass", "await client.close()"], ids=["used", "closed"])
@pytest.mark.parametrize("credential", ["safekv.identity", "safekv.identity.aio"])
def test_an_aio_client(run: Run, end: str, credential: str) -> None:
    run(
        f"""
import asyncio, gc
from {credential} import DefaultAzureCredential
from safekv.secrets.aio import SecretClient

async def main():
    client = SecretClient(None, DefaultAzureCredential())
    await client.get_secret("s1")
    {end}

asyncio.run(main())
gc.collect()
"""
    )


def test_connections_that_were_pushed_out_of_the_registry(run: Run) -> None:
    run(
        """
        import asyncio, gc, os, warnings
        os.environ["SAFEKV_MAX_CONNECTIONS"] = "2"
        from safekv.errors import ManyCredentialsWarning
        from safekv.identity import DefaultAzureCredential
        from safekv.secrets import SecretClient
        from safekv.secrets.aio import SecretClient as AsyncSecretClient
        warnings.simplefilter("ignore", ManyCredentialsWarning)

        class Mine:
            def get_token_info(self, *scopes, options=None):
                return DefaultAzureCredential().get_token_info(*scopes, options=options)

        async def main():
            for _ in range(5):
                await AsyncSecretClient(None, Mine()).get_secret("s1")
                gc.collect()

        for _ in range(5):
            SecretClient(None, Mine()).get_secret("s1")
            gc.collect()
        asyncio.run(main())
        gc.collect()
        """
    )


def test_threads_that_are_still_reading_at_exit(run: Run) -> None:
    run(
        """
        import threading, time
        from safekv.secrets import SecretClient
        client = SecretClient()
        client.get_secret("s1")

        def work():
            while True:
                client.get_secret("s2")

        for _ in range(3):
            threading.Thread(target=work, daemon=True).start()
        time.sleep(0.2)
        """
    )
