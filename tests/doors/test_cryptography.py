"""What a CryptographyClient does, and where: never with a key that was made up, never twice for one key."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from typing import Any

import azure.keyvault.keys.crypto
import azure.keyvault.keys.crypto.aio
import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.keyvault.keys.crypto import EncryptionAlgorithm, KeyWrapAlgorithm, SignatureAlgorithm
from doubles import InfoCredential
from key_doors import Doors, outcome

from safekv.errors import KeyDisabled
from safekv.keys.crypto import CryptographyClient
from safekv.testing import LocalKeyVault

KEY = bytes(range(32))
DIGEST = hashlib.sha256(b"data").digest()

Make = Callable[[Doors, Any], Any]
#: The ways to a client, as the SDK has them.
WAYS: dict[str, Make] = {
    "id": lambda doors, key: doors.crypto(key.id),
    "key": lambda doors, key: doors.crypto(key),
    "client": lambda doors, key: doors.keys().get_cryptography_client(key.name, key_version=key.properties.version),
    "newest": lambda doors, key: doors.keys().get_cryptography_client(key.name),
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Make:
    return WAYS[request.param]


def oct_key(doors: Doors, name: str = "aes") -> Any:
    return doors.run(doors.keys().create_oct_key(name, size=256, hardware_protected=True))


def rsa_key(doors: Doors, name: str = "rsa", **options: Any) -> Any:
    return doors.run(doors.keys().create_rsa_key(name, size=2048, **options))


# -- the trap


def test_an_hsm_key_wraps_in_the_service(doors: Doors, way: Make) -> None:
    """With the SDK the wrapping key would be 32 random bytes in this process, and the data lost with it."""
    key = oct_key(doors)
    since = doors.mark()
    wrapped = doors.run(way(doors, key).wrap_key(KeyWrapAlgorithm.aes_256, KEY))
    assert doors.asked(since)[-1] == "POST wrap_key"
    assert wrapped.key_id == key.id
    fresh = doors.crypto(key.id)
    assert doors.run(fresh.unwrap_key(KeyWrapAlgorithm.aes_256, wrapped.encrypted_key)).key == KEY


@pytest.mark.parametrize("algorithm", ["A256CBCPAD", "A256CBC", "A256GCM"])
def test_an_hsm_key_encrypts_in_the_service(doors: Doors, way: Make, algorithm: str) -> None:
    key, data = oct_key(doors), bytes(64)
    iv = {} if "GCM" in algorithm else {"iv": os.urandom(16)}
    sealed = doors.run(way(doors, key).encrypt(algorithm, data, **iv))
    fresh = doors.crypto(key.id)
    options = {"iv": sealed.iv or iv.get("iv"), "authentication_tag": sealed.tag}
    options = {name: value for name, value in options.items() if value is not None}
    assert doors.run(fresh.decrypt(algorithm, sealed.ciphertext, **options)).plaintext == data


def test_the_sdk_falls_into_the_trap(doors: Doors) -> None:
    """What the tests above are about: it is still there, and is not ours."""
    key = oct_key(doors)
    kind = doors.module("keys.crypto", "azure.keyvault").CryptographyClient
    credential = doors.local.credential() if doors.colour.loop is None else doors.local.aio_credential()
    client = kind(key.id, credential, transport=doors.local.transport(doors.colour.name))
    wrapped = doors.run(client.wrap_key(KeyWrapAlgorithm.aes_256, KEY))
    assert isinstance(
        outcome(lambda: doors.run(doors.crypto(key.id).unwrap_key("A256KW", wrapped.encrypted_key))), HttpResponseError
    )


def test_material_that_its_user_has_works_here(doors: Doors) -> None:
    jwk = {"kty": "oct", "k": os.urandom(32), "key_ops": ["wrapKey", "unwrapKey", "encrypt", "decrypt"], "kid": "mine"}
    client = doors.module("keys.crypto").CryptographyClient.from_jwk(jwk)
    wrapped = doors.run(client.wrap_key("A256KW", KEY))
    assert wrapped.key_id == client.key_id == "mine"
    assert doors.run(client.unwrap_key(wrapped.algorithm, wrapped)).key == KEY
    assert client.vault_url is None
    assert not list(doors.local.journal)


def test_no_key_is_made_up_for_a_jwk(doors: Doors) -> None:
    kind = doors.module("keys.crypto").CryptographyClient
    with pytest.raises(ValueError, match="The provided jwk is not valid for local cryptography"):
        kind.from_jwk({"kty": "oct", "key_ops": ["wrapKey"]})


def test_it_is_the_sdks(doors: Doors) -> None:
    kinds = azure.keyvault.keys.crypto.CryptographyClient, azure.keyvault.keys.crypto.aio.CryptographyClient
    for make in WAYS.values():
        assert isinstance(make(doors, rsa_key(doors)), kinds)


# -- where things are done


def test_public_key_operations_are_done_here(doors: Doors, way: Make) -> None:
    key = rsa_key(doors)
    client = way(doors, key)
    signature = doors.run(client.sign("RS256", DIGEST)).signature
    since = doors.mark()
    doors.run(client.encrypt("RSA-OAEP-256", b"data"))
    doors.run(client.wrap_key("RSA-OAEP-256", KEY))
    assert doors.run(client.verify("RS256", DIGEST, signature)).is_valid
    assert set(doors.asked(since)) <= {"GET get_key"}
    assert len(doors.asked(since)) <= 1


def test_the_service_can_be_asked_for_them(doors: Doors, way: Make) -> None:
    client = way(doors, rsa_key(doors))
    since = doors.mark()
    wrapped = doors.run(client.wrap_key("RSA-OAEP-256", KEY, local=False))
    assert doors.asked(since) == ["POST wrap_key"]
    assert doors.run(client.unwrap_key("RSA-OAEP-256", wrapped)).key == KEY


def test_a_client_that_asks_the_service_for_everything(doors: Doors) -> None:
    key = rsa_key(doors)
    for client in (doors.crypto(key.id, local=False), doors.keys().get_cryptography_client("rsa", local=False)):
        since = doors.mark()
        doors.run(client.encrypt("RSA-OAEP", b"data"))
        doors.run(client.encrypt("RSA-OAEP", b"data", local=True))
        assert doors.asked(since)[:1] == ["POST encrypt"]
        assert "POST encrypt" not in doors.asked(since)[1:]


def test_what_the_key_is_not_for_is_for_the_service_to_refuse(doors: Doors) -> None:
    key = rsa_key(doors, key_operations=["decrypt", "sign"])
    since = doors.mark()
    error = outcome(lambda: doors.run(doors.crypto(key).wrap_key("RSA-OAEP", KEY)))
    assert isinstance(error, HttpResponseError)
    assert error.status_code == 403
    assert doors.asked(since) == ["POST wrap_key"]


def test_algorithms_by_name(doors: Doors) -> None:
    client = doors.crypto(rsa_key(doors).id)
    for name in ("RSA-OAEP-256", "rsa-oaep-256", "rsa_oaep_256", EncryptionAlgorithm.rsa_oaep_256):
        result = doors.run(client.wrap_key(name, KEY))
        assert result.algorithm is KeyWrapAlgorithm.rsa_oaep_256
    assert doors.asked().count("POST wrap_key") == 0


def test_what_fails_here_is_not_tried_again_elsewhere(doors: Doors) -> None:
    key = doors.run(doors.keys().create_ec_key("ec", curve="P-256"))
    since = doors.mark()
    for signature in (b"x", b""):
        with pytest.raises(ValueError):
            doors.run(doors.crypto(key.id).verify("ES256", DIGEST, signature))
    assert not [each for each in doors.asked(since) if each.startswith("POST")]


# -- the key is fetched once


def test_many_clients_fetch_the_key_once(doors: Doors) -> None:
    key = rsa_key(doors)
    since = doors.mark()
    for _ in range(5):
        doors.run(doors.crypto(key.id).wrap_key("RSA-OAEP", KEY))
        doors.run(
            doors.keys().get_cryptography_client("rsa", key_version=key.properties.version).encrypt("RSA-OAEP", b"")
        )
    assert doors.asked(since) == ["GET get_key"]


def test_many_at_once_fetch_the_key_once(doors: Doors) -> None:
    key = rsa_key(doors)
    since = doors.mark()
    results = doors.colour.together(32, lambda number: doors.crypto(key.id).wrap_key("RSA-OAEP", KEY))
    assert {result.key_id for result in results} == {key.id}
    assert doors.asked(since) == ["GET get_key"]


def test_private_operations_need_no_key(doors: Doors) -> None:
    key = rsa_key(doors)
    since = doors.mark()
    doors.run(doors.crypto(key.id).sign("RS256", DIGEST))
    assert doors.asked(since) == ["POST sign"]


def test_a_403_is_remembered(doors: Doors, local: LocalKeyVault) -> None:
    key = rsa_key(doors)
    local.fail(operation="get_key", error="403_rbac", count=None)
    since = doors.mark()
    for _ in range(3):
        wrapped = doors.run(doors.crypto(key.id).wrap_key("RSA-OAEP", KEY))
        assert wrapped.key_id == key.id
    assert doors.asked(since) == ["GET get_key", "POST wrap_key", "POST wrap_key", "POST wrap_key"]
    newest = doors.run(doors.keys().get_cryptography_client("rsa").wrap_key("RSA-OAEP", KEY))
    assert newest.key_id == key.id  # the service says which version it was


@pytest.mark.parametrize("status", [404, 500])
def test_other_failures_are_raised(doors: Doors, local: LocalKeyVault, status: int) -> None:
    key = rsa_key(doors)
    fault = {"error": "404_key"} if status == 404 else {"status": 500, "count": None}
    local.fail(operation="get_key", **fault)
    since = doors.mark()
    client = doors.crypto(key.id, retry_total=0)
    error = outcome(lambda: doors.run(client.wrap_key("RSA-OAEP", KEY)))
    assert isinstance(error, ResourceNotFoundError if status == 404 else HttpResponseError)
    assert set(doors.asked(since)) == {"GET get_key"}


def test_the_timeout_is_that_of_both_requests(doors: Doors, local: LocalKeyVault) -> None:
    """The key takes 2 s of 5; what it leaves is all that the operation has."""
    key = rsa_key(doors)
    local.fail(operation="get_key", error="403_rbac", delay=2.0)
    local.fail(operation="wrap_key", status=503, count=None)
    began = local.emulator.clock.time()
    assert isinstance(outcome(lambda: doors.run(doors.crypto(key.id).wrap_key("RSA-OAEP", KEY, timeout=5))), Exception)
    assert local.emulator.clock.time() - began <= 5.5


# -- the state of the key


@pytest.mark.parametrize("make", ["id", "key", "newest"])
def test_a_key_that_is_disabled_is_noticed(doors: Doors, local: LocalKeyVault, make: str) -> None:
    key = rsa_key(doors)
    client = WAYS[make](doors, key)
    doors.run(client.wrap_key("RSA-OAEP", KEY))
    doors.run(doors.keys().update_key_properties("rsa", enabled=False))
    local.advance(seconds=301)
    error = outcome(lambda: doors.run(client.wrap_key("RSA-OAEP", KEY)))
    assert isinstance(error, KeyDisabled)
    doors.run(doors.keys().update_key_properties("rsa", enabled=True))
    assert doors.run(client.wrap_key("RSA-OAEP", KEY)).key_id == key.id


def test_a_shorter_time(doors: Doors, local: LocalKeyVault) -> None:
    key = rsa_key(doors)
    client = doors.crypto(key.id, key_ttl=10)
    doors.run(client.wrap_key("RSA-OAEP", KEY))
    doors.run(doors.keys().update_key_properties("rsa", enabled=False))
    local.advance(seconds=11)
    assert isinstance(outcome(lambda: doors.run(client.wrap_key("RSA-OAEP", KEY))), KeyDisabled)


def test_a_disabled_key_that_is_given_is_not_used(doors: Doors) -> None:
    key = rsa_key(doors, enabled=False)
    for algorithm, method in ((SignatureAlgorithm.rs256, "verify"), (EncryptionAlgorithm.rsa_oaep, "encrypt")):
        arguments = (DIGEST, bytes(256)) if method == "verify" else (b"data",)
        error = outcome(lambda: doors.run(getattr(doors.crypto(key), method)(algorithm, *arguments)))  # noqa: B023
        assert isinstance(error, KeyDisabled)


@pytest.mark.parametrize("make", WAYS)
@pytest.mark.parametrize("when", ["early", "late"])
def test_the_dates_of_a_key(doors: Doors, local: LocalKeyVault, make: str, when: str) -> None:
    from datetime import datetime, timedelta, timezone

    now = datetime.fromtimestamp(int(local.emulator.clock.time()), timezone.utc)
    moment = now + timedelta(days=30)
    key = rsa_key(doors, **({"not_before": moment} if when == "early" else {"expires_on": moment}))
    client = WAYS[make](doors, key)
    signature = None
    if when == "late":
        signature = doors.run(client.sign("RS256", DIGEST)).signature
        doors.run(client.wrap_key("RSA-OAEP", KEY))
        local.advance(seconds=31 * 86_400)
    since = doors.mark()
    for call in (lambda: client.wrap_key("RSA-OAEP", KEY), lambda: client.encrypt("RSA-OAEP", b"data")):
        with pytest.raises(ValueError, match="usable for") as caught:
            doors.run(call())
        assert str(moment) in str(caught.value)
    assert not [each for each in doors.asked(since) if each.startswith("POST")]
    if signature is not None:  # what was signed before can still be verified
        assert doors.run(client.verify("RS256", DIGEST, signature)).is_valid


# -- rotation


def test_a_client_without_a_version_follows_rotation(doors: Doors, local: LocalKeyVault) -> None:
    first = rsa_key(doors)
    client = doors.crypto(first.id.rpartition("/")[0])
    assert client.key_id == first.id.rpartition("/")[0]
    old = {
        "wrap": doors.run(client.wrap_key("RSA-OAEP", KEY)),
        "encrypt": doors.run(client.encrypt("RSA-OAEP", b"data")),
        "sign": doors.run(client.sign("RS256", DIGEST)),
    }
    assert {result.key_id for result in old.values()} == {first.id} == {client.key_id}
    second = doors.run(doors.keys().rotate_key("rsa"))
    local.advance(seconds=301)
    for method, argument in (("wrap_key", KEY), ("encrypt", b"data")):
        assert doors.run(getattr(client, method)("RSA-OAEP", argument)).key_id == second.id
    assert doors.run(client.sign("RS256", DIGEST)).key_id == second.id
    assert client.key_id == second.id

    assert doors.run(client.unwrap_key("RSA-OAEP", old["wrap"])).key == KEY
    by_id = doors.run(client.unwrap_key("RSA-OAEP", old["wrap"].encrypted_key, key_id=old["wrap"].key_id))
    assert (by_id.key, by_id.key_id) == (KEY, first.id)
    assert doors.run(client.decrypt("RSA-OAEP", old["encrypt"])).plaintext == b"data"
    assert doors.run(client.verify("RS256", DIGEST, old["sign"])).is_valid
    assert not doors.run(client.verify("RS256", DIGEST, old["sign"].signature)).is_valid
    assert client.key_id == second.id


def test_a_client_with_a_version_stays_with_it(doors: Doors, local: LocalKeyVault) -> None:
    first = rsa_key(doors)
    doors.run(doors.keys().rotate_key("rsa"))
    local.advance(seconds=301)
    for client in (doors.crypto(first.id), doors.crypto(first)):
        assert doors.run(client.wrap_key("RSA-OAEP", KEY)).key_id == first.id
        assert doors.run(client.sign("RS256", DIGEST)).key_id == first.id


def test_encrypted_data_carries_what_decrypting_needs(doors: Doors) -> None:
    client = doors.crypto(oct_key(doors).id)
    sealed = doors.run(client.encrypt("A256GCM", b"data", additional_authenticated_data=b"more"))
    assert doors.run(client.decrypt(sealed.algorithm, sealed)).plaintext == b"data"


# -- closing, copies, pickles


def test_closing_gives_back_one_lease(doors: Doors) -> None:
    key, keys = rsa_key(doors), doors.keys()
    client = doors.crypto(key.id)
    doors.run(client.wrap_key("RSA-OAEP", KEY, local=False))
    doors.run(client.close())
    doors.run(client.close())
    doors.run(keys.get_cryptography_client("rsa").close())
    assert doors.run(keys.get_key("rsa")).name == "rsa"


def test_repr_and_copies(doors: Doors) -> None:
    import copy

    client = doors.crypto(rsa_key(doors).id)
    assert repr(client).endswith(f"CryptographyClient {client.key_id}>")
    assert copy.copy(client) is copy.deepcopy(client) is client
    assert client.lane_status().keys() == doors.keys().lane_status().keys()


def test_one_emulator_and_the_next_are_two_vaults() -> None:
    """A client that is older than both knows nothing of the one's keys in the other."""
    client = CryptographyClient("https://my-vault.vault.azure.net/keys/rsa", InfoCredential())
    seen = set()
    for local in (LocalKeyVault(seed=1), LocalKeyVault(seed=2)):
        with local:
            local.vault("my-vault").keys.create_rsa_key("rsa")
            wrapped = client.wrap_key("RSA-OAEP", KEY)  # type: ignore[arg-type]
            assert client.unwrap_key(wrapped.algorithm, wrapped.encrypted_key).key == KEY
            seen.add(wrapped.key_id)
    assert len(seen) == 2
