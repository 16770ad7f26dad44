"""Many threads, tasks and clients at once, cold, with a real DefaultAzureCredential over TLS."""

from __future__ import annotations

import pytest

from safekv.emulator import EmulatorServer

from .conftest import Run

pytestmark = pytest.mark.sockets


def test_64_cold_threads_cause_one_401_and_one_token(server: EmulatorServer, run: Run) -> None:
    run(
        """
        import os, threading
        from safekv.identity import DefaultAzureCredential
        from safekv.secrets import SecretClient

        barrier = threading.Barrier(64)
        wrong = []

        def work(number):
            barrier.wait()
            client = SecretClient(os.environ["AZURE_KEY_VAULT_URL"], DefaultAzureCredential())
            for _ in range(3):
                if client.get_secret(f"s{number % 20}").value != f"value-one-{number % 20}":
                    wrong.append(number)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(64)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert not wrong, wrong
        """
    )
    statuses = [entry.status for entry in server.emulator.journal]
    assert statuses.count(401) == 1
    assert statuses.count(200) == 64 * 3
    assert sum(server.identity.requests.values()) == 1
    assert server.connections <= 64


def test_64_cold_tasks_cause_one_401_and_one_token(server: EmulatorServer, run: Run) -> None:
    run(
        """
        import asyncio, os
        from safekv.identity.aio import DefaultAzureCredential
        from safekv.secrets.aio import SecretClient

        async def main():
            client = SecretClient(os.environ["AZURE_KEY_VAULT_URL"], DefaultAzureCredential())
            secrets = await asyncio.gather(*(client.get_secret(f"s{number % 20}") for number in range(64)))
            assert [secret.value for secret in secrets] == [f"value-one-{number % 20}" for number in range(64)]

        asyncio.run(main())
        """
    )
    statuses = [entry.status for entry in server.emulator.journal]
    assert statuses.count(401) == 1
    assert statuses.count(200) == 64
    assert sum(server.identity.requests.values()) == 1


def test_two_vaults_of_one_identity_share_its_token(server: EmulatorServer, run: Run) -> None:
    run(
        """
        import os
        from safekv.secrets import SecretClient

        for name, url in (pair.split("=") for pair in os.environ["SAFEKV_EMULATOR_VAULTS"].split(",")):
            client = SecretClient(url)
            assert client.get_secret("s3").value == f"value-{name}-3"
            assert client.get_secret("s3").value == f"value-{name}-3"
        """
    )
    # The emulator gives each vault an audience of its own (its port), so one token for each.
    assert sum(server.identity.requests.values()) == 2
    assert server.connections == 2


def test_sync_and_aio_clients_share_the_default_credentials_token(server: EmulatorServer, run: Run) -> None:
    run(
        """
        import asyncio
        from safekv.secrets import SecretClient
        from safekv.secrets.aio import SecretClient as AsyncSecretClient

        async def main():
            assert (await AsyncSecretClient().get_secret("s1")).value == "value-one-1"

        assert SecretClient().get_secret("s1").value == "value-one-1"
        asyncio.run(main())
        """
    )
    assert sum(server.identity.requests.values()) == 1
