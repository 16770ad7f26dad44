"""A drop-in has the names, the signatures and the behaviour of what it replaces."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import pytest
from colours import Colour
from doubles import AsyncCredential, InfoCredential

import safekv
from safekv.testing import LocalKeyVault

#: What our clients have beyond the SDK's.
ADDITIONS = {"lane_status"}
MODULES = [
    "keyvault.secrets",
    "keyvault.secrets.aio",
    "keyvault.keys",
    "keyvault.keys.aio",
    "keyvault.keys.crypto",
    "keyvault.keys.crypto.aio",
    "keyvault.certificates",
    "keyvault.certificates.aio",
    "identity",
    "identity.aio",
]
#: Names that our modules have beyond the SDK's.
ADDED_NAMES = {"keyvault.certificates": {"CertificateWithKey"}}


def ours(module: str) -> Any:
    return importlib.import_module(f"safekv.{module.removeprefix('keyvault.')}")


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_is_there(module: str) -> None:
    azures = importlib.import_module(f"azure.{module}")
    mine = ours(module)
    assert set(azures.__all__) <= set(mine.__all__)
    assert set(mine.__all__) == set(azures.__all__) | ADDED_NAMES.get(module, set())
    for name in azures.__all__:
        assert hasattr(mine, name), name
    namespace: dict[str, Any] = {}
    exec(f"from {mine.__name__} import *", namespace)
    assert set(azures.__all__) <= set(namespace)


def test_the_aio_module_of_cryptography_has_more_names_than_it_says() -> None:
    for name in ("EncryptionAlgorithm", "KeyWrapAlgorithm", "SignatureAlgorithm", "EncryptResult", "WrapResult"):
        assert getattr(ours("keyvault.keys.crypto.aio"), name) is getattr(ours("keyvault.keys.crypto"), name)


@pytest.mark.parametrize("package", ["secrets", "keys", "keys.crypto", "certificates"])
def test_the_names_are_the_sdks_own_except_the_client(package: str) -> None:
    mine, azures = ours(f"keyvault.{package}"), importlib.import_module(f"azure.keyvault.{package}")
    for name in azures.__all__:
        same = getattr(mine, name) is getattr(azures, name)
        assert same == (not name.endswith("Client")), name
    assert getattr(mine, "__version__", None) == getattr(azures, "__version__", None)


#: What our clients have beside the SDK's methods.
OURS = {
    "cache_info",
    "get_many",
    "handle_event",
    "invalidate",
    "last_event",
    "on_change",
    "watch",
    "with_secret",
}


def methods(kind: type) -> dict[str, Any]:
    return {
        name: member
        for name, member in inspect.getmembers(kind)
        if not name.startswith("_") and (callable(member) or isinstance(member, property))
    }


def shape(method: Any) -> list[tuple[str, Any, Any]]:
    """Names, kinds and defaults: what a caller can tell apart."""
    parameters = inspect.signature(method).parameters.values()
    return [(each.name, each.kind, each.default) for each in parameters]


def test_every_method_has_the_signature_of_the_sdks(colour: Colour) -> None:
    mine, azures = methods(colour.client_class), methods(colour.sdk_class)
    assert set(mine) - set(azures) == ADDITIONS | OURS
    assert set(azures) <= set(mine)
    for name, method in azures.items():
        if isinstance(method, property):
            assert isinstance(mine[name], property)
            continue
        assert shape(mine[name]) == shape(method), name
        assert inspect.iscoroutinefunction(inspect.unwrap(mine[name])) == inspect.iscoroutinefunction(
            inspect.unwrap(method)
        ), name


def test_the_doors_are_twins() -> None:
    """The aio door differs in the long ones only, as the SDK's does."""
    sync, aio = (set(methods(ours(module).SecretClient)) for module in MODULES[:2])
    assert sync - aio == {"begin_delete_secret", "begin_recover_deleted_secret"}
    assert aio - sync == {"delete_secret", "recover_deleted_secret"}
    for name in sync & aio:
        if name in OURS:
            one, other = (getattr(ours(module).SecretClient, name) for module in MODULES[:2])
            assert shape(one) == shape(other), name
            continue
        one, other = (vars(ours(module).SecretClient).get(name) for module in MODULES[:2])
        assert (one is None) == (other is None), name
        if one is not None:
            assert shape(one) == shape(other), name


#: What takes the name of a secret, and so has to be checked by a method of ours.
NAMED = {
    "get_secret",
    "set_secret",
    "update_secret_properties",
    "list_properties_of_secret_versions",
    "backup_secret",
    "get_deleted_secret",
    "purge_deleted_secret",
}
NAMED_BY_COLOUR = {
    "sync": {"begin_delete_secret", "begin_recover_deleted_secret"},
    "aio": {"delete_secret", "recover_deleted_secret"},
}
#: What takes none.
NAMELESS = {
    "close",
    "list_deleted_secrets",
    "list_properties_of_secrets",
    "restore_secret_backup",
    "send_request",
    "vault_url",
}


