"""Equal arguments give the same client; a difference that matters gives another one."""

from __future__ import annotations

import gc
import sys
import tracemalloc
import warnings
from collections.abc import Iterator
from typing import Any
from unittest import mock

import azure.keyvault.secrets
import azure.keyvault.secrets.aio
import pytest
import requests
from azure.keyvault.secrets import ApiVersion
from colours import Colour, sync_colour
from doubles import InfoCredential, TokenCredential, Watched, watched
from hypothesis import given
from hypothesis import strategies as st

import safekv.identity
from safekv import Vault
from safekv._settings import Settings
from safekv.connection import _registry
from safekv.connection._connection import MAX_CLIENTS
from safekv.errors import ManyCredentialsWarning
from safekv.secrets import SecretClient
from safekv.secrets.aio import SecretClient as AsyncSecretClient
from safekv.testing import LocalKeyVault

URL = "https://my-vault.vault.azure.net"


@pytest.mark.parametrize(
    "spelling",
    [
        "https://my-vault.vault.azure.net/",
        "HTTPS://My-Vault.Vault.Azure.Net",
        "https://my-vault.vault.azure.net:443",
        " my-vault ",
        "MY-VAULT",
        "https://my-vault.vault.azure.net.//",
    ],
)
def test_any_spelling_of_the_url(colour: Colour, spelling: str) -> None:
    credential = InfoCredential()
    assert colour.client_class(spelling, credential) is colour.client_class(URL, credential)


def test_the_environment_names_the_vault(colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_KEY_VAULT_URL", "https://MY-VAULT.vault.azure.net/")
    credential = InfoCredential()
    assert colour.client_class(credential=credential) is colour.client_class(URL, credential)
    assert colour.client_class(None, credential) is colour.client_class(vault_url=URL, credential=credential)


def test_no_credential_is_the_default_one(colour: Colour) -> None:
    client = colour.client_class(URL)
    assert client is colour.client_class(URL, None)
    assert client is colour.client_class(URL, safekv.identity.DefaultAzureCredential())
    with pytest.warns(ManyCredentialsWarning):
        other = colour.client_class(URL, safekv.identity.DefaultAzureCredential(exclude_cli_credential=True))
    assert client is not other


def test_identities_share_nothing(colour: Colour) -> None:
    mine, yours = InfoCredential(), InfoCredential()
    with pytest.warns(ManyCredentialsWarning):
        clients = [colour.client_class(URL, mine), colour.client_class(URL, yours)]
    connections = [client._lease.connection for client in clients]
    assert clients[0] is not clients[1]
    assert connections[0] is not connections[1]
    assert connections[0].tokens is not connections[1].tokens
    assert connections[0].slots is not connections[1].slots


def test_vaults_share_the_tokens_only(colour: Colour) -> None:
    credential = InfoCredential()
    one, other = (colour.client_class(url, credential)._lease.connection for url in (URL, "https://b.vault.azure.net"))
    assert one is not other
    assert one.tokens is other.tokens


def test_the_doors_share_tokens_of_a_sync_credential() -> None:
    credential = InfoCredential()
    sync, aio = SecretClient(URL, credential), AsyncSecretClient(URL, credential)
    assert aio._lease.connection.tokens.cache is sync._lease.connection.tokens.cache


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"api_version": "7.4"}),
        ({"retry_total": 1}, {"retry_total": True}),
        ({"retry_total": 1}, {"retry_total": 1.0}),
        ({"logging_enable": False}, {"logging_enable": 0}),
        ({"headers": {"a": "1"}}, {"headers": {"a": "2"}}),
        ({"per_call_policies": []}, {"per_call_policies": ()}),
        ({"timeout": 5}, {"timeout": None}),
        ({"raw_request_hook": print}, {"raw_request_hook": repr}),
    ],
)
def test_other_options_are_another_client_of_the_same_connection(colour: Colour, one: Any, other: Any) -> None:
    credential = InfoCredential()
    first, second = (colour.client_class(URL, credential, **options) for options in (one, other))
    assert first is not second
    assert first._lease.connection is second._lease.connection
    assert first is colour.client_class(URL, credential, **one)


