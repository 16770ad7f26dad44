"""Key rings whose keys are in vaults: what is asked of them, what stands in for whom, and who may be asked at all."""

from __future__ import annotations

import base64
import json
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import azure.keyvault.keys.crypto
import azure.keyvault.keys.crypto.aio
import pytest
from key_doors import Doors

import safekv.envelope.aio
from safekv.emulator import EmulatedVault
from safekv.envelope import (
    BadSignature,
    Encryptor,
    KeyNotAllowed,
    KeyRing,
    RingConflict,
    RingSettings,
    RingUnavailable,
    WrapCheckFailed,
)
from safekv.errors import InvalidArgument, InvalidRequest, KeyDisabled, SecretNotFound
from safekv.keys.crypto import CryptographyClient
from safekv.keys.crypto.aio import CryptographyClient as AsyncCryptographyClient
from safekv.testing import LocalKeyVault


class Rings(Doors):
    """``KeyRing`` of one colour, and keys for it. Credentials are left out: every client reaches ``local``."""

    @property
    def kind(self) -> Any:
        return KeyRing if self.colour.loop is None else safekv.envelope.aio.KeyRing

    def create(self, *keks: Any, **options: Any) -> Any:
        return self.run(self.kind.create(*keks, **options))

    def fronts(self) -> list[Any]:
        """The front door to the vault, which is sync."""
        return [self.local.vault()] if self.colour.loop is None else []

    def open(self, ring: Any) -> Any:
        return ring.opened() if self.colour.loop is None else self.run(ring.open())

    def key(self, vault: str = "local", name: str = "app-kek", **options: Any) -> Any:
        return self.run(self.keys(vault).create_rsa_key(name, size=2048, **options))

    def id(self, vault: str = "local", name: str = "app-kek") -> str:
        """The id without a version of a key that is made."""
        return self.key(vault, name).id.rpartition("/")[0]


@pytest.fixture
def rings(colour: Any, local: LocalKeyVault) -> Iterator[Rings]:
    with local:
        yield Rings(colour, local)


@pytest.fixture
def hsm(local: LocalKeyVault) -> EmulatedVault:
    return local.emulator.add_vault("pool", hsm=True)


# -- wrapping


@pytest.mark.parametrize("way", ["id", "version", "key", "client"])
def test_a_key_is_given_in_any_form(rings: Rings, way: str, tmp_path: Path) -> None:
    key = rings.key()
    kek = {"id": key.id.rpartition("/")[0], "version": key.id, "key": key, "client": rings.crypto(key.id)}[way]
    since = rings.mark()
    ring = rings.create(kek)
    assert rings.asked(since) == ["GET get_key", "POST unwrap_key"]  # RSA wraps here, and unwraps there
    assert ring.recipients == (key.id,)
    token = Encryptor(ring).encrypt(b"data")
    ring.save(tmp_path / "app.ring")
    since = rings.mark()
    loaded = rings.kind.load(tmp_path / "app.ring", kek)
    assert rings.asked(since) == []
    rings.open(loaded)
    assert Encryptor(loaded).decrypt(token) == b"data"
    assert rings.asked(since) == ["POST unwrap_key"]
    rings.run(loaded.close())


def test_a_symmetric_key_wraps_in_the_service(rings: Rings, hsm: EmulatedVault) -> None:
    key = rings.run(rings.keys("pool").create_oct_key("app-kek", size=256, hardware_protected=True))
    since = rings.mark()
    ring = rings.create(key.id)
    assert rings.asked(since) == ["GET get_key", "POST wrap_key", "POST unwrap_key"]
    assert json.loads(ring.to_json())["recipients"][0]["header"]["alg"] == "A256KW"


