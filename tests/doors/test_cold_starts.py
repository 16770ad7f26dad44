"""A cold start is one unauthenticated request and one token, however many begin at once."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError
from colours import Colour, aio_colour
from doubles import AsyncCredential, InfoCredential, watched

from safekv.connection.pipeline import _apolicy, _policy
from safekv.testing import LocalKeyVault

MANY = 64

pytestmark = pytest.mark.filterwarnings("ignore::safekv.errors.UncachedReadsWarning")  # many reads are the point


@pytest.fixture
def cold(local: LocalKeyVault, colour: Colour) -> Any:
    """A client of a vault that nobody has asked, with a slow credential and a slow network."""
    credential = InfoCredential(delay=0.05)
    return colour.client(local, credential=credential, transport=watched(colour, local, delay=0.002))


def credential_of(client: Any) -> Any:
    return client._lease.connection.tokens.credential


def statuses(local: LocalKeyVault) -> list[Any]:
    return [entry.status for entry in local.journal]


def values(answers: list[Any]) -> list[Any]:
    return [getattr(answer, "value", answer) for answer in answers]


def test_one_401_and_one_token(colour: Colour, local: LocalKeyVault, cold: Any) -> None:
    answers = colour.together(MANY, lambda _: cold.get_secret("greeting"))
    assert values(answers) == ["hello"] * MANY
    assert statuses(local).count(401) == 1
    assert statuses(local).count(200) == MANY
    assert len(credential_of(cold).asked) == 1


def test_writes_and_lists_as_well(colour: Colour, local: LocalKeyVault, cold: Any) -> None:
    def call(number: int) -> Any:
        return cold.set_secret(f"name-{number}", f"value-{number}") if number % 2 else cold.get_secret("greeting")

    answers = colour.together(16, call)
    assert values(answers) == ["hello" if number % 2 == 0 else f"value-{number}" for number in range(16)]
    assert statuses(local).count(401) == 1


def test_an_async_credential_as_well(local: LocalKeyVault) -> None:
    with aio_colour() as colour:
        credential = AsyncCredential(delay=0.05)
        client = colour.client(local, credential=credential, transport=watched(colour, local, delay=0.002))
        assert values(colour.together(MANY, lambda _: client.get_secret("greeting"))) == ["hello"] * MANY
        assert (statuses(local).count(401), len(credential.asked)) == (1, 1)


def test_differently_configured_clients_share_the_token(colour: Colour, local: LocalKeyVault) -> None:
    credential = InfoCredential(delay=0.05)
    transport = watched(colour, local, delay=0.002)
    clients = [colour.client(local, credential=credential, transport=transport, timeout=20 + n) for n in range(4)]
    answers = colour.together(16, lambda number: clients[number % 4].get_secret("greeting"))
    assert values(answers) == ["hello"] * 16
    assert len(credential.asked) == 1


def test_when_the_leader_fails_the_next_one_leads(colour: Colour, local: LocalKeyVault, cold: Any) -> None:
    credential_of(cold).fails = 2
    answers = colour.together(16, lambda _: cold.get_secret("greeting"))
    assert sum(isinstance(answer, ClientAuthenticationError) for answer in answers) == 2
    assert values(answers).count("hello") == 14
    assert statuses(local).count(401) == 1
    assert len(credential_of(cold).asked) == 3


def test_a_fault_of_the_vault_does_not_open_the_gate(colour: Colour, local: LocalKeyVault, cold: Any) -> None:
    local.fail(method="GET", status=503, count=2)
    local.fail(method="GET", network="reset-before", count=2)
    answers = colour.together(16, lambda _: cold.get_secret("greeting"))
    assert values(answers) == ["hello"] * 16
    assert statuses(local).count(401) == 1
    assert len(credential_of(cold).asked) == 1


@pytest.mark.parametrize("status", [403, 404])
def test_a_refusal_opens_it(colour: Colour, local: LocalKeyVault, cold: Any, status: int) -> None:
    local.fail(operation="get_secret", status=status, count=None)
    colour.together(8, lambda _: cold.get_secret("greeting"))
    assert statuses(local) == [401] + [status] * 8


def test_the_next_leads_when_the_leader_is_cancelled(local: LocalKeyVault) -> None:
    credential = AsyncCredential(delay=0.3)
    with aio_colour() as colour:
        client = colour.client(local, credential=credential, transport=watched(colour, local, delay=0.002))

        async def main() -> list[Any]:
            tasks = [asyncio.ensure_future(client.get_secret("greeting")) for _ in range(8)]
            while not credential.asked:  # noqa: ASYNC110  (until the leader waits for its token)
                await asyncio.sleep(0.001)
            tasks[0].cancel()
            return await asyncio.gather(*tasks, return_exceptions=True)

        answers = colour.run(main())
    assert isinstance(answers[0], asyncio.CancelledError)
    assert values(answers[1:]) == ["hello"] * 7
    assert len(credential.asked) == 1


def test_nobody_waits_long_for_a_leader_that_hangs(
    colour: Colour, local: LocalKeyVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (_policy, _apolicy):
        monkeypatch.setattr(module, "WARM_UP_PATIENCE", 0.05)
    client = colour.client(local, transport=watched(colour, local))
    other = watched(colour, local, delay=0.6)
    slow = client._lease.connection
    quick, slow._transport = slow._transport, other
    took: dict[int, float] = {}

    def hang_or_go(number: int) -> Any:
        """The first is held up by its transport; the others find a quick one."""
        begin = time.monotonic()
        if number:
            time.sleep(0.1)
            slow._transport = quick
        answer = client.get_secret("greeting")
        took[number] = time.monotonic() - begin
        return answer

    async def hang_or_go_async(number: int) -> Any:
        begin = time.monotonic()
        if number:
            await asyncio.sleep(0.1)
            slow._transport = quick
        answer = await client.get_secret("greeting")
        took[number] = time.monotonic() - begin
        return answer

    answers = colour.together(4, hang_or_go if colour.loop is None else hang_or_go_async)
    assert values(answers) == ["hello"] * 4
    assert took[0] > 0.5
    assert max(took[number] for number in (1, 2, 3)) < 0.5


def test_nobody_waits_for_a_token_beyond_the_deadline(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local, credential=InfoCredential(delay=0.8), timeout=0.2)
    took: list[float] = []

    def call(_: int) -> Any:
        begin = time.monotonic()
        try:
            return client.get_secret("greeting")
        finally:
            took.append(time.monotonic() - begin)

    async def call_async(_: int) -> Any:
        begin = time.monotonic()
        try:
            return await client.get_secret("greeting")
        finally:
            took.append(time.monotonic() - begin)

    colour.together(4, call if colour.loop is None else call_async)
    assert sorted(took)[2] < 0.6  # all but the one that asks the credential


def test_a_warm_client_waits_for_nobody(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local, transport=watched(colour, local, delay=0.05))
    colour.run(client.get_secret("greeting"))
    begin = time.monotonic()
    colour.together(16, lambda _: client.get_secret("greeting"))
    assert time.monotonic() - begin < 0.5  # one after the other they would take 0.8 s


def test_two_loops_in_a_row(local: LocalKeyVault) -> None:
    client = local.aio_client()

    async def main() -> list[Any]:
        return values(await asyncio.gather(*(client.get_secret("greeting") for _ in range(16))))

    assert asyncio.run(main()) + asyncio.run(main()) == ["hello"] * 32
    assert statuses(local).count(401) == 1
    assert local.credential().requests == 1
