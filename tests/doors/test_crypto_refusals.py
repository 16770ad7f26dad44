"""What cannot work is refused before anything is sent; what works badly is warned of, once and where it is called."""

from __future__ import annotations

import hashlib
import pickle
import warnings
from typing import Any

import pytest
from azure.keyvault.keys import JsonWebKey, KeyVaultKey
from key_doors import Doors, outcome

import safekv
from safekv.errors import CryptographyWarning, InvalidArgument, ManyServiceCallsWarning
from safekv.events import Event, ManyServiceCalls
from safekv.keys.crypto import CryptographyClient
from safekv.testing import LocalKeyVault

DIGEST = hashlib.sha256(b"data").digest()
KEY = bytes(32)


@pytest.fixture
def rsa(doors: Doors) -> Any:
    return doors.run(doors.keys().create_rsa_key("rsa", size=2048))


def refused(doors: Doors, since: int, call: Any) -> str:
    error = outcome(lambda: doors.run(call()))
    assert isinstance(error, InvalidArgument), error
    assert error.hint
    assert [each for each in doors.asked(since) if each != "GET get_key"] == []
    return str(error)


# -- sizes


@pytest.mark.parametrize(("algorithm", "most"), [("RSA-OAEP-256", 190), ("RSA-OAEP", 214), ("RSA1_5", 245)])
@pytest.mark.parametrize("here", [True, False])
@pytest.mark.filterwarnings("ignore::safekv.errors.CryptographyWarning")
def test_too_much_for_rsa(doors: Doors, rsa: Any, algorithm: str, most: int, here: bool) -> None:
    client = doors.crypto(rsa, local=here)
    for method in ("encrypt", "wrap_key"):
        since = doors.mark()
        text = refused(doors, since, lambda: getattr(client, method)(algorithm, bytes(most + 1)))  # noqa: B023
        assert f"{most} is the most" in text
        sealed = doors.run(getattr(client, method)(algorithm, bytes(most)))
        assert sealed.algorithm.value == algorithm


def test_other_lengths(doors: Doors, rsa: Any) -> None:
    client, since = doors.crypto(rsa), doors.mark()
    assert "32 bytes; this one has 64" in refused(doors, since, lambda: client.sign("RS256", DIGEST * 2))
    assert "sha384" in refused(doors, since, lambda: client.verify("PS384", DIGEST, bytes(256)))
    assert "256 bytes with this key" in refused(doors, since, lambda: client.unwrap_key("RSA-OAEP", bytes(255)))
    assert "256 bytes with this key" in refused(doors, since, lambda: client.decrypt("RSA-OAEP", bytes(3)))
    aes = doors.run(doors.keys().create_oct_key("aes", hardware_protected=True))
    client, since = doors.crypto(aes), doors.mark()
    assert "multiple of 8" in refused(doors, since, lambda: client.wrap_key("A256KW", bytes(17)))
    assert "at least 24" in refused(doors, since, lambda: client.unwrap_key("A256KW", bytes(16)))
    assert "needs 16" in refused(doors, since, lambda: client.encrypt("A256CBC", bytes(16), iv=bytes(12)))
    assert "multiple of 16" in refused(doors, since, lambda: client.decrypt("A256CBC", bytes(3), iv=bytes(16)))
    tag = {"authentication_tag": bytes(4)}
    assert "tag has 4" in refused(doors, since, lambda: client.decrypt("A256GCM", b"x", iv=bytes(12), **tag))


# -- arguments


@pytest.mark.parametrize("method", ["encrypt", "wrap_key", "sign"])
@pytest.mark.parametrize("algorithm", ["RSA-OAEP-512", "", None, 7])
def test_algorithms(doors: Doors, rsa: Any, method: str, algorithm: Any) -> None:
    since = doors.mark()
    assert "One of: " in refused(doors, since, lambda: getattr(doors.crypto(rsa.id), method)(algorithm, DIGEST))
    assert doors.asked(since) == []


def test_data_that_is_no_bytes(doors: Doors, rsa: Any) -> None:
    client, since = doors.crypto(rsa.id), doors.mark()
    text = refused(doors, since, lambda: client.encrypt("RSA-OAEP", "hunter2"))
    assert "plaintext must be bytes, not str" in text
    assert "hunter2" not in text
    for call in (
        lambda: client.decrypt("RSA-OAEP", "text"),
        lambda: client.wrap_key("RSA-OAEP", None),
        lambda: client.unwrap_key("RSA-OAEP", 7),
        lambda: client.sign("RS256", "text"),
        lambda: client.verify("RS256", DIGEST, "text"),
    ):
        refused(doors, since, call)
    for kind in (bytearray, memoryview):
        assert doors.run(client.encrypt("RSA-OAEP", kind(b"data"))).ciphertext