def test_what_cannot_wrap_is_refused_before_anything_is_made(rings: Rings) -> None:
    key = rings.run(rings.keys().create_ec_key("signer"))
    with pytest.raises(InvalidArgument, match="type EC"):
        rings.create(key.id)
    other = CryptographyClient if rings.colour.loop else AsyncCryptographyClient
    with pytest.raises(InvalidArgument, match="other colour"):
        rings.create(other(key.id))
    with pytest.raises(InvalidArgument, match=r"safekv\.keys\.crypto"):
        rings.create(azure.keyvault.keys.crypto.CryptographyClient(key.id, rings.local.credential()))
    jwk = {"kty": "oct", "k": os.urandom(32), "key_ops": ["wrapKey", "unwrapKey"], "kid": "mine"}
    with pytest.raises(InvalidArgument, match="no vault"):
        rings.create(rings.module("keys.crypto").CryptographyClient.from_jwk(jwk))


def test_a_key_that_may_not_be_looked_at_wraps_in_the_service(rings: Rings, hsm: EmulatedVault) -> None:
    key = rings.key()
    rings.local.fail(operation="get_key", status=403, count=None)
    since = rings.mark()
    assert rings.create(key.id.rpartition("/")[0]).recipients == (key.id,)
    assert rings.asked(since)[-2:] == ["POST wrap_key", "POST unwrap_key"]
    with pytest.raises(InvalidArgument, match="Managed HSM Crypto User"):
        rings.create(f"{hsm.url}/keys/app-kek")


def test_a_key_that_does_not_come_back_from_the_vault_makes_no_ring(rings: Rings) -> None:
    """The service is asked, whatever could be done here: what a library wraps wrongly is found out before it counts."""
    key, other = rings.key(), rings.key(name="other")
    key.key.n = other.key.n
    with pytest.raises(InvalidRequest, match="unwrap_key"):
        rings.create(rings.crypto(key))
    rings.local.fail(operation="unwrap_key", body={"kid": other.id, "value": _base64url(bytes(32))})
    with pytest.raises(WrapCheckFailed, match="app-kek"):
        rings.create(rings.id())


# -- two vaults


def test_one_vault_is_enough_to_open_a_ring(rings: Rings, tmp_path: Path) -> None:
    keks = [rings.id("one"), rings.id("two")]
    ring = rings.create(*keks)
    assert [it.split("/")[2].split(".")[0] for it in ring.recipients] == ["one", "two"]
    token = Encryptor(ring).encrypt(b"data")
    ring.save(tmp_path / "app.ring")
    rings.local.fail(vault="one", network="refused", count=None)
    loaded = rings.kind.load(tmp_path / "app.ring", *keks)
    rings.open(loaded)
    assert Encryptor(loaded).decrypt(token) == b"data"
    rings.local.fail(vault="two", status=503, count=None)
    with pytest.raises(RingUnavailable, match=r"(?s)CannotConnect.*VaultUnavailable") as caught:
        rings.open(rings.kind.load(tmp_path / "app.ring", *keks))
    assert caught.value.transient
    assert len(caught.value.failures) == 2


def test_bulk_work_turns_to_the_second_vault_as_soon_as_other_work(local: LocalKeyVault) -> None:
    with local:
        keks = [local.vault(name).keys.create_rsa_key("app-kek", size=2048).id for name in ("one", "two")]
        text = KeyRing.create(*keks).to_json()
        local.fail(vault="one", network="black-hole", count=None)
        before = local.emulator.clock.time()
        Encryptor(KeyRing(text, *keks)).encrypt_many([b"data"], aad=b"")
        assert local.emulator.clock.time() - before <= 31


def test_a_disabled_key_opens_nothing_and_says_so(rings: Rings, tmp_path: Path) -> None:
    key = rings.key()
    rings.create(key.id).save(tmp_path / "app.ring")
    rings.run(rings.keys().update_key_properties("app-kek", enabled=False))
    with pytest.raises(RingUnavailable, match="KeyDisabled") as caught:
        rings.open(rings.kind.load(tmp_path / "app.ring", key.id))
    assert not caught.value.transient
    assert isinstance(caught.value.__cause__, KeyDisabled)
    assert caught.value.client_request_id == caught.value.__cause__.client_request_id != None  # noqa: E711


# -- who may be asked


