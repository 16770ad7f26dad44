"""Answers that are known to pass within seconds: repeated after a wait, and no longer than that."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceExistsError
from colours import Colour
from doubles import InfoCredential, sent, watched

from safekv.errors import VaultUnavailable
from safekv.testing import LocalKeyVault


def get(client: Any, **options: Any) -> Any:
    return client.get_secret("greeting", **options)


def test_a_signing_key_that_the_service_cannot_find(colour: Colour, local: LocalKeyVault) -> None:
    """AKV10046 is the service's own trouble: the same token works moments later."""
    client = colour.client(local)
    colour.run(get(client))
    local.fail(operation="get_secret", error="401_sigkey", count=2)
    assert colour.run(get(client)).value == "hello"
    assert local.emulator.clock.monotonic() >= 1
    local.fail(operation="get_secret", error="401_sigkey", count=None)
    with pytest.raises(ClientAuthenticationError, match="AKV10046"):
        colour.run(get(client))
    assert local.emulator.clock.monotonic() < 120


def test_a_token_that_the_vault_calls_expired_is_dropped_once(colour: Colour, local: LocalKeyVault) -> None:
    credential = InfoCredential()
    client = colour.client(local, credential=credential)
    colour.run(get(client))
    asked = len(credential.asked)
    local.fail(operation="get_secret", error="401_expired", count=1)
    assert colour.run(get(client)).value == "hello"
    assert len(credential.asked) == asked + 1
    local.fail(operation="get_secret", error="401_expired", count=None)
    local.journal.clear()
    with pytest.raises(ClientAuthenticationError, match="S2S12086"):
        colour.run(get(client))
    assert len(sent(local)) <= 4
    assert local.emulator.clock.monotonic() == 0


@pytest.mark.parametrize("error", ["409_being_deleted", "409_being_recovered"])
def test_an_object_on_its_way_is_waited_for(colour: Colour, local: LocalKeyVault, error: str) -> None:
    transport = watched(colour, local)
    client = colour.client(local, transport=transport)
    local.fail(operation="set_secret", error=error, count=4)
    assert colour.run(client.set_secret("greeting", "again")).value == "again"
    assert all(longer > shorter for shorter, longer in itertools.pairwise(transport.sleeps))
    assert [entry.method for entry in sent(local)] == ["PUT"] * 5


def test_really_deleting_and_storing_again(colour: Colour, local: LocalKeyVault) -> None:
    """The emulator's own soft delete, which takes a while: the conflict in between is waited out, then it is final."""
    client = colour.client(local)
    if colour.loop is None:
        client.begin_delete_secret("greeting")
    else:
        colour.delete(client, "greeting")
    with pytest.raises(ResourceExistsError, match="deleted but recoverable"):
        colour.run(client.set_secret("greeting", "again"))


def test_a_node_of_an_hsm_whose_clock_is_behind(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation="get_secret", error="401_mhsm_nbf", count=2)
    assert colour.run(get(colour.client(local))).value == "hello"


def test_other_conflicts_are_the_callers(colour: Colour, local: LocalKeyVault) -> None:
    for error in ("409_recoverable", "409_restore"):
        local.fail(operation="set_secret", error=error, count=None)
        with pytest.raises(ResourceExistsError):
            colour.run(colour.client(local).set_secret("greeting", "again"))
    assert local.emulator.clock.monotonic() == 0
    assert [entry.method for entry in sent(local)] == ["PUT", "PUT"]


def test_a_deadline_cuts_the_wait(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation="set_secret", error="409_being_deleted", count=None)
    with pytest.raises(ResourceExistsError, match="being deleted"):
        colour.run(colour.client(local).set_secret("greeting", "again", timeout=5))
    assert local.emulator.clock.monotonic() <= 5


# A vault that is down is left alone


@pytest.mark.filterwarnings("ignore::safekv.errors.UncachedReadsWarning")
def test_a_vault_that_fails_is_left_alone_and_looked_after(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation="get_secret", status=503, count=None)
    client = colour.client(local, transport=watched(colour, local))
    for _ in range(6):
        with pytest.raises(HttpResponseError):
            colour.run(get(client))
    local.journal.clear()
    before = local.emulator.clock.monotonic()
    refused = []
    while local.emulator.clock.monotonic() - before < 60:
        with pytest.raises(HttpResponseError) as caught:
            colour.run(get(client, retry_total=0))
        if isinstance(caught.value, VaultUnavailable) and caught.value.response is None:  # not sent
            refused.append(caught.value.retry_in)
        local.advance(seconds=0.05)
    assert len(refused) > 100
    assert all(0 < (retry_in or 0) <= 5 for retry_in in refused)
    assert len(sent(local)) <= 60  # one a second, where there were twenty calls
    local.emulator.clear_faults()
    local.advance(seconds=5)
    assert colour.run(get(client)).value == "hello"
    assert colour.run(get(client)).value == "hello"


def test_a_short_trouble_is_waited_out(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation="get_secret", status=503, count=5)
    client = colour.client(local)
    with pytest.raises(HttpResponseError):  # the first call's four attempts
        colour.run(get(client))
    assert colour.run(get(client)).value == "hello"


def test_leaving_a_vault_alone_by_hand(local: LocalKeyVault) -> None:
    vault = local.vault(cache=None)
    vault.secrets.get_secret("greeting")
    vault.isolate()
    count = len(local.journal)
    with pytest.raises(VaultUnavailable, match=r"Vault\.restore") as caught:
        vault.secrets.get_secret("greeting")
    assert isinstance(caught.value, HttpResponseError)
    assert len(local.journal) == count
    vault.restore()
    assert vault.secrets.get_secret("greeting").value == "hello"


@pytest.mark.parametrize("status", [401, 403, 404, 409])
def test_what_shows_life_does_not_count(colour: Colour, local: LocalKeyVault, status: int) -> None:
    local.fail(operation="get_secret", status=status, count=9)
    client = colour.client(local)
    for _ in range(9):
        with pytest.raises(HttpResponseError) as caught:
            colour.run(get(client, retry_total=0))
        assert caught.value.status_code == status
