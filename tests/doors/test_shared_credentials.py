"""safekv.identity: the same arguments give the same credential, and closing it closes azure-identity's."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import time
from typing import Any

import azure.identity
import azure.identity.aio
import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo

import safekv.identity
import safekv.identity.aio
from safekv.identity._shared import MAX_CREDENTIALS, SharedCredential, shared_class
from safekv.identity.aio._shared import AsyncSharedCredential
from safekv.secrets import SecretClient
from safekv.secrets.aio import SecretClient as AsyncSecretClient
from safekv.testing import LocalKeyVault

MODULES = [(safekv.identity, azure.identity), (safekv.identity.aio, azure.identity.aio)]


class OriginalCredential:
    """Like azure-identity's: ``close()`` goes through ``__exit__``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.arguments = (args, kwargs)
        self.closed = 0

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken("token", int(time.time()) + 3600)

    def __enter__(self) -> OriginalCredential:
        return self

    def __exit__(self, *details: object) -> None:
        self.closed += 1

    def close(self) -> None:
        self.__exit__()


class OriginalAsyncCredential:
    """Belongs to the loop in which it is first used, as aiohttp's sessions do. ``made`` keeps all of them."""

    made: list[OriginalAsyncCredential] = []  # noqa: RUF012

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.arguments = (args, kwargs)
        self.loop: asyncio.AbstractEventLoop | None = None
        self.closed = 0
        self.made.append(self)

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        self.loop = self.loop or asyncio.get_running_loop()
        if self.loop is not asyncio.get_running_loop():
            raise RuntimeError("Event loop is closed")
        return AccessToken("token", int(time.time()) + 3600)

    async def get_token_info(self, *scopes: str, options: Any = None) -> AccessTokenInfo:
        token = await self.get_token(*scopes)
        return AccessTokenInfo(token.token, token.expires_on)

    async def close(self) -> None:
        self.closed += 1


Credential: Any = shared_class(OriginalCredential, SharedCredential, __name__)
AsyncCredential: Any = shared_class(OriginalAsyncCredential, AsyncSharedCredential, __name__)


@pytest.fixture(params=[Credential, AsyncCredential], ids=["sync", "aio"])
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_the_same_arguments_give_the_same_object(kind: Any) -> None:
    one = kind("a", option=1, others=["x"])
    assert kind("a", others=["x"], option=1) is one
    assert isinstance(one, kind._original)
    assert one.arguments == (("a",), {"option": 1, "others": ["x"]})


@pytest.mark.parametrize(
    "other", [((), {}), (("a",), {"option": 2}), (("a",), {"option": True}), (("a",), {"option": 1.0}), (("a", 1), {})]
)
def test_a_difference_gives_another(kind: Any, other: Any) -> None:
    args, kwargs = other
    assert kind("a", option=1) is not kind(*args, **kwargs)


def test_callables_are_told_apart(kind: Any) -> None:
    first, second = (lambda: "x"), (lambda: "x")
    assert kind(first) is kind(first)
    assert kind(first) is not kind(second)


def test_the_last_lease_closes() -> None:
    one = Credential("leases")
    assert Credential("leases") is one
    one.close()
    assert one.closed == 0
    assert Credential("leases") is one
    one.close()
    with one:
        assert one.closed == 0
    assert one.closed == 1
    one.close()
    assert one.closed == 1
    assert Credential("leases") is not one


def test_the_last_lease_closes_on_aio() -> None:
    OriginalAsyncCredential.made.clear()

    async def main() -> None:
        one = AsyncCredential("leases")
        async with AsyncCredential("leases") as two:
            assert two is one
            await one.get_token("scope")
        assert [each.closed for each in OriginalAsyncCredential.made[1:]] == [0]
        await one.close()
        assert [each.closed for each in OriginalAsyncCredential.made[1:]] == [1]

    asyncio.run(main())


def test_closing_reaches_what_azure_identity_has_open() -> None:
    class Transport:
        exits = 0

        def __exit__(self, *details: object) -> None:
            Transport.exits += 1

    secret: Any = safekv.identity.ClientSecretCredential("tenant", "client", "not a secret")
    secret._client = Transport()
    chain: Any = safekv.identity.ChainedTokenCredential(secret)
    secret.close()
    assert Transport.exits == 1
    chain.close()
    assert Transport.exits == 1  # the chain gives its own lease back; what was closed before stays closed