@pytest.mark.parametrize(
    "options",
    [{"connection_verify": False}, {"read_timeout": 3}, {"connection_timeout": 1}, {"use_env_settings": True}],
)
def test_options_of_the_connection_are_another_connection(colour: Colour, options: Any) -> None:
    credential = InfoCredential()
    plain, special = colour.client_class(URL, credential), colour.client_class(URL, credential, **options)
    assert plain._lease.connection is not special._lease.connection
    assert special is colour.client_class(URL, credential, **options)


CREDENTIALS = [InfoCredential(), InfoCredential()]
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "timeout": st.sampled_from([1, 1.0, 2]),
        "read_timeout": st.sampled_from([1, 1.0]),
        "logging_enable": st.sampled_from([True, 1, False]),
        "headers": st.sampled_from([{}, {"a": "1"}, {"a": "2"}, {"a": "1", "b": "2"}]),
    },
)


@given(st.integers(0, 1), OPTIONS, st.integers(0, 1), OPTIONS)
@pytest.mark.filterwarnings("ignore::safekv.errors.ManyCredentialsWarning")
def test_the_same_client_means_the_same_identity_and_options(first: int, one: Any, second: int, other: Any) -> None:
    url = "https://property.vault.azure.net"
    clients = [SecretClient(url, CREDENTIALS[first], **one), SecretClient(url, CREDENTIALS[second], **other)]
    alike = repr(sorted(one.items())) == repr(sorted(other.items()))
    assert (clients[0] is clients[1]) == (first == second and alike)
    if first != second:
        assert clients[0]._lease.connection is not clients[1]._lease.connection
        assert clients[0]._lease.connection.tokens is not clients[1]._lease.connection.tokens
    for client in clients:
        client.close()


def test_no_transport_is_the_default_one(colour: Colour, local: LocalKeyVault) -> None:
    credential = InfoCredential()
    assert colour.client_class(URL, credential, transport=None) is colour.client_class(URL, credential)
    with local:
        assert colour.run(colour.client_class(local.url(), transport=None).get_secret("greeting")).value == "hello"


def test_options_of_the_transport_reach_it() -> None:
    options = {"connection_data_block_size": 77, "connection_timeout": 3, "read_timeout": 4, "connection_verify": False}
    for kind in (SecretClient, AsyncSecretClient):
        config = kind(URL, CREDENTIAL, **options)._lease.connection_config
        assert (config.data_block_size, config.timeout, config.read_timeout) == (77, 3, 4)


def test_a_session_of_the_users_own() -> None:
    session = requests.Session()
    client = SecretClient(URL, CREDENTIAL, session=session, session_owner=False)
    assert client._lease.connection.transport.session is session


def test_a_warning_that_is_made_an_error_leaves_nothing_half_done(colour: Colour, registry: _registry.Registry) -> None:
    first, second = InfoCredential(), InfoCredential()
    colour.client_class(URL, first)
    with pytest.raises(ManyCredentialsWarning):
        colour.client_class(URL, second)
    assert len(registry) == 1
    assert colour.client_class(URL, second)._lease.leases == 1
    assert len(registry) == 2


def test_the_order_of_options_is_no_difference() -> None:
    credential = InfoCredential()
    one = SecretClient(URL, credential, timeout=5, headers={"a": "1", "b": "2"})
    assert one is SecretClient(URL, credential, headers={"b": "2", "a": "1"}, timeout=5)


def test_a_version_of_the_api_works_in_both_forms(local: LocalKeyVault, colour: Colour) -> None:
    for version in (ApiVersion.V7_4, "7.4"):
        client = colour.client(local, api_version=version)
        assert client.api_version == "7.4"
        assert colour.run(client.get_secret("greeting")).value == "hello"


