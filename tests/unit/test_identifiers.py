"""Names and addresses, for any text at all."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from safekv._identifiers import (
    MAX_VALUE_BYTES,
    api_version,
    emulated_vaults,
    host_of_resource,
    is_managed_hsm,
    is_vault,
    named_vault_url,
    not_emulated,
    object_name,
    secret_attributes,
    secret_value,
    vault_url,
    where_it_is,
)
from safekv.errors import InvalidArgument

ANYTHING = st.text() | st.text(st.characters(max_codepoint=255)) | st.text(alphabet="aA1-_.:/@?#[]%\\ \t\n\uff20\u2100")
NEARLY = st.builds("https://{}".format, ANYTHING)
HOSTS = st.from_regex(r"[a-z][a-z0-9-]{0,20}(\.[a-z0-9]{1,10}){0,4}", fullmatch=True)


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("https://my-vault.vault.azure.net", "https://my-vault.vault.azure.net"),
        ("HTTPS://MY-vault.Vault.Azure.net:443//", "https://my-vault.vault.azure.net"),
        ("  https://my-vault.vault.azure.net./ ", "https://my-vault.vault.azure.net"),
        ("my-vault", "https://my-vault.vault.azure.net"),
        ("ABC", "https://abc.vault.azure.net"),
        ("a" * 24, f"https://{'a' * 24}.vault.azure.net"),
        ("https://localhost:8443", "https://localhost:8443"),
        ("https://127.0.0.1:08443", "https://127.0.0.1:8443"),
        ("https://[::1]:8443/", "https://[::1]:8443"),
        ("https://my-vault.vault.azure.cn", "https://my-vault.vault.azure.cn"),
        ("https://hsm.managedhsm.azure.net", "https://hsm.managedhsm.azure.net"),
        ("https://b\u00fccher.example", "https://b\u00fccher.example"),
    ],
)
def test_canonical_urls(given: str, canonical: str) -> None:
    assert vault_url(given) == canonical


@pytest.mark.parametrize("name", ["ab", "a--b", "1abc", "abc-", "-abc", "a" * 25, "a_b", "abc\n", "\u0430bc"])
def test_what_is_no_vaults_name(name: str) -> None:
    if name == "abc\n":
        assert vault_url(name) == "https://abc.vault.azure.net"  # white space around is forgiven
        return
    with pytest.raises(InvalidArgument, match="no scheme"):
        vault_url(name)


@given(ANYTHING | NEARLY)
@example("https://[")
@example("https://[v1.x]")
@example("https://\ud800")
@example("https://a:99999999999999999999")
@example("https://a:\u0661")
@example("https://\u0130.example")
@example("https://x\u1e9e")
@example("https://[::1%25eth0]")
@example("https://a\x85b")
def test_any_text_is_a_url_or_an_invalid_argument(text: str) -> None:
    try:
        url = vault_url(text)
    except InvalidArgument as error:
        refusal = error
    else:
        check_canonical(url)
        return
    assert refusal.hint
    assert len(str(refusal)) < 500


def check_canonical(url: str) -> None:
    assert vault_url(url) == url
    parts = urlsplit(url)
    assert parts.scheme == "https"
    assert parts.netloc
    assert (parts.path, parts.query, parts.fragment, parts.username) == ("", "", "", None)
    assert url == url.strip()


@given(st.none() | st.integers() | st.binary() | st.lists(st.text()) | st.floats())
def test_anything_else_is_an_invalid_argument(it: Any) -> None:
    for check in (vault_url, object_name):
        with pytest.raises(InvalidArgument):
            check(it)


@given(HOSTS, st.integers(1, 65_535), st.booleans(), st.booleans())
def test_spellings_of_one_url(host: str, port: int, upper: bool, slash: bool) -> None:
    plain = f"https://{host}:{port}"
    other = (plain.upper() if upper else plain) + ("/" if slash else "")
    assert vault_url(plain) == vault_url(other)
    assert urlsplit(vault_url(plain)).port in (port, None)


@given(
    st.text(alphabet="abcXYZ0189-", min_size=8, max_size=20),
    HOSTS,
    st.sampled_from(["{s}@{h}", "u:{s}@{h}", "{h}?{s}", "{h}#{s}"]),
)
def test_a_secret_in_a_url_is_not_repeated(secret: str, host: str, form: str) -> None:
    text = f"https://{form.format(s=secret, h=host)}"
    with pytest.raises(InvalidArgument) as caught:
        vault_url(text)
    if secret not in host:
        assert secret not in str(caught.value)


@given(st.text(max_size=200))
def test_names_are_the_services(text: str) -> None:
    if re.fullmatch(r"[0-9a-zA-Z-]{1,127}", text):
        assert object_name(text) is text
    else:
        with pytest.raises(InvalidArgument) as caught:
            object_name(text)
        assert len(str(caught.value)) < 400


def test_other_kinds_of_objects() -> None:
    with pytest.raises(InvalidArgument, match="not a valid key name"):
        object_name("under_score", "key")


@pytest.mark.parametrize("value", ["correct horse battery staple!", "a=b;c=d", "p@ss", "line\nbreak", "x" * 4000])
def test_what_may_be_a_value_is_not_shown_as_a_name(value: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        object_name(value)
    assert value not in str(caught.value)
    assert value[:20] not in str(caught.value) or value == "x" * 4000


@given(st.text(max_size=50))
def test_values_are_passed_on_as_they_are(text: str) -> None:
    assert secret_value(text, "name") is text


def test_the_limit_is_in_bytes() -> None:
    assert secret_value("a" * MAX_VALUE_BYTES, "n")
    assert secret_value("\U0001f600" * (MAX_VALUE_BYTES // 4), "n")
    assert secret_value("\ud800", "n")
    for value in ("a" * (MAX_VALUE_BYTES + 1), "\U0001f600" * (MAX_VALUE_BYTES // 4 + 1), "a" * 10_000_000):
        with pytest.raises(InvalidArgument, match="25,600"):
            secret_value(value, "n")


def test_attributes_that_are_fine() -> None:
    secret_attributes()
    secret_attributes({}, "")
    secret_attributes({"k" * 512: "v" * 512}, "t" * 255)


@pytest.mark.parametrize("version", ["7.4", "7.0", "7.6-preview.1", "2027-01-01-preview", "2025-06-01-preview.2"])
def test_versions_that_may_be_known_to_the_service(version: str) -> None:
    assert api_version(version, ["7.0", "7.4"]) == version


@pytest.mark.parametrize("version", ["7.5", "", "preview", "7.4 ", "2027-01-01", "7.4-Preview", "x7.4-preview"])
def test_versions_that_nobody_knows(version: str) -> None:
    with pytest.raises(InvalidArgument, match=r"7\.0, 7\.4"):
        api_version(version, ["7.0", "7.4"])


@pytest.mark.parametrize(
    ("url", "vault", "hsm"),
    [
        ("https://a.vault.azure.net", True, False),
        ("https://a.VAULT.azure.cn", True, False),
        ("https://a.managedhsm.azure.net", False, True),
        ("https://127.0.0.1:8443", False, False),
        ("https://proxy.example/a.vault.b", False, False),
    ],
)
def test_what_a_url_is_certain_to_be(url: str, vault: bool, hsm: bool) -> None:
    assert (is_vault(url), is_managed_hsm(url)) == (vault, hsm)


@pytest.mark.parametrize(
    ("given", "there"),
    [
        ("https://my-vault.vault.azure.net", "https://127.0.0.1:8443"),
        (" HTTPS://My-Vault.vault.Azure.CN/ ", "https://127.0.0.1:8443/"),
        ("https://pool.managedhsm.azure.net/keys/kek/1", "https://127.0.0.1:8444/keys/kek/1"),
        ("https://MY-VAULT.vault.azure.net:443/", "https://127.0.0.1:8443/"),
        ("https://my-vault.vault.azure.net:8443", None),
        ("https://other.vault.azure.net", None),
        ("https://my-vault.evil.example", None),
        ("https://my-vault", None),
        ("https://user:pw@my-vault.vault.azure.net", None),
        ("http://my-vault.vault.azure.net", None),
        ("https://evil.vault.azure.net", None),
        ("", None),
    ],
)
def test_an_emulators_vault_stands_in_for_the_one_of_its_name(given: str, there: str | None) -> None:
    said = "my-vault=https://127.0.0.1:8443,pool=https://127.0.0.1:8444,evil=https://evil.example.com"
    emulated = emulated_vaults({"SAFEKV_EMULATOR_VAULTS": said})
    assert where_it_is(given, emulated) == (given if there is None else there)
    assert where_it_is(given, {}) == given


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("my-vault.vault.azure.net", "it has: one, pool. Start it with --vault my-vault; or unset"),
        ("My-Vault.vault.azure.cn.", "it has: one, pool. Start it with --vault my-vault; or unset"),
        ("my-hsm.managedhsm.azure.net", "Start it with --hsm my-hsm; or unset"),
        ("one.vault.azure.net", None),
        ("127.0.0.1:8443", None),
        ("my-vault.privatelink.vaultcore.azure.net", None),
        ("login.microsoftonline.com", None),
        ("", None),
    ],
)
def test_what_an_emulator_lacks_it_is_to_be_started_with(host: str, said: str | None) -> None:
    environ = {"SAFEKV_EMULATOR_VAULTS": "one=https://127.0.0.1:8443,pool=https://127.0.0.1:8444"}
    found = not_emulated(host, environ)
    assert found is None if said is None else found is not None and said in found
    assert not_emulated(host, {}) is None


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("0.0.1:8443", "127.0.0.1:8443"),
        ("0.0.1", "127.0.0.1"),
        ("127.0.0.1:8443", "127.0.0.1:8443"),
        ("10.0.0.1", "10.0.0.1"),
        ("vault.azure.net", "vault.azure.net"),
        ("", ""),
    ],
)
def test_the_resource_of_an_emulators_vault_is_told_by_the_vaults_address(host: str, shown: str) -> None:
    assert host_of_resource(host) == shown


def test_the_name_of_an_emulators_vault_is_that_vaults() -> None:
    environ = {"SAFEKV_EMULATOR_VAULTS": "my-vault=https://127.0.0.1:8443,evil=https://evil.example.com"}
    assert named_vault_url(" My-Vault ", environ) == "https://127.0.0.1:8443"
    assert named_vault_url("evil", environ) == "https://evil.vault.azure.net"
    assert named_vault_url("my-vault", {}) == "https://my-vault.vault.azure.net"
    with pytest.raises(InvalidArgument, match=r"^No vault is given\.\n.*AZURE_KEY_VAULT_URL"):
        named_vault_url(None, environ)
