"""The ring: what it asks of its keys, when, and what it refuses to."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import pickle
import stat
from pathlib import Path
from typing import Any

import pytest
from envelope_keks import PRIMARY, SECOND, Colour, LocalKek, OutOfReach, RsaKek, settings

from safekv import envelope
from safekv._clock import VirtualClock
from safekv.envelope import (
    Encryptor,
    InvalidRing,
    KeyNotAllowed,
    KeyRing,
    NotEncrypted,
    RingClosed,
    RingConflict,
    RingLocked,
    RingSettings,
    RingUnavailable,
    UnknownKey,
    WrapCheckFailed,
    Wrapped,
)
from safekv.errors import ClientClosed, InvalidArgument, SafeKVError


def secrets_of(ring: Any) -> list[bytes]:
    return [key.secret for key in ring.opened().keys.keys]


@pytest.mark.parametrize("kind", [LocalKek, RsaKek])
def test_a_new_ring_is_unwrapped_once_by_every_key_before_it_is_used(colour: Colour, kind: type[LocalKek]) -> None:
    one, other = kind(), kind(SECOND)
    ring = colour.create(one, other)
    assert [(kek.wraps, kek.unwraps) for kek in (one, other)] == [(1, 1), (1, 1)]
    Encryptor(ring).encrypt(b"at once")
    assert ring.recipients == (one.kid, other.kid)


def test_a_key_that_does_not_give_back_what_it_wrapped_makes_no_ring(colour: Colour) -> None:
    kek = LocalKek()
    kek.unwrap_locally = lambda encrypted_key: os.urandom(32)
    with pytest.raises(WrapCheckFailed, match=r"primary\.vault"):
        colour.create(LocalKek(SECOND), kek)


def test_a_way_of_wrapping_that_a_ring_cannot_hold_is_refused(colour: Colour) -> None:
    kek = LocalKek()
    kek.algorithm = "RSA1_5"
    with pytest.raises(InvalidArgument, match="RSA1_5"):
        colour.create(kek)


def test_a_loaded_ring_decrypts(colour: Colour, tmp_path: Path) -> None:
    kek, path = LocalKek(), tmp_path / "app.ring"
    ring = colour.create(kek)
    token = Encryptor(ring).encrypt(b"kept", b"here")
    ring.save(path)
    loaded = colour.ring_class.load(path, *colour.keks(kek), allow=[PRIMARY])
    assert kek.unwraps == 1
    colour.open(loaded)
    assert Encryptor(loaded).decrypt(token, b"here") == b"kept"
    assert secrets_of(loaded) == secrets_of(ring)


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_a_saved_ring_is_its_owners_alone_and_replaces_the_one_before_as_a_whole(
    ring: KeyRing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "app.ring"
    path.write_text("before")
    path.chmod(0o644)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            ring.save(path, overwrite=True)
    assert path.read_text() == "before"
    ring.save(path, overwrite=True)
    assert path.read_text() == ring.to_json()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_saving_loses_no_ring_and_no_version(colour: Colour, tmp_path: Path) -> None:
    kek, path = LocalKek(), tmp_path / "app.ring"
    ring = colour.create(kek)
    ring.save(path)
    ring.save(path)
    text = path.read_text()
    with pytest.raises(RingConflict, match="Load that one"):
        colour.create(kek).save(path)
    one, other = (colour.ring_class.load(path, *colour.keks(kek), allow=[PRIMARY]) for _ in range(2))
    colour.run(one.add_key())
    if colour.loop is None:
        one = pickle.loads(pickle.dumps(one))
    one.save(path)
    colour.run(other.add_key())
    with pytest.raises(FileExistsError, match="Load it again"):
        other.save(path)
    assert path.read_text() == one.to_json() != text
    other.save(path, overwrite=True)
    (tmp_path / "notes").write_text("no ring")
    with pytest.raises(RingConflict, match="no key ring"):
        ring.save(tmp_path / "notes")


def test_a_ring_is_a_context(colour: Colour) -> None:
    ring = colour.create(LocalKek())
    if colour.loop is None:
        with ring as it:
            assert it is ring
    else:

        async def use() -> None:
            async with ring as it:
                assert it is ring

        colour.run(use())
    with pytest.raises(RingClosed):
        colour.open(ring)


def test_a_ring_that_is_closed_while_a_vault_answers_stays_closed() -> None:
    kek = LocalKek()
    ring = KeyRing(KeyRing.create(kek).to_json(), kek, allow=[PRIMARY])
    unwrap = kek.unwrap_locally

    def closing(encrypted_key: bytes) -> bytes:
        ring.close()
        return unwrap(encrypted_key)

    kek.unwrap_locally = closing
    with pytest.raises(RingClosed):
        ring.opened()


def test_an_aio_ring_works_in_several_loops() -> None:
    kek, ring = LocalKek(), None
    for _ in range(2):
        loop = asyncio.new_event_loop()
        colour = Colour(loop)
        ring = ring or colour.create(kek, clock=VirtualClock())
        ring._clock.advance(4000)
        colour.together(ring, 5)
        ring.after_fork()
        loop.close()
    assert kek.unwraps == 3


def test_any_changed_byte_of_a_ring_is_refused() -> None:
    kek = LocalKek()
    text = KeyRing.create(kek).to_json().encode()
    for place in range(len(text)):
        changed = bytearray(text)
        changed[place] ^= 1
        with pytest.raises((InvalidRing, KeyNotAllowed, RingUnavailable)):
            KeyRing(bytes(changed), kek, allow=[PRIMARY]).opened()


@pytest.mark.parametrize(
    "change",
    [
        {"unprotected": {"alg": "dir"}},
        {"aad": "AA"},
        {"iv": "AAAA"},
        {"tag": "AA"},
        {"recipients": []},
        {"recipients": "x"},
        {"recipients": [{"header": {"alg": "PBES2-HS256+A128KW", "kid": "k"}, "encrypted_key": "AA"}]},
        {"recipients": [{"header": {"alg": "A256KW", "kid": "k", "zip": "DEF"}, "encrypted_key": "AA"}]},
        {"recipients": [{"header": {"alg": "A256KW", "kid": "k"}, "encrypted_key": ""}]},
        {"recipients": [{"header": {"alg": "A256KW", "kid": ["k"]}, "encrypted_key": "AA"}]},
        {"protected": base64.urlsafe_b64encode(b'{"enc":"A256GCM","zip":"DEF"}').decode().rstrip("=")},
        {"protected": base64.urlsafe_b64encode(b'{"cty":"jwk-set+json","enc":"A128CBC-HS256"}').decode().rstrip("=")},
        {"ciphertext": None},
    ],
)
def test_what_safekv_does_not_write_it_does_not_read(ring: KeyRing, change: dict[str, Any]) -> None:
    text = json.dumps({**json.loads(ring.to_json()), **change})
    with pytest.raises(InvalidRing):
        KeyRing(text, LocalKek(), allow=[PRIMARY])


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"a":1,"a":1}', "[" * 100_000, "x" * 70_000, '{"iv":NaN}'])
def test_what_is_no_ring(text: str) -> None:
    with pytest.raises(InvalidRing):
        KeyRing(text, LocalKek(), allow=[PRIMARY])


@pytest.mark.parametrize(
    "kid",
    [
        "https://evil.example/keys/kek/1",
        "https://primary.vault.azure.net.evil.example/keys/kek/1",
        "https://primary.vault.azure.net@evil.example/keys/kek/1",
        "https://primary.vault.azure.net:444/keys/kek/1",
        "http://primary.vault.azure.net/keys/kek/1",
        "https://PRIMARY.vault.azure.net/keys/kek/1",
        "https://primary.vault.azure.net/keys/kek2/1",
        "https://primary.vault.azure.net/keys/kek",
        "https://primary.vault.azure.net/keys/kek/",
        "https://primary.vault.azure.net/keys/kek/1/../../other/1",
        "https://primary.vault.azure.net/keys/kek/1?x=y",
        "https://primary.vault.azure.net/keys/kek/1\n",
        "https://primary.vault.azure.net/secrets/kek/1",
        "../kek/1",
        "",
    ],
)
def test_a_ring_cannot_choose_the_key_that_is_asked(colour: Colour, kid: str) -> None:
    kek = LocalKek()
    found = json.loads(colour.create(kek).to_json())
    found["recipients"][0]["header"]["kid"] = kek.kid = kid
    asked = kek.unwraps
    ring = colour.parse(json.dumps(found), kek, allow=[PRIMARY])
    with pytest.raises(KeyNotAllowed):
        colour.open(ring)
    assert kek.unwraps == asked


def test_the_list_of_allowed_keys_is_checked() -> None:
    text = KeyRing.create(LocalKek()).to_json()
    for allow in ([], [PRIMARY, "kek"], PRIMARY, ["https://host/secrets/x"], [None]):
        with pytest.raises(InvalidArgument):
            KeyRing(text, LocalKek(), allow=allow)
    KeyRing(text, LocalKek(), allow=["https://PRIMARY.vault.azure.net/keys/KEK/abc", SECOND + "/"])


def test_a_key_that_names_itself_as_no_vault_does_is_refused(colour: Colour) -> None:
    """The ring could be made, and not be opened again."""
    with pytest.raises(InvalidArgument, match="lower case"):
        colour.create(LocalKek("https://Primary.vault.azure.net/keys/kek"))


def test_keys_that_are_none_are_refused_at_once(ring: KeyRing) -> None:
    with pytest.raises(InvalidArgument, match="1 to 8"):
        KeyRing.create()
    for kek in (7, "app-kek", "https://my.vault.azure.net/secrets/kek", object()):
        with pytest.raises(InvalidArgument, match="key"):
            KeyRing.create(kek)
    with pytest.raises(InvalidArgument, match="XAES-256-GCM"):
        KeyRing.create(LocalKek(), algorithm="AES-CBC")
    with pytest.raises(InvalidArgument, match="KeyRing"):
        Encryptor("app.ring")


def test_the_second_vault_opens_the_ring_while_the_first_is_out_of_reach(colour: Colour) -> None:
    one, other = LocalKek(), LocalKek(SECOND)
    text = colour.create(one, other).to_json()
    one.failure = OutOfReach("no answer")
    colour.open(colour.parse(text, one, other))
    other.failure = ValueError("who knows what is in here")
    ring = colour.parse(text, one, other)
    with pytest.raises(RingUnavailable) as caught:
        colour.open(ring)
    assert caught.value.transient
    assert caught.value.failures == (f"'{one.kid}': OutOfReach: no answer", f"'{other.kid}': ValueError")
    assert pickle.loads(pickle.dumps(caught.value)).failures == caught.value.failures
    one.failure = None
    colour.open(ring)


def test_one_of_the_keys_is_enough_to_use_a_ring(colour: Colour) -> None:
    one, other = LocalKek(), LocalKek(SECOND)
    text = colour.create(one, other).to_json()
    colour.open(colour.parse(text, other))
    with pytest.raises(KeyNotAllowed):
        colour.open(colour.parse(text, other, allow=[PRIMARY + "2"]))
    with pytest.raises(RingUnavailable, match="None of the given"):
        colour.open(colour.parse(text, LocalKek(SECOND + "2"), allow=[PRIMARY]))


def test_a_ring_with_another_rings_wrapped_key_is_refused(colour: Colour) -> None:
    kek = LocalKek()
    one, other = (json.loads(colour.create(kek).to_json()) for _ in range(2))
    with pytest.raises(InvalidRing):
        colour.open(colour.parse(json.dumps({**one, "recipients": other["recipients"]}), kek))


def test_keys_are_unwrapped_again_after_their_time(colour: Colour) -> None:
    clock, kek = VirtualClock(), LocalKek()
    ring = colour.create(kek, clock=clock, settings=settings(ttl=100))
    token = Encryptor(ring).encrypt(b"x")
    clock.advance(99)
    colour.open(ring)
    assert kek.unwraps == 1
    clock.advance(1)
    if colour.loop:
        with pytest.raises(RingLocked):
            Encryptor(ring).encrypt(b"x")
    colour.together(ring, 8)
    assert kek.unwraps == 2
    assert Encryptor(ring).decrypt(token) == b"x"


def test_processes_that_start_together_do_not_unwrap_together() -> None:
    class Chance:
        def random(self) -> float:
            return 0.5

    clock, kek = VirtualClock(), LocalKek()
    ring = KeyRing.create(kek, clock=clock, random=Chance(), settings=RingSettings(ttl=100, jitter=0.2))
    clock.advance(89)
    ring.opened()
    assert kek.unwraps == 1
    clock.advance(2)
    ring.opened()
    assert kek.unwraps == 2


def test_old_keys_stand_in_for_a_vault_only_where_that_was_asked_for(colour: Colour) -> None:
    clock, kek = VirtualClock(), LocalKek()
    strict = colour.create(kek, clock=clock, settings=settings(ttl=100))
    lenient = colour.create(kek, clock=clock, settings=settings(ttl=100, max_stale=50))
    clock.advance(120)
    kek.failure, kek.unwraps = OutOfReach("no answer"), 0
    with pytest.raises(RingUnavailable):
        colour.open(strict)
    colour.open(lenient)
    colour.open(lenient)
    assert kek.unwraps == 2  # the vault is not asked every time
    clock.advance(30)
    with pytest.raises(RingUnavailable):
        colour.open(lenient)
    kek.failure = None
    colour.open(lenient)


def test_keys_do_not_stand_in_where_access_was_taken_away(colour: Colour) -> None:
    clock, kek = VirtualClock(), LocalKek()
    ring = colour.create(kek, clock=clock, settings=settings(ttl=100, max_stale=50))
    clock.advance(101)
    kek.failure = SafeKVError("forbidden")
    with pytest.raises(RingUnavailable):
        colour.open(ring)


def test_a_closed_ring_has_no_keys(colour: Colour) -> None:
    ring = colour.create(LocalKek())
    box = Encryptor(ring)
    colour.run(ring.close())
    with pytest.raises(RingClosed):
        box.encrypt(b"x")
    with pytest.raises(ClientClosed):
        colour.open(ring)
    with pytest.raises(RingClosed):
        colour.open(pickle.loads(pickle.dumps(ring)) if colour.loop is None else ring)


def test_added_keys_encrypt_once_they_are_written_down(colour: Colour, tmp_path: Path) -> None:
    kek, path = LocalKek(), tmp_path / "app.ring"
    ring = colour.create(kek)
    ring.save(path)
    box = Encryptor(ring)
    old = box.encrypt(b"x")
    added = colour.run(ring.add_key())
    assert added == (ring.opened().keys.record_key.kid, ring.opened().keys.stream_key.kid)
    unwritten = box.encrypt(b"x")
    assert unwritten[:5] == old[:5]
    with pytest.raises(OSError, match=r"."):
        ring.save(tmp_path / "no" / "such" / "place")
    assert box.encrypt(b"x")[:5] == old[:5]
    ring.save(path)
    new = box.encrypt(b"x")
    assert new[:5] != old[:5]
    loaded = colour.ring_class.load(path, *colour.keks(kek), allow=[PRIMARY])
    colour.open(loaded)
    for token in (old, unwritten, new):
        assert box.decrypt(token) == Encryptor(loaded).decrypt(token) == b"x"
    assert Encryptor(loaded).encrypt(b"x")[:5] == new[:5]


def test_a_ring_keeps_all_who_can_open_it(colour: Colour) -> None:
    one, other = LocalKek(), LocalKek(SECOND)
    ring = colour.parse(colour.create(one, other).to_json(), one)
    before = ring.to_json()
    with pytest.raises(InvalidArgument, match=r"second\.vault"):
        colour.run(ring.add_key())
    assert ring.to_json() == before


def test_a_new_version_of_a_key_may_wrap(colour: Colour) -> None:
    old, new = LocalKek(version="1"), LocalKek(version="2")
    ring = colour.parse(colour.create(old).to_json(), new, old)
    colour.run(ring.add_key())
    assert ring.recipients == (new.kid, old.kid)


def test_retired_keys_decrypt_and_shredded_ones_are_gone(colour: Colour) -> None:
    kek = LocalKek()
    ring = colour.create(kek)
    box = Encryptor(ring)
    old = box.encrypt(b"x")
    record_key, stream = ring.list_keys()
    first = record_key.key_id
    assert (record_key.algorithm, record_key.retired) == ("XAES-256-GCM", None)
    with pytest.raises(InvalidArgument, match="still encrypts"):
        colour.run(ring.shred(first))
    colour.run(ring.retire(first))
    with pytest.raises(InvalidArgument, match="written"):
        colour.run(ring.shred(first))
    ring.to_json()
    colour.run(ring.retire(first))  # again: nothing
    assert [key.key_id for key in ring.list_keys() if key.retired] == [first]
    assert stream in ring.list_keys()
    rotated = box.rotate(old)
    colour.run(ring.shred(first))
    for it in (ring, colour.parse(ring.to_json(), kek)):
        colour.open(it)
        with pytest.raises(UnknownKey, match="shredded") as caught:
            Encryptor(it).decrypt(old)
        assert caught.value.key_id == first
        assert Encryptor(it).decrypt(rotated) == b"x"
    assert first not in [key.key_id for key in ring.list_keys()]
    with pytest.raises(InvalidArgument, match="no key"):
        colour.run(ring.shred(first))


def test_rewrapping_changes_who_opens_a_ring_and_nothing_else(colour: Colour) -> None:
    old, new = LocalKek(), LocalKek(SECOND)
    ring = colour.create(old)
    before = json.loads(ring.to_json())
    colour.run(ring.rewrap(*colour.keks(new)))
    after = json.loads(ring.to_json())
    assert {**before, "recipients": None} == {**after, "recipients": None}
    assert ring.recipients == (new.kid,)
    colour.open(colour.parse(ring.to_json(), new))
    with pytest.raises(RingUnavailable):
        colour.open(colour.parse(ring.to_json(), old, allow=[SECOND]))
    colour.run(ring.add_key())


def test_a_ring_that_is_full_says_what_to_do(colour: Colour) -> None:
    ring = colour.create(LocalKek())
    for _ in range(31):
        colour.run(ring.add_key())
    assert len(ring.list_keys()) == 64
    assert len(ring.to_json()) < 25_000  # it fits in a secret of a vault
    with pytest.raises(InvalidArgument, match="shred"):
        colour.run(ring.add_key())


def test_keys_that_served_too_long_are_due(caplog: pytest.LogCaptureFixture) -> None:
    clock = VirtualClock()
    ring = KeyRing.create(LocalKek(), clock=clock)
    clock.advance(89 * 86400)
    assert ring.due() == ()
    assert not caplog.records
    clock.advance(2 * 86400)
    assert ring.due() == tuple(key.key_id for key in ring.list_keys())
    assert [record.args for record in caplog.records] == [(key.key_id,) for key in ring.list_keys()]
    ring.add_key()
    ring.to_json()
    assert ring.due() == ()


def test_two_keys_that_records_cannot_tell_apart_are_no_ring(ring: KeyRing) -> None:
    from safekv.envelope._keys import KeySet

    keys = ring.opened().keys
    with pytest.raises(InvalidRing, match="4 bytes"):
        KeySet((*keys.keys, keys.keys[0]))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kid", "A" * 43),
        ("k", "A" * 43),
        ("k", "AAAA"),
        ("alg", "A128GCM"),
        ("kty", "RSA"),
        ("iat", "1"),
        ("retired", 1),
    ],
)
def test_a_ring_commits_to_its_keys(ring: KeyRing, name: str, value: Any) -> None:
    from safekv.envelope._keys import from_jwks, to_jwks

    found = json.loads(to_jwks(ring.opened().keys))
    found["keys"][0][name] = value
    with pytest.raises(InvalidRing):
        from_jwks(json.dumps(found).encode())


def test_a_ring_of_a_later_version_is_not_read(ring: KeyRing) -> None:
    from safekv.envelope._keys import from_jwks, to_jwks

    found = json.loads(to_jwks(ring.opened().keys))
    with pytest.raises(InvalidRing, match="newer"):
        from_jwks(json.dumps({**found, "version": 2}).encode())


def test_nothing_that_travels_or_is_shown_holds_a_key(colour: Colour) -> None:
    ring = colour.create(LocalKek())
    box = Encryptor(ring)
    shown = [ring.to_json().encode(), repr(ring).encode(), repr(box).encode(), repr(ring.opened()).encode()]
    shown += [repr(ring.opened().keys).encode()]
    if colour.loop is None:
        shown += [pickle.dumps(ring), pickle.dumps(box)]
        assert len(pickle.dumps(box)) < 2000
    for secret in secrets_of(ring):
        encoded = base64.urlsafe_b64encode(secret).rstrip(b"=")
        for text in shown:
            assert secret not in text
            assert encoded not in text
            assert repr(secret).encode() not in text
    with pytest.raises(TypeError, match="pickle the ring"):
        pickle.dumps(ring.opened())


def test_what_travels_is_the_wrapped_ring_once() -> None:
    kek = LocalKek()
    loaded = KeyRing(KeyRing.create(kek).to_json(), kek)
    assert len(pickle.dumps(Encryptor(loaded))) < len(loaded.to_json()) + 1000
    assert pickle.loads(pickle.dumps(loaded))._origin == loaded._document


def test_a_pickled_box_is_the_same_box() -> None:
    kek = LocalKek()
    ring = KeyRing.create(kek)
    box = Encryptor(ring)
    token = box.encrypt(b"x")
    ring.add_key()
    clone = pickle.loads(pickle.dumps(box))
    assert clone.decrypt(token) == b"x"
    assert clone.encrypt(b"x")[:5] == token[:5]  # the added key is not written down there either


def test_a_process_unwraps_a_ring_once_whatever_brings_it(colour: Colour) -> None:
    kek, stranger = LocalKek(), LocalKek(SECOND)
    ring = colour.create(kek, stranger)
    sent = pickle.dumps(ring)
    asked = kek.unwraps
    boxes = [pickle.loads(sent) for _ in range(5)]
    for it in boxes:
        colour.open(it)
        Encryptor(it).encrypt(b"x")
    assert kek.unwraps == asked + 1
    colour.run(boxes[0].add_key())  # a change is the copy's own
    boxes[0].to_json()
    assert len(boxes[1].list_keys()) == 2
    other = colour.parse(ring.to_json(), stranger)  # somebody else asks for themselves
    colour.open(pickle.loads(pickle.dumps(other)))
    assert stranger.unwraps == 3
    colour.run(boxes[1].close())
    colour.open(pickle.loads(sent))
    assert kek.unwraps == asked + 3


def test_a_process_keeps_few_unpickled_rings_open() -> None:
    keks = [LocalKek(version=str(number)) for number in range(17)]
    sent = [pickle.dumps(KeyRing.create(kek)) for kek in keks]
    for pickled in [*sent, sent[-1], sent[0]]:
        pickle.loads(pickled).opened()
    assert [keks[number].unwraps for number in (0, 1, 16)] == [3, 2, 2]


@pytest.mark.parametrize(
    "changes", [{"ttl": 0}, {"ttl": float("nan")}, {"jitter": 1}, {"workers": 0}, {"workers": 1.5}, {"max_stale": -1}]
)
def test_settings_that_cannot_be(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument, match=next(iter(changes))):
        RingSettings(**changes)


def test_a_wrapped_key_is_three_things() -> None:
    assert Wrapped("A256KW", "kid", b"x") == ("A256KW", "kid", b"x")


@pytest.mark.parametrize("name", [name for name in envelope.__all__ if isinstance(getattr(envelope, name), type)])
def test_errors_pickle(name: str) -> None:
    kind = getattr(envelope, name)
    if not issubclass(kind, SafeKVError):
        return
    error = pickle.loads(pickle.dumps(kind("what happened", hint="what to do", transient=True)))
    assert type(error) is kind
    assert (str(error), error.hint, error.transient) == ("what happened\nwhat to do", "what to do", True)


@pytest.mark.parametrize(
    ("spread", "pickled", "expected"), [(None, False, []), (None, True, [0.16]), (4.0, False, [2.0])]
)
def test_processes_that_start_together_do_not_ask_together(
    monkeypatch: pytest.MonkeyPatch, spread: float | None, pickled: bool, expected: list[float]
) -> None:
    kek, waits = LocalKek(), []

    class Half:
        def random(self) -> float:
            return 0.5

    ring = KeyRing.create(kek)
    loaded = KeyRing(ring.to_json(), kek, allow=[PRIMARY], settings=RingSettings(spread=spread), random=Half())
    if pickled:
        loaded._asker = b"from a pickle, of this test"
    monkeypatch.setattr(loaded, "_sleep", waits.append)
    loaded.opened()
    assert waits == expected


def test_everything_is_known_under_its_public_name(ring: KeyRing) -> None:
    assert all(getattr(envelope, name).__module__ == "safekv.envelope" for name in envelope.__all__)
    assert repr(ring) == "<safekv.envelope.KeyRing with 1 recipient(s)>"
    assert isinstance(pickle.loads(pickle.dumps(RingConflict("x"))), RingConflict)


def test_a_file_that_is_no_ring_is_named(colour: Colour, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("no ring")
    with pytest.raises(InvalidRing, match=r"notes': This is no key ring"):
        colour.ring_class.load(tmp_path / "notes", *colour.keks(LocalKek()), allow=[PRIMARY])


def test_a_stream_that_is_taken_for_a_record_is_named_so(box: Encryptor) -> None:
    stream = io.BytesIO()
    box.encrypt_stream(b"data", stream)
    with pytest.raises(NotEncrypted, match=r"It is a file or stream: decrypt_file\(\)"):
        box.decrypt(stream.getvalue())
    with pytest.raises(NotEncrypted, match=r"(?s)has encrypted\.\nRecords \(of encrypt"):
        box.decrypt_stream(box.encrypt(b"data"), io.BytesIO())
