"""What a pickle of a client or of an error holds, and what it never holds."""

from __future__ import annotations

import copy
import pickle
import pickletools
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import azure.identity
import azure.identity.aio
import pytest
from azure.core.exceptions import HttpResponseError
from colours import Colour

import safekv.identity
import safekv.identity.aio
from safekv import Vault
from safekv.errors import CredentialNotPicklable
from safekv.secrets import SecretClient
from safekv.testing import LocalKeyVault

URL = "https://my-vault.vault.azure.net"
SECRET = "hunter2"


class Plain:
    """A credential that pickles, and equals itself only."""

    def __init__(self, name: str) -> None:
        self.name = name

    def get_token(self, *_: str, **__: Any) -> Any:
        raise AssertionError


class Inherited(azure.identity.ClientSecretCredential):
    """An application's own kind of it."""


class SharedInherited(safekv.identity.ClientSecretCredential):
    """An application's own kind of ours."""


def text_of(data: bytes) -> str:
    """All that is legible in a pickle."""
    return " ".join(str(argument) for _, argument, _ in pickletools.genops(data))


def test_a_client_without_a_credential(colour: Colour) -> None:
    client = colour.client_class(URL, timeout=7)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(client, protocol)) is client
    assert client._lease.leases == 1 + pickle.HIGHEST_PROTOCOL - 1


def test_a_client_with_a_credential_of_ours(colour: Colour) -> None:
    credential = safekv.identity.ManagedIdentityCredential(client_id="an-id")
    client = colour.client_class(URL, credential)
    data = pickle.dumps(client)
    assert pickle.loads(data) is client
    assert "an-id" in text_of(data)
    assert pickle.loads(pickle.dumps(credential)) is credential


def test_a_client_with_an_async_credential_of_ours() -> None:
    credential = safekv.identity.aio.ManagedIdentityCredential(client_id="an-id")
    assert pickle.loads(pickle.dumps(credential)) is credential


def test_a_client_with_a_credential_that_pickles(colour: Colour) -> None:
    client = colour.client_class(URL, Plain("name"), timeout=7)
    with pytest.warns(safekv.errors.ManyCredentialsWarning):
        again = pickle.loads(pickle.dumps(client))
    assert again is not client  # another identity, as far as anybody can tell
    assert (again.vault_url, again._origin[1].name, again._origin[2]) == (URL, "name", {"timeout": 7})


def test_in_a_process_of_its_own(colour: Colour) -> None:
    data = pickle.dumps(colour.client_class(URL, timeout=7))
    program = "import pickle, sys; client = pickle.load(sys.stdin.buffer); print(type(client), client.vault_url)"
    done = subprocess.run([sys.executable, "-c", program], input=data, capture_output=True, check=True, timeout=60)
    assert done.stdout.decode().split() == ["<class", f"'{colour.client_class.__module__}.SecretClient'>", URL]


def test_copies_are_the_client_itself(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local)
    assert copy.copy(client) is client
    assert copy.deepcopy({"here": [client]})["here"][0] is client
    credential = safekv.identity.DefaultAzureCredential()
    assert copy.copy(credential) is copy.deepcopy(credential) is credential


def test_no_token_and_no_value_in_a_pickle(colour: Colour, local: LocalKeyVault) -> None:
    with local:
        client = colour.client_class(local.url())
        assert colour.run(client.get_secret("greeting")).value == "hello"
        token = client._lease.connection.tokens.cache
        tokens = [entry.token.token for entry in token._entries.values()]
        data = pickle.dumps(client)
    assert tokens
    for text in (*tokens, "hello", "greeting"):
        assert text.encode() not in data


def secretive(kind: Any) -> Any:
    return kind("tenant", "client", SECRET)