def test_it_is_the_class_of_the_sdk(colour: Colour) -> None:
    client = colour.client_class(URL, InfoCredential())
    assert isinstance(client, colour.sdk_class)
    assert type(client) is colour.client_class
    assert repr(client) == f"<{colour.client_class.__module__.removesuffix('._client')}.SecretClient {URL}>"


def test_what_tests_do_to_the_class_of_the_sdk_reaches_ours(colour: Colour) -> None:
    with mock.patch.object(colour.sdk_class, "get_secret", return_value="patched") as patched:
        assert colour.run(colour.client_class(URL, CREDENTIAL).get_secret("name")) == "patched"
    patched.assert_called_once()
    with mock.patch("azure.keyvault.secrets.SecretClient.get_secret", return_value="patched"):
        assert SecretClient(URL, CREDENTIAL).get_secret("name") == "patched"


def test_autospec(colour: Colour) -> None:
    double = mock.create_autospec(colour.client_class, instance=True)
    double.get_secret.return_value = "double"
    assert colour.run(double.get_secret("name")) == "double"
    with pytest.raises(TypeError):
        colour.run(double.get_secret("name", "version", "surplus"))
    assert isinstance(double, colour.sdk_class)


class Plain(SecretClient):
    """Shared like its base."""


class Own(SecretClient):
    """Built by itself."""

    def __init__(self, name: str) -> None:
        super().__init__(f"https://{name}.vault.azure.net", CREDENTIAL, timeout=7)
        self.name = name


CREDENTIAL = InfoCredential()


def test_subclasses() -> None:
    base, plain = SecretClient(URL, CREDENTIAL), Plain(URL, CREDENTIAL)
    assert type(plain) is Plain
    assert plain is not base
    assert plain is Plain(URL, CREDENTIAL)
    assert plain._lease.connection is base._lease.connection


def test_a_subclass_with_an_init_of_its_own_is_not_shared() -> None:
    one, other = Own("my-vault"), Own("my-vault")
    assert one is not other
    assert (one.name, one.vault_url) == ("my-vault", URL)
    assert one._lease.connection is other._lease.connection is SecretClient(URL, CREDENTIAL)._lease.connection
    one.close()
    assert other._lease.leases == 1


def test_the_warning_comes_once_and_points_at_the_caller(colour: Colour) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        credentials = [InfoCredential() for _ in range(5)]
        for credential in credentials:
            colour.client_class(URL, credential)  # the line of the warning
        colour.client_class(URL, credentials[0])
    assert [each.category for each in caught] == [ManyCredentialsWarning]
    assert caught[0].filename == __file__
    with open(__file__) as source:
        assert "# the line of the warning" in source.read().splitlines()[caught[0].lineno - 1]
    assert "https://my-vault.vault.azure.net" in str(caught[0].message)
    assert "safekv.identity" in str(caught[0].message)


def test_the_warning_points_at_who_asks_a_vault_for_its_client() -> None:
    SecretClient(URL, InfoCredential())
    with pytest.warns(ManyCredentialsWarning) as caught:
        _ = Vault(URL, InfoCredential()).secrets
    assert caught[0].filename == __file__


def test_no_warning_for_one_credential_or_for_transports_of_their_own(local: LocalKeyVault, colour: Colour) -> None:
    credential = InfoCredential()
    colour.client_class(URL, credential)
    colour.client_class(URL, credential, timeout=3)
    colour.client_class(URL, credential, read_timeout=3)
    SecretClient(URL, credential)
    AsyncSecretClient(URL, credential)
    for emulator in (local, LocalKeyVault(), LocalKeyVault()):
        assert emulator.vault("my-vault").vault_url == URL
        _ = emulator.vault("my-vault").secrets


def test_a_credential_that_was_closed_before_is_no_reason_to_warn(colour: Colour) -> None:
    for _ in range(3):
        colour.run(colour.client_class(URL, InfoCredential()).close())