def test_what_does_not_go_with_an_algorithm(doors: Doors, rsa: Any) -> None:
    client, since = doors.crypto(rsa), doors.mark()
    for method, algorithm, options, problem in (
        ("encrypt", "RSA-OAEP", {"iv": bytes(16)}, "takes no iv"),
        ("encrypt", "A256GCM", {"iv": bytes(12)}, "takes no iv"),  # the service chooses it: twice the same is fatal
        ("encrypt", "RSA-OAEP", {"additional_authenticated_data": b"x"}, "takes no additional_authenticated_data"),
        ("encrypt", "A256CBC", {}, "iv is required"),
        ("decrypt", "A256CBCPAD", {}, "iv is required"),
        ("decrypt", "A256GCM", {"iv": bytes(12)}, "authentication_tag is required"),
        ("decrypt", "RSA-OAEP", {"authentication_tag": bytes(16)}, "takes no authentication_tag"),
    ):
        assert problem in refused(doors, since, lambda: getattr(client, method)(algorithm, b"x", **options))  # noqa: B023


def test_results_of_another_key_or_algorithm(doors: Doors, rsa: Any) -> None:
    other = doors.run(doors.keys().create_rsa_key("other", size=2048))
    wrapped = doors.run(doors.crypto(other).wrap_key("RSA-OAEP", KEY))
    client, since = doors.crypto(rsa), doors.mark()
    assert "made with the key 'other'" in refused(doors, since, lambda: client.unwrap_key("RSA-OAEP", wrapped))
    assert "made with the key" in refused(doors, since, lambda: client.unwrap_key("RSA-OAEP", b"", key_id=other.id))
    mine = doors.run(client.wrap_key("RSA-OAEP", KEY))
    assert "made with RSA-OAEP, not" in refused(doors, since, lambda: client.unwrap_key("RSA-OAEP-256", mine))
    assert "not the id of a key" in refused(doors, since, lambda: client.unwrap_key("RSA-OAEP", b"", key_id="v1"))
    assert "local must be" in refused(doors, since, lambda: client.wrap_key("RSA-OAEP", KEY, local="no"))


@pytest.mark.parametrize(
    "key_id",
    [
        "https://my-vault.vault.azure.net/secrets/name",
        "http://my-vault.vault.azure.net/keys/name",
        "https://my-vault.vault.azure.net/keys/under_score",
        "https://my-vault.vault.azure.net/keys/a/b/c",
        "https://my-vault.vault.azure.net/",
        "name",
        "",
    ],
)
def test_ids_that_are_none(doors: Doors, local: LocalKeyVault, key_id: str) -> None:
    """Where the SDK constructs a client, so do we: then the first call says it."""
    error = outcome(lambda: doors.run(doors.crypto(key_id).wrap_key("RSA-OAEP", KEY)))
    assert isinstance(error, InvalidArgument)
    assert "id of a key" in str(error) or "key name" in str(error) or "URL of a vault" in str(error)
    assert not list(local.journal)


def test_a_switch_that_is_none(doors: Doors, rsa: Any) -> None:
    leases = doors.keys()._lease.leases
    with pytest.raises(InvalidArgument, match="local must be"):
        doors.crypto(rsa.id, local="no")
    assert doors.keys()._lease.leases == leases + 1  # that of this line


@pytest.mark.parametrize("key", [None, 7, JsonWebKey(kty="RSA"), b"id"])
def test_keys_that_are_none(doors: Doors, key: Any) -> None:
    with pytest.raises(ValueError, match="'key' must be a KeyVaultKey instance or a key ID string"):
        doors.crypto(key)


def test_a_key_by_hand_works_without_its_vault(doors: Doors) -> None:
    jwk = {"kty": "oct", "k": KEY, "key_ops": ["wrapKey", "unwrapKey"]}
    client = doors.crypto(KeyVaultKey("http://localhost/keys/name/version", jwk))
    wrapped = doors.run(client.wrap_key("A256KW", KEY))
    assert wrapped.key_id == client.key_id == "http://localhost/keys/name/version"
    assert doors.run(client.unwrap_key("A256KW", wrapped.encrypted_key)).key == KEY
    error = outcome(lambda: doors.run(client.sign("RS256", DIGEST)))
    assert isinstance(error, InvalidArgument)


# -- keys


