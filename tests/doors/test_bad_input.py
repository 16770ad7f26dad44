"""What Key Vault could only refuse is refused here: typed, explained, and before any request."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from fractions import Fraction
from typing import Any

import pytest
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.keyvault.secrets import ApiVersion
from colours import Colour
from doubles import AsyncCredential, InfoCredential

from safekv import CacheSettings, Vault, access, load, load_environ, resolve, subscribe, watch
from safekv.errors import InvalidArgument, InvalidCredential, MissingPackage, SafeKVError
from safekv.keys.crypto import EncryptionAlgorithm
from safekv.secrets import SecretClient
from safekv.secrets.aio import SecretClient as AsyncSecretClient
from safekv.testing import LocalKeyVault

VALUE = "s3cret/value!"
EXAMPLE = "https://my-vault.vault.azure.net"


def refused(kind: type[BaseException], call: Callable[[], Any]) -> str:
    """The text of the error that ``call`` raises; it is a ValueError of ours, and hides what has to be hidden."""
    with pytest.raises(kind) as caught:
        call()
    error = caught.value
    assert isinstance(error, SafeKVError)
    assert isinstance(error, ValueError)
    assert error.hint
    text = f"{error}{error!r}{error.args}"
    assert VALUE not in text
    assert "hunter2" not in text
    return str(error)


URLS = [
    ("http://my.vault.azure.net", "https://"),
    ("HTTP://my.vault.azure.net", "https://"),
    ("ftp://my.vault.azure.net", "https://"),
    ("https://my.vault.azure.net/secrets/name", "path"),
    ("https://my.vault.azure.net?sig=hunter2", "query"),
    ("https://my.vault.azure.net/?", "query"),
    ("https://my.vault.azure.net#hunter2", "fragment"),
    ("https://user:hunter2@my.vault.azure.net", "user information"),
    ("https://hunter2@my.vault.azure.net", "user information"),
    ("https://@my.vault.azure.net", "user information"),
    ("https://user:hunter2@my.vault.azure.net:port", "URL"),
    ("https://user:hunter2@ho\u2100st.vault.azure.net", "URL"),
    ("https://user:hunter2\uff20my.vault.azure.net", "URL"),
    ("https://user:hunter2@[my.vault", "URL"),
    ("https://my.vault.azure.net:70000", "URL"),
    ("https://", "host"),
    ("https://my vault.azure.net", "host"),
    ("https://my\\vault.azure.net", "host"),
    ("https://my\x00vault.azure.net", "host"),
    ("", "AZURE_KEY_VAULT_URL"),
    (None, "AZURE_KEY_VAULT_URL"),
    (b"https://my.vault.azure.net", "AZURE_KEY_VAULT_URL"),
    (7, "AZURE_KEY_VAULT_URL"),
]


NO_SCHEME = ["my.vault.azure.net", "//my.vault.azure.net", "https:my.vault.azure.net", "my_vault", "a", "a" * 25]


@pytest.mark.parametrize(("url", "problem"), URLS)
def test_urls_that_are_no_vaults(colour: Colour, url: Any, problem: str) -> None:
    text = refused(InvalidArgument, lambda: colour.client_class(url))
    assert problem in text
    assert EXAMPLE in text
    assert problem in refused(InvalidArgument, lambda: Vault(url))


@pytest.mark.parametrize("url", NO_SCHEME)
def test_texts_without_a_scheme_fail_at_the_first_call(colour: Colour, local: LocalKeyVault, url: str) -> None:
    """The SDK's own tests, and other people's, construct clients of ``"vault_url"`` that they never use."""
    client = colour.client_class(url, local.credential(), transport=local.transport(colour.name))
    for call in (
        lambda: colour.run(client.get_secret("greeting")),
        lambda: colour.items(client.list_properties_of_secrets()),
    ):
        text = refused(InvalidArgument, call)
        assert "no scheme" in text
        assert repr(url) in text
        assert EXAMPLE in text
    assert "no scheme" in refused(InvalidArgument, lambda: Vault(url))
    assert not list(local.journal)


def test_what_was_given_is_shown() -> None:
    assert "'http://my.vault.azure.net'" in refused(InvalidArgument, lambda: SecretClient("http://my.vault.azure.net"))
    assert len(refused(InvalidArgument, lambda: SecretClient("http://" + "x" * 10_000))) < 400


def test_a_bad_url_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_KEY_VAULT_URL", "http://my.vault.azure.net")
    assert "http://my.vault.azure.net" in refused(InvalidArgument, SecretClient)


def test_a_name_alone_is_the_public_cloud(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client_class("Local", local.credential(), transport=local.transport(colour.name))
    assert client.vault_url == "https://local.vault.azure.net"
    assert colour.run(client.get_secret("greeting")).value == "hello"


@pytest.mark.parametrize(
    ("credential", "given"),
    [
        ("hunter2", "str"),
        (b"hunter2", "bytes"),
        (("tenant", "hunter2"), "tuple"),
        (["hunter2"], "list"),
        ({"secret": "hunter2"}, "dict"),
        (AccessToken("hunter2", 0), "AccessToken"),
        (0, "int"),
        ("", "str"),
        (AsyncCredential, "AsyncCredential"),
    ],
)
def test_what_can_never_be_a_credential_fails_at_construction(
    colour: Colour, local: LocalKeyVault, credential: Any, given: str
) -> None:
    url = local.url()
    for options in ({}, {"transport": local.transport(colour.name)}):
        text = refused(
            InvalidCredential,
            lambda options=options: colour.client_class(url, credential, **options),  # type: ignore[misc]
        )
        assert given in text
        assert "DefaultAzureCredential()" in text
    assert issubclass(InvalidCredential, TypeError)
    assert not list(local.journal)


def test_the_same_holds_while_an_emulator_stands_in(colour: Colour, local: LocalKeyVault) -> None:
    with local:
        refused(InvalidCredential, lambda: colour.client_class(local.url(), "hunter2"))


def test_an_async_credential_in_a_sync_client(local: LocalKeyVault) -> None:
    for options in ({}, {"transport": local.transport()}):
        text = refused(
            InvalidCredential,
            lambda options=options: SecretClient(local.url(), AsyncCredential(), **options),  # type: ignore[misc]
        )
        assert "AsyncCredential" in text
        assert "safekv.secrets.aio" in text
    with local:
        refused(InvalidCredential, lambda: SecretClient(local.url(), AsyncCredential()))


@pytest.mark.parametrize("credential", [object(), AzureKeyCredential("hunter2"), lambda: "hunter2"])
def test_an_object_without_tokens_fails_at_the_first_call(
    colour: Colour, local: LocalKeyVault, credential: Any
) -> None:
    client = colour.client(local, credential=credential)
    for _ in range(2):
        text = refused(InvalidCredential, lambda: colour.run(client.get_secret("greeting")))
        assert type(credential).__name__ in text
        assert "get_token" in text
    refused(InvalidCredential, lambda: colour.items(client.list_properties_of_secrets()))
    assert not list(local.journal)


@pytest.mark.parametrize("version", ["1.0", "7.9", "latest", "", "2026-04-01-Preview", 7.15])
def test_an_unknown_api_version_fails_at_the_first_call(colour: Colour, local: LocalKeyVault, version: Any) -> None:
    client = colour.client(local, api_version=version)
    for _ in range(2):
        text = refused(InvalidArgument, lambda: colour.run(client.get_secret("greeting")))
        assert repr(str(version)) in text
        assert max(version.value for version in ApiVersion if version.value.startswith("20")) in text
        assert "7.4" in text
    assert not list(local.journal)


def test_an_error_of_the_first_call_is_not_shared(local: LocalKeyVault) -> None:
    client = SecretClient(local.url(), object(), transport=local.transport())
    errors = []
    for _ in range(2):
        with pytest.raises(InvalidCredential) as caught:
            client.get_secret("greeting")
        errors.append(caught.value)
    assert errors[0] is not errors[1]


NO_SECONDS = [float("inf"), -float("inf"), float("nan"), "5", True, 10**400, [5]]


@pytest.mark.parametrize("given", NO_SECONDS, ids=lambda given: repr(given)[:6])
def test_a_timeout_is_a_finite_number(colour: Colour, local: LocalKeyVault, given: Any) -> None:
    client = colour.client(local, cache=CacheSettings())
    colour.run(client.get_secret("greeting"))  # in the cache now
    sent = len(list(local.journal))
    for call in (
        lambda: colour.run(client.get_secret("greeting", timeout=given)),
        lambda: colour.run(client.get_secret("greeting", timeout=given, max_age=0)),
        lambda: colour.run(client.set_secret("greeting", "x", timeout=given)),
        lambda: colour.run(client.get_many(["greeting"], timeout=given)),
        lambda: colour.delete(client, "greeting", timeout=given),
        lambda: colour.items(client.list_properties_of_secrets(timeout=given)),
        lambda: client.watch(["greeting"], interval=given),
        lambda: colour.client(local, timeout=given),
    ):
        assert "number of seconds" in refused(InvalidArgument, call)
    assert len(list(local.journal)) == sent


@pytest.mark.parametrize("given", [None, 3, 1e12, sys.maxsize, Fraction(11, 2)])
def test_the_timeouts_of_the_sdk_are_taken(colour: Colour, local: LocalKeyVault, given: Any) -> None:
    client = colour.client(local, timeout=given)
    assert colour.run(client.get_secret("greeting", timeout=given)).value == "hello"
    assert colour.run(client.set_secret("greeting", "x", timeout=given)).value == "x"
    assert colour.run(client.get_many(["greeting"], timeout=given))
    assert colour.items(client.list_properties_of_secrets(timeout=given))
    colour.delete(client, "greeting", timeout=given)


@pytest.mark.parametrize("given", [*NO_SECONDS, 0, -1], ids=lambda given: repr(given)[:6])
def test_so_are_the_seconds_of_jobs(local: LocalKeyVault, given: Any) -> None:
    with local:
        vault = Vault(local.url())
        vault.keys.create_rsa_key("kek")
        crypto = vault.crypto("kek")
        sent = len(list(local.journal))
        for call in (
            lambda: load(["greeting"], vault=vault, timeout=given),
            lambda: resolve({"a": "kv://local/greeting"}, vault=vault, timeout=given),
            lambda: load_environ(["greeting"], vault=vault, environ={}, timeout=given),
            lambda: watch(["greeting"], vault=vault, interval=given),
            lambda: vault.secrets.get_many(["greeting"], timeout=given),
            lambda: access.read(local.url(), timeout=given),
        ):
            assert "positive, finite number of seconds" in refused(InvalidArgument, call)
        if given not in (0, -1):
            text = refused(InvalidArgument, lambda: crypto.encrypt(EncryptionAlgorithm.rsa_oaep, b"x", timeout=given))
            assert "finite number of seconds" in text
        assert len(list(local.journal)) == sent


def test_whoever_has_very_much_time_can_wait_for_another(local: LocalKeyVault) -> None:
    """What is longer than a timer of the operating system takes is an OverflowError there."""
    with local:
        client, begun, go = SecretClient(local.url()), threading.Event(), threading.Event()

        def slow(event: Any) -> None:
            begun.set()
            go.wait(30)

        unsubscribe = subscribe(slow)
        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(client.get_secret, "greeting")
            assert begun.wait(30)
            unsubscribe()
            second = pool.submit(client.get_secret, "greeting", timeout=1e12)
            wait([second], timeout=0.2)  # until it waits
            go.set()
            assert first.result().value == second.result().value == "hello"


NAMES = [
    "",
    "under_score",
    "dot.ted",
    "sla/sh",
    "spa ce",
    "../up",
    "ünïcode",
    "a" * 128,
    "new\n",
    "٣",
    None,
    7,
    b"bytes",
]
CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "get_secret": lambda client, name: client.get_secret(name),
    "set_secret": lambda client, name: client.set_secret(name, VALUE),
    "update_secret_properties": lambda client, name: client.update_secret_properties(name),
    "list_properties_of_secret_versions": lambda client, name: client.list_properties_of_secret_versions(name),
    "get_deleted_secret": lambda client, name: client.get_deleted_secret(name),
    "purge_deleted_secret": lambda client, name: client.purge_deleted_secret(name),
    "backup_secret": lambda client, name: client.backup_secret(name),
}
BY_COLOUR = {
    "sync": {
        "delete": lambda client, name: client.begin_delete_secret(name),
        "recover": lambda client, name: client.begin_recover_deleted_secret(name),
    },
    "aio": {
        "delete": lambda client, name: client.delete_secret(name),
        "recover": lambda client, name: client.recover_deleted_secret(name),
    },
}


def check_names(colour: Colour, local: LocalKeyVault, call: Callable[[Any, Any], Any]) -> None:
    client = colour.client(local)
    for name in NAMES:
        text = refused(InvalidArgument, lambda name=name: colour.run(call(client, name)))  # type: ignore[misc]
        assert "db-password" in text
        assert "1 to 127" in text
    assert not list(local.journal)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_names(colour: Colour, local: LocalKeyVault, call: Callable[[Any, Any], Any]) -> None:
    check_names(colour, local, call)


@pytest.mark.parametrize("method", ["delete", "recover"])
def test_names_of_the_long_ones(colour: Colour, local: LocalKeyVault, method: str) -> None:
    check_names(colour, local, BY_COLOUR[colour.name][method])


def test_the_longest_name_works(colour: Colour, local: LocalKeyVault) -> None:
    name = "a-" + "9" * 125
    assert colour.run(colour.client(local).set_secret(name, VALUE)).name == name


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "NoneType"),
        (VALUE.encode(), "bytes"),
        (7, "int"),
        (VALUE * 2_000, "25,600"),
        ("é" * 12_801, "25,600"),
    ],
)
def test_values(colour: Colour, local: LocalKeyVault, value: Any, problem: str) -> None:
    text = refused(InvalidArgument, lambda: colour.run(colour.client(local).set_secret("db-password", value)))
    assert problem in text
    assert "'db-password'" in text
    assert not list(local.journal)


def test_the_longest_value_works(colour: Colour, local: LocalKeyVault) -> None:
    assert colour.run(colour.client(local).set_secret("long", "é" * 12_800)).value == "é" * 12_800


def test_an_empty_value_is_stored_as_the_service_does(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local)
    assert colour.run(client.set_secret("empty", "")).value == ""
    assert colour.run(client.get_secret("empty", max_age=0)).value == ""


def test_a_value_in_the_place_of_the_name_is_not_shown(colour: Colour, local: LocalKeyVault) -> None:
    refused(InvalidArgument, lambda: colour.run(colour.client(local).set_secret(VALUE, "db-password")))


@pytest.mark.parametrize(
    ("attributes", "problem"),
    [
        ({"tags": {str(number): "x" for number in range(16)}}, "16 tags"),
        ({"tags": {"k" * 513: "v"}}, "512"),
        ({"tags": {"k": "v" * 513}}, "512"),
        ({"tags": ["env"]}, "dict"),
        ({"tags": "env"}, "dict"),
        ({"content_type": "t" * 256}, "255"),
    ],
)
def test_attributes(colour: Colour, local: LocalKeyVault, attributes: Any, problem: str) -> None:
    client = colour.client(local)
    for call in (
        lambda: client.set_secret("name", VALUE, **attributes),
        lambda: client.update_secret_properties("name", **attributes),
    ):
        assert problem in refused(InvalidArgument, lambda call=call: colour.run(call()))  # type: ignore[misc]
    assert not list(local.journal)


def test_fifteen_tags_work(colour: Colour, local: LocalKeyVault) -> None:
    tags = {str(number): "x" for number in range(15)}
    assert colour.run(colour.client(local).set_secret("name", VALUE, tags=tags)).properties.tags == tags


def test_nothing_is_left_unawaited(local: LocalKeyVault) -> None:
    """A check of an aio method fails when it is awaited, as everything else of it does."""
    client = local.aio_client()

    async def main() -> None:
        with pytest.raises(InvalidArgument):
            await client.get_secret("under_score")

    asyncio.run(main())


def test_aio_without_aiohttp_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safekv.connection._aconnection.find_spec", lambda name: None)
    with pytest.raises(MissingPackage, match=r"pip install 'safekv\[aio\]'") as caught:
        AsyncSecretClient("my-vault", InfoCredential())
    assert isinstance(caught.value, ModuleNotFoundError)
