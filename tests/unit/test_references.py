"""References: what they mean, and where they may lead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safekv._identifiers import emulated_vaults, object_name
from safekv.config._names import nested, secret_name, variable
from safekv.config._references import Reference, Vaults, is_reference, parse
from safekv.errors import InvalidArgument

URL = "https://my-vault.vault.azure.net"
VAULTS = Vaults()
NAMES = st.from_regex(r"[0-9a-zA-Z-]{1,40}", fullmatch=True)
VERSIONS = st.none() | st.from_regex(r"[0-9a-f]{32}", fullmatch=True)
VAULT_NAMES = st.from_regex(r"(?!.*--)[a-z][0-9a-z-]{1,22}[0-9a-z]", fullmatch=True)


@given(VAULT_NAMES, NAMES, VERSIONS)
def test_all_forms_mean_the_same(vault: str, name: str, version: str | None) -> None:
    host = f"{vault}.vault.azure.net"
    expected = Reference(f"https://{host}", name, version)
    tail = f"/{version}" if version else ""
    for text in (
        f"kv://{vault}/{name}{tail}",
        f"KV://{host}/{name}{tail}",
        f" @Microsoft.KeyVault(SecretUri=https://{host}/secrets/{name}{tail}) ",
        f"@microsoft.keyvault(secreturi=https://{host.upper()}/secrets/{name}{tail}/)",
        f"@Microsoft.KeyVault(VaultName={vault};SecretName={name}{f';SecretVersion={version}' if version else ''})",
    ):
        assert is_reference(text)
        assert parse(text, VAULTS) == expected


@given(st.text(max_size=60))
def test_any_text_is_a_reference_or_is_refused(text: str) -> None:
    for given_text in (text, f"kv://{text}", f"@Microsoft.KeyVault({text}", f"@Microsoft.KeyVault(SecretUri={text})"):
        if not is_reference(given_text):
            continue
        try:
            parsed = parse(given_text, VAULTS)
        except InvalidArgument:
            continue
        object_name(parsed.name)
        assert parsed.vault is not None
        assert parsed.vault.endswith((".vault.azure.net", ".vault.azure.cn", ".vault.usgovcloudapi.net"))


@pytest.mark.parametrize(
    "host",
    [
        "evil.example.com",
        "vault.azure.net",
        "my-vault.vault.azure.net.evil.com",
        "evil.com/my-vault.vault.azure.net",
        "my-vault.vault.azure.net@evil.com",
        "evil.com#my-vault.vault.azure.net",
        "evil.com?my-vault.vault.azure.net",
        "evil.com\\my-vault.vault.azure.net",
        "my-vault.evil.vault.azure.net",
        "my-vault.vault.azure.net:8443",
        "127.0.0.1",
        "my-vault.managedhsm.azure.net",
        "my-vault.vault.azure.net\uff20evil.com",
        "evil\u2024com",
    ],
)
def test_a_token_goes_to_key_vaults_hosts_alone(host: str) -> None:
    for text in (
        f"kv://{host}/name",
        f"@Microsoft.KeyVault(SecretUri=https://{host}/secrets/name)",
        f"@Microsoft.KeyVault(SecretUri=http://{host}/secrets/name)",
        f"@Microsoft.KeyVault(VaultName={host};SecretName=name)",
    ):
        with pytest.raises(InvalidArgument) as caught:
            parse(text, VAULTS)
        assert caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "kv://",
        "kv://my-vault",
        "kv://my-vault/",
        "kv://my-vault/a/b/c",
        "kv://my-vault/a_b",
        "@Microsoft.KeyVault(",
        "@Microsoft.KeyVault()",
        "@Microsoft.KeyVault(SecretUri=)",
        "@Microsoft.KeyVault(SecretUri=https://my-vault.vault.azure.net/keys/a)",
        "@Microsoft.KeyVault(SecretUri=https://my-vault.vault.azure.net/secrets/a?b=c)",
        "@Microsoft.KeyVault(SecretUri=http://my-vault.vault.azure.net/secrets/a)",
        "@Microsoft.KeyVault(SecretUri=https://[my-vault/secrets/a)",
        "@Microsoft.KeyVault(VaultName=my-vault)",
        "@Microsoft.KeyVault(VaultName=my-vault;SecretName=a;VaultName=b)",
        "@Microsoft.KeyVault(VaultName=my-vault;SecretName=a;Other=b)",
        "@Microsoft.KeyVault(VaultName=my-vault;SecretName=a;SecretVersion=../b)",
        "postgres://u:@Microsoft.KeyVault(VaultName=my-vault;SecretName=a)@host",
    ],
)
def test_what_is_meant_as_a_reference_is_never_taken_literally(text: str) -> None:
    assert is_reference(text)
    with pytest.raises(InvalidArgument) as caught:
        parse(text, VAULTS)
    assert "postgres" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "plain", "https://my-vault.vault.azure.net/secrets/a", "see kv://a/b", None, 5])
def test_other_values_are_no_references(text: object) -> None:
    assert not is_reference(text)


def test_the_vault_of_the_call_may_be_anywhere_and_names_its_cloud() -> None:
    china = Vaults("https://own.vault.azure.cn")
    assert parse("kv://other/a", china).vault == "https://other.vault.azure.cn"
    odd = Vaults("https://vault.example.com:8443")
    assert parse("kv://vault.example.com:8443/a", odd).vault == odd.default
    assert parse("kv://other/a", odd).vault == "https://other.vault.azure.net"


def test_emulated_vaults_are_on_this_machine() -> None:
    said = "one=https://127.0.0.1:8443,Two=https://localhost:8444,three=https://evil.example.com"
    found = emulated_vaults({"SAFEKV_EMULATOR_VAULTS": said})
    assert found == {"one": "https://127.0.0.1:8443", "two": "https://localhost:8444"}
    assert parse("kv://two/a", Vaults(None, found)).vault == "https://localhost:8444"
    assert emulated_vaults({}) == {}


@given(NAMES)
def test_names_go_there_and_back(name: str) -> None:
    assert secret_name(variable(name)).lower() == name.lower()
    assert secret_name(name) == name


@given(st.dictionaries(st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("--".join), st.integers()))
def test_groups_have_every_value_once_or_are_refused(flat: dict[str, int]) -> None:
    try:
        tree = nested(flat, "--")
    except InvalidArgument:
        assert any(other.startswith(f"{key}--") for key in flat for other in flat)
        return
    for key, value in flat.items():
        inner: object = tree
        for part in key.split("--"):
            assert isinstance(inner, dict)
            inner = inner[part]
        assert inner == value