@pytest.mark.parametrize(
    ("arguments", "options", "problem"),
    [
        (("DSA",), {}, "key_type: 'DSA'"),
        (("RSA",), {"size": 1024}, "size=1024"),
        (("oct",), {"size": 100}, "size=100"),
        (("EC",), {"curve": "P-255"}, "curve: 'P-255'"),
        (("RSA",), {"key_operations": ["wrap"]}, "key_operations: 'wrap'"),
        (("RSA",), {"key_operations": "sign"}, "must be a list"),
        (("RSA",), {"tags": {"a": "x" * 257}}, "at most 256"),
        (("RSA",), {"tags": {str(number): "" for number in range(16)}}, "16 tags"),
    ],
)
def test_keys_that_cannot_be(doors: Doors, arguments: Any, options: Any, problem: str) -> None:
    assert problem in refused(doors, 0, lambda: doors.keys().create_key("name", *arguments, **options))
    assert not list(doors.local.journal)


def test_other_arguments_of_keys(doors: Doors) -> None:
    keys = doors.keys()
    for call in (
        lambda: keys.create_rsa_key("name", size=2047),
        lambda: keys.create_rsa_key("under_score"),
        lambda: keys.create_ec_key("name", curve="P-1"),
        lambda: keys.create_oct_key("name", size=1),
        lambda: keys.import_key("name", {"kty": "RSA"}),
        lambda: keys.import_key("name", JsonWebKey()),
        lambda: keys.update_key_properties("name", tags={"a": "x" * 257}),
        lambda: keys.get_random_bytes(0),
        lambda: keys.get_random_bytes(129),
        lambda: keys.get_random_bytes("1"),
    ):
        refused(doors, 0, call)
    with pytest.raises(InvalidArgument, match="not a valid key name"):
        keys.get_cryptography_client("under_score")
    assert not list(doors.local.journal)


# -- warnings


def test_rsa1_5_is_warned_of(doors: Doors, rsa: Any) -> None:
    client = doors.crypto(rsa)
    for method in ("encrypt", "wrap_key"):
        with pytest.warns(CryptographyWarning, match="RSA1_5 is broken") as caught:
            sealed = doors.run(getattr(client, method)("RSA1_5", b"data"))
        assert doors.colour.loop is not None or caught[0].filename == __file__
    assert doors.run(client.unwrap_key("RSA1_5", sealed.encrypted_key)).key == b"data"


def test_data_that_cbc_does_not_authenticate(doors: Doors) -> None:
    client = doors.crypto(doors.run(doors.keys().create_oct_key("aes", hardware_protected=True)))
    with pytest.warns(CryptographyWarning, match="authenticates nothing"):
        doors.run(client.encrypt("A256CBCPAD", b"data", iv=bytes(16), additional_authenticated_data=b"more"))


def test_an_algorithm_of_another_curve(doors: Doors) -> None:
    """The SDK verifies with whatever curve the key has."""
    client = doors.crypto(doors.run(doors.keys().create_ec_key("ec", curve="P-256")))
    signature = doors.run(client.sign("ES256", DIGEST)).signature
    assert doors.run(client.verify("ES256", DIGEST, signature)).is_valid
    with pytest.warns(CryptographyWarning, match="not for keys on P-256"):
        assert not doors.run(client.verify("ES256K", DIGEST, signature)).is_valid


def test_many_service_calls(doors: Doors, local: LocalKeyVault) -> None:
    """More than 100 in 10 s with one key: one warning, with what is better."""
    client = doors.crypto(doors.run(doors.keys().create_oct_key("aes", hardware_protected=True)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(150):  # not so fast
            doors.run(client.encrypt("A256GCM", b"data"))
            local.advance(seconds=0.2)
        local.advance(seconds=10)
        for _ in range(100):
            doors.run(client.encrypt("A256GCM", b"data"))
    seen: list[Event] = []
    stop = safekv.subscribe(lambda event: isinstance(event, ManyServiceCalls) and seen.append(event))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(150):
            doors.run(client.encrypt("A256GCM", b"data"))
    (warning,) = caught
    assert warning.category is ManyServiceCallsWarning
    assert "wrap one random key" in str(warning.message)
    stop()
    assert seen == [ManyServiceCalls("local.vault.azure.net")]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(150):
            doors.run(client.encrypt("A256GCM", b"data"))


# -- pickles


def test_a_pickle_holds_no_key(local: LocalKeyVault) -> None:
    with local:
        keys = local.vault().keys
        key = keys.create_rsa_key("rsa")
        for client in (CryptographyClient(key.id), CryptographyClient(key, local=False)):
            again = pickle.loads(pickle.dumps(client))
            assert (type(again), again.key_id, again._prefer_local) == (type(client), key.id, client._prefer_local)
            assert again.unwrap_key("RSA-OAEP", again.wrap_key("RSA-OAEP", KEY)).key == KEY
        jwk = {"kty": "oct", "k": KEY, "key_ops": ["wrapKey"]}
        for mine in (CryptographyClient.from_jwk(jwk), CryptographyClient(KeyVaultKey(key.id, jwk))):
            with pytest.raises(TypeError, match="cannot be pickled"):
                pickle.dumps(mine)
