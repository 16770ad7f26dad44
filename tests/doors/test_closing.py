"""Each construction is a lease; the last one that is given back closes."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from colours import Colour
from doubles import InfoCredential, watched

from safekv import Vault
from safekv.connection._connection import SyncConnection
from safekv.connection._registry import Registry
from safekv.errors import ClientClosed
from safekv.secrets import SecretClient
from safekv.testing import LocalKeyVault


def close(colour: Colour, client: Any) -> None:
    colour.run(client.close())


def check_closed(colour: Colour, client: Any) -> None:
    with pytest.raises(ClientClosed) as caught:
        colour.run(client.get_secret("greeting"))
    assert isinstance(caught.value, ValueError)  # as the SDK's own
    assert "https://local.vault.azure.net has been closed" in str(caught.value)
    assert "Construct it again" in str(caught.value)


def test_the_last_one_closes(colour: Colour, local: LocalKeyVault, registry: Registry) -> None:
    transport = watched(colour, local)
    clients = [colour.client(local, transport=transport) for _ in range(3)]
    for client in clients[:2]:
        close(colour, client)
        assert colour.run(client.get_secret("greeting")).value == "hello"
    assert transport.events == []
    close(colour, clients[2])
    assert transport.events == ["exit"]
    check_closed(colour, clients[0])
    assert len(registry) == 0


def test_closing_twice_does_no_harm(colour: Colour, local: LocalKeyVault) -> None:
    transport = watched(colour, local)
    client = colour.client(local, transport=transport)
    other = colour.client(local, vault="other")
    for _ in range(3):
        close(colour, client)
    assert transport.events == ["exit"]
    assert client._lease.leases == client._lease.connection.leases == 0
    assert other._lease.leases == other._lease.connection.leases == 1


def test_constructing_again_works(colour: Colour, local: LocalKeyVault) -> None:
    before = colour.client(local)
    close(colour, before)
    again = colour.client(local)
    assert again is not before
    assert again is colour.client(local)
    assert colour.run(again.get_secret("greeting")).value == "hello"
    check_closed(colour, before)


def test_with(colour: Colour, local: LocalKeyVault) -> None:
    transport = watched(colour, local)
    with colour.entered(colour.client(local, transport=transport)) as client:
        assert transport.events == ["enter"]
        assert colour.run(client.get_secret("greeting")).value == "hello"
    assert transport.events == ["enter", "exit"]
    check_closed(colour, client)
    with pytest.raises(ClientClosed), colour.entered(client):
        pass


def test_a_transport_of_the_users_own_is_treated_as_by_the_sdk(colour: Colour, local: LocalKeyVault) -> None:
    seen = []
    for kind in (colour.client_class, colour.sdk_class):
        transport = watched(colour, local)
        with colour.entered(kind(local.url(), local.credential(), transport=transport)):
            pass
        close(colour, kind(local.url(), local.credential(), transport=transport))
        seen.append(transport.events)
    assert seen[0] == seen[1] == ["enter", "exit", "exit"]


def test_with_inside_with(colour: Colour, local: LocalKeyVault) -> None:
    transport = watched(colour, local)
    with colour.entered(colour.client(local, transport=transport)) as outer:
        with colour.entered(colour.client(local, transport=transport)) as inner:
            assert inner is outer
        assert colour.run(outer.get_secret("greeting")).value == "hello"
        assert "exit" not in transport.events
    assert transport.events[-1] == "exit"
    assert transport.events.count("exit") == 1


def test_clients_of_one_connection_close_by_themselves(colour: Colour, local: LocalKeyVault) -> None:
    transport = watched(colour, local)
    one, other = (colour.client(local, transport=transport, timeout=seconds) for seconds in (5, 6))
    close(colour, one)
    check_closed(colour, one)
    assert colour.run(other.get_secret("greeting")).value == "hello"
    again = colour.client(local, transport=transport, timeout=5)
    assert colour.run(again.get_secret("greeting")).value == "hello"
    check_closed(colour, one)
    close(colour, again)
    assert transport.events == []
    close(colour, other)
    assert transport.events == ["exit"]


def test_everything_of_a_closed_client_says_so(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local)
    close(colour, client)
    with pytest.raises(ClientClosed):
        colour.run(client.set_secret("greeting", "again"))
    with pytest.raises(ClientClosed):
        colour.items(client.list_properties_of_secrets())
    assert client.vault_url == local.url()
    assert not list(local.journal)


def test_a_call_after_closing_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    monkeypatch.setattr(SyncConnection, "_open", lambda self: opened.append(self))
    client = SecretClient("https://local.vault.azure.net", InfoCredential())
    client.close()
    with pytest.raises(ClientClosed):
        client.get_secret("greeting")
    assert opened == []


class Closer:
    """Closes the client while a call waits for its next attempt."""

    def __init__(self, inner: Any, client: Any = None) -> None:
        self._inner = inner
        self.client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def sleep(self, duration: float) -> None:
        self._inner.sleep(duration)
        self.client.close()


def test_closing_under_a_call_that_waits(local: LocalKeyVault) -> None:
    local.fail(operation="get_secret", status=429)
    transport = Closer(local.transport())
    transport.client = SecretClient(local.url(), local.credential(), transport=transport)
    with pytest.raises(ClientClosed):
        transport.client.get_secret("greeting")


def test_what_was_never_used_has_nothing_to_close(colour: Colour) -> None:
    close(colour, colour.client_class("https://local.vault.azure.net", InfoCredential()))
    gc.collect()


def test_a_client_that_is_forgotten_warns_of_nothing(colour: Colour, local: LocalKeyVault, registry: Registry) -> None:
    client = colour.client(local)
    colour.run(client.get_secret("greeting"))
    registry.after_fork()  # nothing holds it any longer
    del client
    gc.collect()


def test_vaults_close_what_they_leased(local: LocalKeyVault) -> None:
    mine = SecretClient(local.url(), local.credential(), transport=local.transport())
    vault = local.vault()
    assert vault.secrets is mine
    vault.close()
    vault.close()
    assert mine.get_secret("greeting").value == "hello"
    assert vault.secrets.get_secret("greeting").value == "hello"
    with vault:
        pass
    mine.close()
    with pytest.raises(ClientClosed):
        mine.get_secret("greeting")


def test_a_vault_that_was_never_used_has_nothing_to_close() -> None:
    Vault("my-vault", InfoCredential()).close()


def test_the_last_one_closes_a_vault(local: LocalKeyVault) -> None:
    with local.vault() as outer:
        secrets = outer.secrets
        with local.vault() as inner:
            assert inner is outer
        assert secrets.get_secret("greeting").value == "hello"