def test_the_keys_that_were_given_are_the_list(rings: Rings, tmp_path: Path) -> None:
    rings.create(rings.id(), rings.id("evil")).save(tmp_path / "app.ring")
    since = rings.mark()
    ring = rings.kind.load(tmp_path / "app.ring", rings.local.url() + "/keys/app-kek")
    rings.open(ring)
    with pytest.raises(KeyNotAllowed):
        rings.open(rings.kind.load(tmp_path / "app.ring", rings.local.url("third") + "/keys/app-kek"))
    assert not [entry for entry in list(rings.local.journal)[since:] if "evil" in entry.authority]


def test_without_keys_it_is_those_in_our_vault(rings: Rings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rings.create(rings.id("evil"), rings.id()).save(tmp_path / "app.ring")
    with pytest.raises(InvalidArgument, match=r"\(--kek\).* AZURE_KEY_VAULT_URL"):
        rings.kind.load(tmp_path / "app.ring")
    since = rings.mark()
    monkeypatch.setenv("AZURE_KEY_VAULT_URL", rings.local.url())
    rings.open(rings.kind.load(tmp_path / "app.ring"))
    monkeypatch.delenv("AZURE_KEY_VAULT_URL")
    rings.open(rings.kind.load(tmp_path / "app.ring", allow=[rings.local.url() + "/keys/app-kek"]))
    monkeypatch.setenv("AZURE_KEY_VAULT_URL", rings.local.url("third"))
    with pytest.raises(KeyNotAllowed):
        rings.kind.load(tmp_path / "app.ring")
    assert rings.asked(since) == ["POST unwrap_key"] * 2
    assert not [entry for entry in list(rings.local.journal)[since:] if "evil" in entry.authority]


# -- changes


def test_a_rotated_key_and_another_vault_open_what_was_encrypted_before(rings: Rings, tmp_path: Path) -> None:
    kek = rings.id()
    ring = rings.create(kek)
    token = Encryptor(ring).encrypt(b"data")
    before = ring.recipients
    rings.key()  # a new version
    rings.local.advance(seconds=301)
    rings.run(ring.rewrap(kek, rings.id("two")))
    assert ring.recipients[0] not in before
    assert len(ring.recipients) == 2
    rings.run(ring.add_key())
    ring.save(tmp_path / "app.ring")
    loaded = rings.kind.load(tmp_path / "app.ring", rings.local.url("two") + "/keys/app-kek")
    rings.open(loaded)
    assert Encryptor(loaded).decrypt(token) == b"data"
    assert len(loaded.list_keys()) == 4


def test_vault_calls_for_changes_are_bulk_work(rings: Rings, monkeypatch: pytest.MonkeyPatch) -> None:
    kek, seen = rings.id(), []
    ring = rings.create(kek)
    from safekv.connection import _bulk
    from safekv.envelope import _kek

    monkeypatch.setattr(_kek, "is_bulk", lambda: seen.append(_bulk.is_bulk()) or _bulk.is_bulk())
    rings.run(ring.add_key())
    rings.run(ring.rewrap(kek))
    assert seen == [True, True, True]


# -- in a secret


def test_a_ring_is_kept_in_a_secret(rings: Rings, monkeypatch: pytest.MonkeyPatch) -> None:
    kek = rings.id()
    ring = rings.create(kek)
    monkeypatch.setenv("AZURE_KEY_VAULT_URL", rings.local.url())
    rings.run(ring.to_secret("app-ring"))
    for vault in (None, rings.local.url(), "local", rings.colour.client(rings.local), *rings.fronts()):
        loaded = rings.run(rings.kind.from_secret("app-ring", kek, vault=vault))
        rings.open(loaded)
        assert Encryptor(loaded).decrypt(Encryptor(ring).encrypt(b"data")) == b"data"
    secret = rings.local.client.get_secret("app-ring")
    assert (secret.value, secret.properties.content_type) == (ring.to_json(), "application/jose+json")
    with pytest.raises(SecretNotFound):
        rings.run(rings.kind.from_secret("no-ring", kek))


def test_saving_to_a_secret_loses_no_version(rings: Rings, monkeypatch: pytest.MonkeyPatch) -> None:
    kek = rings.id()
    monkeypatch.setenv("AZURE_KEY_VAULT_URL", rings.local.url())
    rings.run(rings.create(kek).to_secret("app-ring"))
    one, other = (rings.run(rings.kind.from_secret("app-ring", kek)) for _ in range(2))
    rings.run(one.add_key())
    rings.run(one.to_secret("app-ring"))
    rings.run(one.to_secret("app-ring"))
    rings.run(other.add_key())
    for name in ("app-ring", "greeting"):
        with pytest.raises(RingConflict, match=name):
            rings.run(other.to_secret(name))
    rings.run(other.to_secret("app-ring", overwrite=True))
    assert rings.local.client.get_secret("app-ring", max_age=0).value == other.to_json()


@pytest.mark.parametrize("before", ["no secret", "a ring"])
def test_of_those_that_write_a_secret_at_once_one_at_most_is_told_that_it_did(rings: Rings, before: str) -> None:
    """Nobody can be kept from writing; but who hid another's version knows it, and nothing of it encrypts."""
    kek, client = rings.id(), rings.colour.client(rings.local)
    for name in ("one", "two", "three"):
        if before == "no secret":
            mine = [rings.create(kek) for _ in range(4)]
        else:
            rings.run(rings.create(kek).to_secret(name, vault=client))
            mine = [rings.run(rings.kind.from_secret(name, kek, vault=client)) for _ in range(4)]
            for ring in mine:
                rings.run(ring.add_key())
        ended = _all_to_secret(rings, mine, name, client)
        saved = [ring for ring, it in zip(mine, ended, strict=True) if it is None]
        assert len(saved) <= 1
        assert all(it is None or (isinstance(it, RingConflict) and name in str(it)) for it in ended)
        newest = rings.local.client.get_secret(name, max_age=0)
        for ring, it in zip(mine, ended, strict=True):
            if newest.value == ring.wrapped() and it is not None:
                assert "at the same moment" in str(it)
                assert ring._writing or before == "no secret"
    rings.colour.run(client.close())


def _all_to_secret(rings: Rings, mine: list[Any], name: str, client: Any) -> list[Any]:
    return rings.colour.together(len(mine), lambda number: mine[number].to_secret(name, vault=client))


def test_without_the_permission_to_list_a_newer_version_is_noticed(rings: Rings) -> None:
    kek, client = rings.id(), rings.colour.client(rings.local)
    rings.local.fail(operation="list_properties_of_secret_versions", status=403, count=None)
    ring = rings.create(kek)
    rings.run(ring.to_secret("app-ring", vault=client))
    rings.run(ring.add_key())
    since = rings.mark()
    rings.run(ring.to_secret("app-ring", vault=client))
    listing = "GET list_properties_of_secret_versions"
    assert rings.asked(since) == [listing, "GET get_secret", "PUT set_secret", "GET get_secret"]
    others = [rings.run(rings.kind.from_secret("app-ring", kek, vault=client)) for _ in range(3)]
    for other in others:
        rings.run(other.add_key())
    ended = _all_to_secret(rings, others, "app-ring", client)
    assert None in ended
    rings.colour.run(client.close())


def test_added_keys_encrypt_once_the_secret_is_written(rings: Rings) -> None:
    ring = rings.create(rings.id())
    rings.run(ring.to_secret("app-ring", vault="local"))
    new, _ = rings.run(ring.add_key())
    assert rings.open(ring).record_key.kid != new
    rings.run(ring.to_secret("app-ring", vault="local"))
    assert rings.open(ring).record_key.kid == new


def test_a_ring_that_no_secret_can_hold_is_refused_before_it_is_sent(rings: Rings) -> None:
    kek = rings.id()
    document = json.loads(rings.create(kek).to_json())
    document["ciphertext"] += "A" * 4 * 6_400
    big = rings.kind(json.dumps(document), kek)
    since = rings.mark()
    with pytest.raises(InvalidArgument, match="25,600"):
        rings.run(big.to_secret("app-ring", vault="local"))
    assert rings.asked(since) == []


# -- signatures


@pytest.mark.parametrize("kind", ["RSA", "P-256", "P-384", "P-521"])
def test_a_signed_ring_is_known_to_be_ours(rings: Rings, kind: str) -> None:
    ring = rings.create(rings.id())
    keys = rings.keys()
    made = keys.create_rsa_key("signer", size=2048) if kind == "RSA" else keys.create_ec_key("signer", curve=kind)
    signer = rings.run(made)
    unversioned = signer.id.rpartition("/")[0]
    signature = rings.run(ring.sign(unversioned))
    since = rings.mark()
    assert rings.run(ring.verify(signature, rings.id("two"), unversioned)) == signer.id
    assert "POST verify" not in rings.asked(since)
    rings.run(ring.add_key())
    with pytest.raises(BadSignature, match="has not signed this version"):
        rings.run(ring.verify(signature, unversioned))


def test_another_library_verifies_the_signature(rings: Rings) -> None:
    jwk, jws = pytest.importorskip("jwcrypto.jwk"), pytest.importorskip("jwcrypto.jws")
    ring = rings.create(rings.id())
    signer = rings.run(rings.keys().create_ec_key("signer", curve="P-256"))
    signature = rings.run(ring.sign(signer))
    header, _, value = signature.split(".")
    public = jwk.JWK(kty="EC", crv="P-256", **{n: _base64url(getattr(signer.key, n)) for n in "xy"})
    token = jws.JWS()
    token.deserialize(f"{header}.{_base64url(ring.to_json().encode())}.{value}", public)
    assert token.is_valid


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_a_signature_cannot_choose_the_key_that_is_asked(rings: Rings) -> None:
    ring = rings.create(rings.id())
    evil, mine = rings.key("evil", "signer"), rings.id("local", "signer")
    signature = rings.run(ring.sign(evil.id))
    since = rings.mark()
    with pytest.raises(KeyNotAllowed, match="--signed-by"):
        rings.run(ring.verify(signature, mine))
    header = _base64url(json.dumps({"alg": "none", "kid": mine + "/1", "typ": "keyring+jws"}).encode())
    for made_up in ("", "..", f"{header}..", f"{header}..AAAA", signature.replace("..", ".AAAA."), "é", None):
        with pytest.raises(BadSignature):
            rings.run(ring.verify(made_up, mine))
    assert rings.asked(since) == []


def test_what_cannot_sign_is_refused(rings: Rings) -> None:
    ring = rings.create(rings.id())
    with pytest.raises(InvalidArgument, match="Nobody"):
        rings.run(ring.verify("..."))
    for kek in ring._keks:
        with pytest.raises(InvalidArgument, match="no key"):
            rings.run(ring.verify("...", kek))
    key = rings.run(rings.keys().create_ec_key("coin", curve="P-256K"))
    with pytest.raises(InvalidArgument, match="P-521"):
        rings.run(ring.sign(key))


# -- travelling


def test_a_ring_in_a_pickle_asks_with_the_same_key(rings: Rings) -> None:
    ring = rings.create(rings.id(), settings=RingSettings(spread=0))
    box = Encryptor(ring)
    data = pickle.dumps(box)
    assert not any(key.secret in data for key in rings.open(ring).keys.keys)
    since = rings.mark()
    copies = [pickle.loads(data) for _ in range(3)]
    for copy in copies:
        rings.open(copy._ring)
        assert copy.decrypt(box.encrypt(b"data")) == b"data"
    assert rings.asked(since) == ["POST unwrap_key"]
    assert "app-kek" in repr(copies[0]._ring._keks[0])


def test_threads_and_tasks_that_bring_a_ring_along_unwrap_it_once(rings: Rings) -> None:
    data = pickle.dumps(rings.create(rings.id(), settings=RingSettings(spread=0.05)))
    since = rings.mark()

    def bring(_: int) -> Any:
        ring = pickle.loads(data)
        return ring.opened() if rings.colour.loop is None else ring.open()

    opened = rings.colour.together(8, bring)
    assert rings.asked(since) == ["POST unwrap_key"]
    assert len({id(it) for it in opened}) == 1


def test_a_closed_ring_gives_back_what_it_made_and_nothing_else(rings: Rings) -> None:
    key = rings.key()
    mine = rings.crypto(key.id)
    ring = rings.create(mine, key.id)
    rings.run(ring.close())
    assert rings.run(mine.sign("RS256", bytes(32))).signature