def test_one_credential_in_two_loops() -> None:
    OriginalAsyncCredential.made.clear()
    credential = AsyncCredential("loops")

    async def main() -> str:
        tokens = await asyncio.gather(*(credential.get_token("scope") for _ in range(8)))
        assert (await credential.get_token_info("scope")).token == "token"
        return str(tokens[0].token)

    assert [asyncio.run(main()), asyncio.run(main())] == ["token", "token"]
    _, *used = OriginalAsyncCredential.made
    assert len(used) == 2
    assert [each.closed for each in used] == [1, 1]  # by the end of their loops


def test_a_client_with_it_in_two_loops(local: LocalKeyVault) -> None:
    client = AsyncSecretClient(local.url(), AsyncCredential("client"), transport=local.transport("aio"))

    async def main() -> Any:
        return (await client.get_secret("greeting")).value

    assert [asyncio.run(main()), asyncio.run(main())] == ["hello", "hello"]


def test_those_that_came_and_went_are_forgotten(kind: Any) -> None:
    first = kind("number", 0)
    for number in range(1, MAX_CREDENTIALS + 10):
        kind("number", number)
    assert kind("number", 0) is not first
    assert kind("number", MAX_CREDENTIALS) is kind("number", MAX_CREDENTIALS)


def test_one_that_cannot_be_made_is_not_kept() -> None:
    for _ in range(2):
        with pytest.raises(TypeError):
            safekv.identity.ClientSecretCredential("tenant")
        with pytest.raises(ValueError, match="client_id"):
            safekv.identity.ClientSecretCredential("tenant", "", "secret")


def test_no_argument_is_in_its_text(kind: Any) -> None:
    assert "hunter2" not in repr(kind("hunter2", password="hunter2"))
    assert "hunter2" not in repr(safekv.identity.ClientSecretCredential("tenant", "client", "hunter2"))


class Configured(safekv.identity.DefaultAzureCredential):
    """An application's own, with its own idea of the arguments."""

    def __init__(self, name: str) -> None:
        super().__init__(exclude_environment_credential=True, exclude_managed_identity_credential=True)
        self.name = name


def test_a_subclass_with_an_init_of_its_own() -> None:
    one, other = Configured("a"), Configured("a")
    assert one is not other
    assert one.name == "a"
    links = {type(link).__name__ for link in one.credentials}
    assert links
    assert not links & {"EnvironmentCredential", "ManagedIdentityCredential"}
    one.close()


class Inherited(safekv.identity.ManagedIdentityCredential):
    """Shared like its base."""


def test_a_subclass() -> None:
    assert Inherited(client_id="a") is Inherited(client_id="a")
    assert Inherited(client_id="a") is not safekv.identity.ManagedIdentityCredential(client_id="a")
    assert type(Inherited(client_id="a")) is Inherited


@pytest.mark.parametrize(("ours", "azures"), MODULES)
def test_every_credential_is_ours_and_azures(ours: Any, azures: Any) -> None:
    for name in azures.__all__:
        mine, original = getattr(ours, name), getattr(azures, name)
        if name.endswith("Credential"):
            assert mine is not original
            assert issubclass(mine, original)
            assert (mine.__module__, mine.__name__, mine.__doc__) == (ours.__name__, name, original.__doc__)
        else:
            assert mine is original
    assert getattr(ours, azures.__all__[0]) is getattr(ours, azures.__all__[0])


@pytest.mark.parametrize(("ours", "azures"), MODULES)
def test_other_names_are_unknown(ours: Any, azures: Any) -> None:
    assert set(azures.__all__) <= set(dir(ours))
    with pytest.raises(AttributeError, match="has no attribute 'NoSuchCredential'"):
        _ = ours.NoSuchCredential


def test_the_default_one_belongs_to_all_clients() -> None:
    credential = safekv.identity.DefaultAzureCredential()
    client = SecretClient("https://my-vault.vault.azure.net")
    assert client._lease.connection.tokens.credential is credential
    aio = AsyncSecretClient("https://my-vault.vault.azure.net")
    assert aio._lease.connection.tokens.credential is credential


def test_threads_that_ask_first_get_one_class() -> None:
    program = """
        import sys, threading
        sys.setswitchinterval(1e-6)
        import safekv.identity
        barrier, found = threading.Barrier(16), set()

        def look():
            barrier.wait()
            found.add(safekv.identity.ManagedIdentityCredential)

        threads = [threading.Thread(target=look) for _ in range(16)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        print(len(found))
    """
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, check=True, timeout=60
        )
        assert done.stdout.split() == [b"1"]