def test_every_method_is_known_and_every_name_is_checked(colour: Colour) -> None:
    """A method that the SDK gains has to be looked at before it is put into one of the lists."""
    named = NAMED | NAMED_BY_COLOUR[colour.name]
    assert set(methods(colour.sdk_class)) == named | NAMELESS
    for name, method in methods(colour.sdk_class).items():
        takes_a_name = not isinstance(method, property) and "name" in inspect.signature(method).parameters
        assert takes_a_name == (name in named), name
    assert named <= set(vars(colour.client_class))


def test_the_constructor_differs_as_documented(colour: Colour) -> None:
    mine, azures = (inspect.signature(kind) for kind in (colour.client_class, colour.sdk_class))
    assert list(azures.parameters) == ["vault_url", "credential", "kwargs"]
    assert list(mine.parameters) == ["vault_url", "credential", "options"]
    assert [each.kind for each in mine.parameters.values()] == [each.kind for each in azures.parameters.values()]
    assert mine.parameters["vault_url"].default is mine.parameters["credential"].default is None


def test_attributes(colour: Colour, local: LocalKeyVault) -> None:
    mine = colour.client(local)
    azures = colour.sdk_class(local.url(), local.credential(), transport=local.transport(colour.name))
    assert mine.vault_url == azures.vault_url
    assert mine.api_version == azures.api_version
    assert mine._client._client._pipeline
    assert mine._client._config.api_version == mine.api_version
    with pytest.raises(AttributeError):
        mine.vault_url = "https://other.vault.azure.net"


def everything(colour: Colour, client: Any) -> list[Any]:
    """A tour of all methods; what a caller sees, without ids and times."""
    run = colour.run
    seen: list[Any] = []
    first = run(client.set_secret("name", "one", tags={"a": "b"}, content_type="text", enabled=True))
    second = run(client.set_secret("name", "two"))
    seen += [first.value, first.name, first.properties.tags, first.properties.content_type]
    seen += [run(client.get_secret("name")).value, run(client.get_secret("name", first.properties.version)).value]
    seen += [run(client.get_secret(name="name", version=second.properties.version)).value]
    updated = run(client.update_secret_properties("name", first.properties.version, tags={"c": "d"}, enabled=False))
    seen += [updated.tags, updated.enabled]
    seen += [sorted(item.name for item in colour.items(client.list_properties_of_secrets(max_page_size=1)))]
    seen += [len(colour.items(client.list_properties_of_secret_versions("name")))]
    backup = run(client.backup_secret("name"))
    colour.delete(client, "name")
    seen += [run(client.get_deleted_secret("name")).name]
    seen += [[item.name for item in colour.items(client.list_deleted_secrets())]]
    if colour.loop is None:
        poller = client.begin_recover_deleted_secret("name")
        seen += [poller.result().name]
        poller.wait()
        seen += [poller.done()]
    else:
        seen += [run(client.recover_deleted_secret("name")).name, True]
    colour.delete(client, "name")
    run(client.purge_deleted_secret("name"))
    seen += [run(client.restore_secret_backup(backup)).name, run(client.get_secret("name")).value]
    return seen


def test_the_tour_is_the_same(colour: Colour) -> None:
    mine, azures = LocalKeyVault(), LocalKeyVault()
    credential = InfoCredential() if colour.loop is None else AsyncCredential()
    tours = [
        everything(colour, colour.client(mine)),
        everything(colour, colour.sdk_class(azures.url(), credential, transport=azures.transport(colour.name))),
    ]
    assert tours[0] == tours[1]
    assert tours[0][-1] == "two"


def test_hooks_and_headers_of_a_call(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local, user_agent="mine/1.0", headers={"x-client": "1"})
    requests: list[Any] = []
    statuses: list[Any] = []
    colour.run(
        client.get_secret(
            "greeting",
            headers={"x-call": "2"},
            request_id="an-id",
            raw_request_hook=lambda request: requests.append(dict(request.http_request.headers)),
            raw_response_hook=lambda response: statuses.append(response.http_response.status_code),
        )
    )
    headers = requests[-1]
    assert statuses[-1] == 200
    assert (headers["x-call"], headers["x-client"], headers["x-ms-client-request-id"]) == ("2", "1", "an-id")
    assert "mine/1.0" in headers["User-Agent"]


def test_an_unknown_keyword_of_the_constructor_is_accepted_as_by_the_sdk(colour: Colour, local: LocalKeyVault) -> None:
    assert colour.run(colour.client(local, bogus=1).get_secret("greeting")).value == "hello"


@pytest.mark.parametrize("keyword", ["authentication_policy", "http_logging_policy", "sdk_moniker"])
def test_keywords_that_the_sdk_does_not_take(colour: Colour, local: LocalKeyVault, keyword: str) -> None:
    with pytest.raises(TypeError, match=keyword):
        colour.client(local, **{keyword: None})
    assert colour.run(colour.client(local).get_secret("greeting")).value == "hello"


def test_the_package_itself() -> None:
    assert safekv.__all__ == dir(safekv) or set(safekv.__all__) <= set(dir(safekv))
    assert safekv.Vault.__module__ == "safekv.vault"
    with pytest.raises(AttributeError, match="module 'safekv' has no attribute 'Nothing'"):
        _ = safekv.Nothing  # type: ignore[attr-defined]