CREDENTIALS: dict[str, Callable[[], Any]] = {
    "azure's default": azure.identity.DefaultAzureCredential,
    "azure's cli": azure.identity.AzureCliCredential,
    "azure's with a secret": lambda: secretive(azure.identity.ClientSecretCredential),
    "a subclass of it": lambda: secretive(Inherited),
    "ours with a secret": lambda: secretive(safekv.identity.ClientSecretCredential),
    "a subclass of ours": lambda: secretive(SharedInherited),
    "a password": lambda: safekv.identity.UsernamePasswordCredential("client", "user", SECRET),
    "an assertion": lambda: safekv.identity.ClientAssertionCredential("tenant", "client", lambda: SECRET),
    "on behalf": lambda: safekv.identity.OnBehalfOfCredential(
        "tenant", "client", client_secret=SECRET, user_assertion="x"
    ),
    "a chain of ours": lambda: safekv.identity.ChainedTokenCredential(
        secretive(safekv.identity.ClientSecretCredential)
    ),
    "a chain of azure's": lambda: safekv.identity.ChainedTokenCredential(
        secretive(azure.identity.ClientSecretCredential)
    ),
    "a chain of a subclass": lambda: safekv.identity.ChainedTokenCredential(secretive(Inherited)),
}


@pytest.mark.parametrize("make", CREDENTIALS.values(), ids=CREDENTIALS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_would_write_a_secret_is_refused(colour: Colour, make: Callable[[], Any]) -> None:
    with pytest.raises(CredentialNotPicklable) as caught:
        pickle.dumps(colour.client_class(URL, make()))
    assert isinstance(caught.value, TypeError)
    assert SECRET not in str(caught.value)
    assert caught.value.hint


def test_async_ones_are_refused_as_well() -> None:
    from safekv.secrets.aio import SecretClient as AsyncSecretClient

    for kind in (azure.identity.aio.ClientSecretCredential, safekv.identity.aio.ClientSecretCredential):
        with pytest.raises(CredentialNotPicklable):
            pickle.dumps(
                AsyncSecretClient(f"https://{kind.__module__.partition('.')[0]}.vault.azure.net", secretive(kind))
            )


def test_a_chain_of_harmless_ones_pickles() -> None:
    links = safekv.identity.ManagedIdentityCredential(), safekv.identity.AzureCliCredential()
    chain = safekv.identity.ChainedTokenCredential(*links)
    assert pickle.loads(pickle.dumps(chain)) is chain


def test_a_vault() -> None:
    vault = Vault(URL, timeout=7)
    assert pickle.loads(pickle.dumps(vault)) is vault
    assert copy.copy(vault) is copy.deepcopy(vault) is vault


def test_a_vault_with_a_secret_in_its_credential() -> None:
    with pytest.raises(CredentialNotPicklable):
        pickle.dumps(Vault(URL, secretive(azure.identity.ClientSecretCredential)))


class Own(SecretClient):
    """Built by itself, from another argument."""

    def __init__(self, name: str) -> None:
        super().__init__(f"https://{name}.vault.azure.net")
        self.name = name


def test_a_subclass_with_an_init_of_its_own_says_how_to_pickle_it() -> None:
    with pytest.raises(TypeError, match="__reduce__"):
        pickle.dumps(Own("my-vault"))


def test_an_error_of_the_service_takes_neither_token_nor_value_along(colour: Colour, local: LocalKeyVault) -> None:
    """The SDK's error holds its response, and that the request: with the SDK's client both would be in the pickle."""
    client = colour.client(local)
    colour.run(client.get_secret("greeting"))
    local.fail(operation="set_secret", error="403_rbac")
    with pytest.raises(HttpResponseError) as caught:
        colour.run(client.set_secret("name", "a planted value"))
    pickled = pickle.dumps(caught.value)
    assert b"planted" not in pickled
    assert b"Bearer " not in pickled.replace(b"Bearer authorization", b"")
    assert "Authorization" not in caught.value.response.request.headers
    assert pickle.loads(pickled).status_code == 403