def test_the_registries_are_bounded(registry: _registry.Registry) -> None:
    most = registry.settings.max_connections
    for number in range(200):
        credential = InfoCredential()
        SecretClient(f"https://v{number}.vault.azure.net", credential)
        Vault(f"https://v{number}.vault.azure.net", credential)
        AsyncSecretClient(f"https://v{number}.vault.azure.net", credential)
    assert len(registry) <= most
    assert len(registry._sources) <= 2 * most
    assert len(registry._vaults) <= most


def test_a_connection_keeps_so_many_clients() -> None:
    credential = InfoCredential()
    clients = [SecretClient(URL, credential, timeout=seconds) for seconds in range(1, 100)]
    assert len(clients[-1]._lease.connection.clients) == MAX_CLIENTS
    assert SecretClient(URL, credential, timeout=99) is clients[-1]


def test_a_client_outlives_the_credentials_that_came_and_went(colour: Colour) -> None:
    credential = InfoCredential()
    client = colour.client_class(URL, credential)
    for number in range(200):
        colour.run(colour.client_class(f"https://v{number}.vault.azure.net", InfoCredential()).close())
    assert colour.client_class(URL, credential) is client


def test_a_client_that_was_evicted_goes_on_working(local: LocalKeyVault, colour: Colour) -> None:
    _registry.replace(_registry.Registry(Settings(max_connections=1)))
    transport = watched(colour, local)
    first = colour.client(local, transport=transport)
    colour.client(local, vault="other")
    assert colour.run(first.get_secret("greeting")).value == "hello"
    again = colour.client(local, transport=transport)
    assert again is not first
    colour.run(first.close())
    assert colour.run(again.get_secret("greeting")).value == "hello"


def test_a_thousand_constructions_are_one_client(colour: Colour) -> None:
    credential = InfoCredential()
    first = colour.client_class(URL, credential)
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        same = [colour.client_class(URL, credential) is first for _ in range(1_000)]
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert all(same)
    assert after - before < 20_000  # the list of answers, and nothing per construction


@pytest.fixture
def _hectic() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_hectic")
def test_threads_that_construct_at_once_get_one_object() -> None:
    credential = InfoCredential()
    kinds = [SecretClient, AsyncSecretClient] * 16
    with sync_colour() as colour:
        for number in range(20):
            url = f"https://v{number}.vault.azure.net"
            clients = colour.together(32, lambda n, url=url: kinds[n](url, credential))  # type: ignore[misc]
            assert len(set(map(id, clients))) == 2
            assert clients[0]._lease.leases == clients[0]._lease.connection.leases == 16


@pytest.mark.usefixtures("_hectic")
def test_threads_that_come_and_go_leave_nothing_behind(local: LocalKeyVault, registry: _registry.Registry) -> None:
    transport = Watched(local)

    def come_and_go(_: int) -> str:
        values = set()
        for _ in range(10):
            with SecretClient(local.url(), local.credential(), transport=transport) as client:
                values.add(client.get_secret("greeting").value)
        return str(values)

    with sync_colour() as colour:
        answers = colour.together(16, come_and_go)
    assert set(answers) == {"{'hello'}"}
    assert len(registry) == 0


def test_vaults() -> None:
    credential = InfoCredential()
    vault = Vault("my-vault", credential, timeout=5)
    assert vault is Vault("https://MY-VAULT.vault.azure.net/", credential, timeout=5)
    assert vault is not Vault("my-vault", credential)
    assert vault is not Vault("my-vault", TokenCredential(), timeout=5)
    assert vault.vault_url == URL
    assert vault.secrets is SecretClient(URL, credential, timeout=5)
    assert repr(vault) == "<safekv.Vault https://my-vault.vault.azure.net>"


def test_the_names_of_the_sdk_stay_what_they_are() -> None:
    assert azure.keyvault.secrets.SecretClient is not SecretClient
    assert azure.keyvault.secrets.aio.SecretClient is not AsyncSecretClient
