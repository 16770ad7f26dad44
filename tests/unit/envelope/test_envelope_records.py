"""Records: their wire, what is refused, and nonces that never come twice."""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from envelope_keks import LocalKek, settings
from hypothesis import given
from hypothesis import strategies as st

from safekv._clock import VirtualClock
from safekv.envelope import (
    BudgetExhausted,
    DecryptionFailed,
    Encryptor,
    KeyRing,
    NotEncrypted,
    UnknownKey,
    _budgets,
    _records,
)
from safekv.envelope._xaes import aead_for
from safekv.errors import InvalidArgument, SafeKVError

ALGORITHMS = {"XAES-256-GCM": 45, "A256GCM": 33}
BOXES = {name: Encryptor(KeyRing.create(LocalKek(), algorithm=name)) for name in ALGORITHMS}


@pytest.fixture(params=list(ALGORITHMS))
def any_box(request: pytest.FixtureRequest) -> Encryptor:
    return BOXES[request.param]


@given(data=st.binary(max_size=300), aad=st.binary(max_size=40), name=st.sampled_from(list(ALGORITHMS)))
def test_what_is_encrypted_is_decrypted(data: bytes, aad: bytes, name: str) -> None:
    box = BOXES[name]
    token = box.encrypt(data, aad)
    assert len(token) == len(data) + ALGORITHMS[name]
    assert box.decrypt(token, aad) == data
    assert box.encrypt(data, aad) != token


@given(rows=st.lists(st.tuples(st.binary(max_size=80), st.binary(max_size=9))), name=st.sampled_from(list(ALGORITHMS)))
def test_batches_keep_their_order(rows: list[tuple[bytes, bytes]], name: str) -> None:
    box, data, aads = BOXES[name], [row for row, _ in rows], [aad for _, aad in rows]
    tokens = box.encrypt_many(data, aads)
    assert box.decrypt_many(tokens, aads) == data
    assert [box.decrypt(token, aad) for token, aad in zip(tokens, aads, strict=True)] == data
    assert box.decrypt_many([box.encrypt(row) for row in data] + box.encrypt_many(data, b""), b"") == data + data


@pytest.mark.parametrize("count", [511, 512, 513, 1025])
def test_batches_of_any_length(count: int) -> None:
    box = BOXES["XAES-256-GCM"]
    rows, aads = [b"%d" % number for number in range(count)], [b"aad %d" % number for number in range(count)]
    assert box.decrypt_many(box.encrypt_many((row for row in rows), aads), aads) == rows


def test_the_wire_is_tinks() -> None:
    for name, box in BOXES.items():
        key = box._ring.opened().record_key
        for token in (box.encrypt(b"data", b"aad"), *box.encrypt_many([b"data"], b"aad")):
            assert token[:5] == b"\x01" + key.wire_id
            if name == "A256GCM":
                assert AESGCM(key.secret).decrypt(token[5:17], token[17:], b"aad") == b"data"
            else:
                assert aead_for(key.secret, token[5:17]).decrypt(token[17:29], token[29:], b"aad") == b"data"


def test_every_changed_byte_is_refused(any_box: Encryptor) -> None:
    token = any_box.encrypt(b"some content", b"aad")
    for place in range(len(token)):
        for bit in range(8):
            changed = bytearray(token)
            changed[place] ^= 1 << bit
            with pytest.raises(DecryptionFailed):
                any_box.decrypt(bytes(changed), b"aad")
            with pytest.raises(DecryptionFailed):
                any_box.decrypt_many([token, bytes(changed)], b"aad")
    for length in range(len(token)):
        with pytest.raises(DecryptionFailed):
            any_box.decrypt(token[:length], b"aad")
    for wrong in (b"", b"AAD", b"aad ", b"\0"):
        with pytest.raises(DecryptionFailed):
            any_box.decrypt(token, wrong)


def test_the_error_says_where(any_box: Encryptor) -> None:
    tokens = any_box.encrypt_many([b"secret content"] * 5, b"aad")
    kid = any_box._ring.opened().record_key.kid
    tokens[3] = tokens[3][:-1] + bytes([tokens[3][-1] ^ 1])
    with pytest.raises(DecryptionFailed, match="token number 3") as caught:
        any_box.decrypt_many(tokens, b"aad")
    error = pickle.loads(pickle.dumps(caught.value))
    assert (error.index, error.key_id, str(error)) == (3, kid, str(caught.value))
    assert isinstance(error, InvalidTag)
    assert isinstance(error, SafeKVError)
    with pytest.raises(NotEncrypted) as other:
        any_box.decrypt_many([*tokens[:2], b"no token"], b"aad")
    assert other.value.index == 2
    with pytest.raises(NotEncrypted):
        any_box.decrypt(b"")


def test_another_rings_record() -> None:
    with pytest.raises(UnknownKey, match="load it again") as caught:
        BOXES["A256GCM"].decrypt(BOXES["XAES-256-GCM"].encrypt(b"x"))
    assert caught.value.key_id == BOXES["XAES-256-GCM"]._ring.opened().record_key.wire_id.hex()
    stream_key = BOXES["A256GCM"]._ring.opened().stream_key
    with pytest.raises(UnknownKey):  # a key for streams opens no records
        BOXES["A256GCM"].decrypt(b"\x01" + stream_key.wire_id + bytes(60))


def test_rotating_moves_a_record_to_the_new_key(any_box: Encryptor) -> None:
    ring = KeyRing.create(LocalKek())
    box = Encryptor(ring)
    old = box.encrypt(b"x", b"aad")
    ring.add_key("A256GCM")
    ring.to_json()
    new = box.rotate(old, b"aad")
    assert new[1:5] == ring.opened().record_key.wire_id
    assert len(new) == 1 + 33
    assert box.decrypt(new, b"aad") == box.decrypt(old, b"aad") == b"x"
    with pytest.raises(DecryptionFailed):
        box.rotate(old, b"other")


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_all_that_is_like_bytes(any_box: Encryptor, kind: Any) -> None:
    token = any_box.encrypt(kind(b"data"), kind(b"aad"))
    assert any_box.decrypt(kind(token), kind(b"aad")) == b"data"
    assert any_box.decrypt_many([kind(token)], kind(b"aad")) == [b"data"]
    assert any_box.decrypt_many(any_box.encrypt_many([kind(b"data")], [kind(b"aad")]), [kind(b"aad")]) == [b"data"]


def test_memory_of_other_types_than_bytes(any_box: Encryptor) -> None:
    signed = memoryview(bytes([1, 255])).cast("b")  # what Arrow's buffers are
    assert any_box.decrypt(any_box.encrypt(signed)) == bytes([1, 255])
    assert any_box.decrypt_many(any_box.encrypt_many([signed], b""), b"") == [bytes([1, 255])]


@pytest.mark.parametrize(
    "call",
    [
        lambda box: box.encrypt("SECRET"),
        lambda box: box.encrypt(b"SECRET", "aad"),
        lambda box: box.encrypt(b"SECRET", None),
        lambda box: box.decrypt(box.encrypt(b"SECRET"), None),
        lambda box: box.encrypt_many([b"x"], None),
        lambda box: box.encrypt_many([b"x", b"SECRET"], [b"aad", None]),
        lambda box: box.decrypt_many([box.encrypt(b"x")], [None]),
        lambda box: box.encrypt(5),
        lambda box: box.encrypt(None),
        lambda box: box.decrypt("SECRET"),
        lambda box: box.decrypt(box.encrypt(b"SECRET"), "aad"),
        lambda box: box.decrypt(64),
        lambda box: box.encrypt_many(b"SECRET", b""),
        lambda box: box.encrypt_many("SECRET", b""),
        lambda box: box.encrypt_many([b"x", "SECRET"], b""),
        lambda box: box.encrypt_many([b"x", None], b""),
        lambda box: box.encrypt_many([b"x"], [b"a", b"b"]),
        lambda box: box.encrypt_many([b"x"], "aad"),
        lambda box: box.encrypt_many([b"x"], ["aad"]),
        lambda box: box.encrypt_many(5, b""),
        lambda box: box.decrypt_many(["SECRET"], b""),
        lambda box: box.decrypt_many([box.encrypt(b"x")], ["aad"]),
        lambda box: box.decrypt_many([b"x"], [b"a", b"b"]),
        lambda box: box.encrypt_text(b"SECRET"),
        lambda box: box.encrypt_text("SECRET \ud800"),
        lambda box: box.decrypt_text(b"SECRET"),
        lambda box: box.decrypt_text(_text_of(box.encrypt(b"SECRET \xff"))),
    ],
)
def test_what_is_not_bytes_is_refused_and_not_repeated(any_box: Encryptor, call: Any) -> None:
    with pytest.raises(InvalidArgument) as caught:
        call(any_box)
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def _text_of(token: bytes) -> str:
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(token).decode().rstrip("=")


@given(text=st.text(max_size=50))
def test_text(text: str) -> None:
    box = BOXES["XAES-256-GCM"]
    token = box.encrypt_text(text, b"aad")
    assert box.decrypt_text(token, b"aad") == text
    assert box.decrypt_text(box.rotate_text(token, b"aad"), b"aad") == text
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_a_text_has_one_spelling(any_box: Encryptor) -> None:
    token = any_box.encrypt_text("x")
    for place in range(len(token)):
        for char in "AB-=+/ \n\u00e9":
            changed = token[:place] + char + token[place + 1 :]
            if changed != token:
                with pytest.raises(DecryptionFailed):
                    any_box.decrypt_text(changed)
    for changed in (token + "=", token + "\n", " " + token, token + "A", ""):
        with pytest.raises(DecryptionFailed):
            any_box.decrypt_text(changed)


def test_a_worker_has_its_share_of_a_gcm_keys_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_budgets, "MESSAGES", 100)
    clock = VirtualClock()
    ring = KeyRing.create(LocalKek(), algorithm="A256GCM", settings=settings(workers=10, ttl=60), clock=clock)
    box = Encryptor(ring)
    box.encrypt_many([b"x"] * 4, b"")
    assert ring.due() == ()
    token = box.encrypt_many([b"x"] * 5, b"")[0]
    assert ring.due() == (ring.list_keys()[0].key_id,)
    with pytest.raises(BudgetExhausted, match="add_key"):
        box.encrypt_many([b"x"] * 2, b"")
    box.encrypt(b"x")
    clock.advance(61)  # unwrapping again gives no new budget, nor does a copy
    for it in (box, pickle.loads(pickle.dumps(box))):
        with pytest.raises(BudgetExhausted):
            it.encrypt(b"x")
        assert it.decrypt(token) == b"x"
    ring.add_key()
    ring.to_json()
    box.encrypt_many([b"x"] * 10, b"")


def test_a_salt_serves_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_records, "SALT_CALLS", 4)
    monkeypatch.setattr(_records, "SALT_ROWS", 20)
    box = Encryptor(KeyRing.create(LocalKek()))
    salts = [box.encrypt(b"x")[5:17] for _ in range(10)]
    assert len(set(salts)) == 3
    assert len({token[5:17] for token in box.encrypt_many([b"x"] * 10, b"")}) == 1
    batches = [box.encrypt_many([b"x"] * 21, b"") for _ in range(2)]
    assert len({token[5:17] for batch in batches for token in batch} - set(salts)) == 2
    assert box.encrypt_many([b"x"] * 20, b"")[0][5:17] == salts[-1]
    assert box.encrypt_many([b"x"] * 20, b"")[0][5:17] not in salts


def nonces_of(tokens: list[bytes]) -> list[bytes]:
    return [token[5:29] for token in tokens]


def test_threads_never_share_a_nonce(any_box: Encryptor) -> None:
    found: list[bytes] = []

    def work() -> None:
        found.extend([any_box.encrypt(b"x") for _ in range(500)] + any_box.encrypt_many([b"x"] * 2000, b""))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tokens = [token[17:29] if len(token) == 46 else token[5:17] for token in found]
    assert len(set(tokens)) == len(tokens) == 20_000
    assert any_box.decrypt_many(found, b"") == [b"x"] * 20_000


@pytest.mark.parametrize("name", list(ALGORITHMS))
def test_tasks_and_copies_never_share_a_nonce(name: str) -> None:
    kek = LocalKek("https://copies.vault.azure.net/keys/kek")
    any_box = Encryptor(KeyRing.create(kek, algorithm=name, settings=settings(spread=0.0)))

    async def work(box: Encryptor) -> list[bytes]:
        found = []
        for _ in range(100):
            found.append(box.encrypt(b"x"))
            await asyncio.sleep(0)
        return found + box.encrypt_many([b"x"] * 600, b"")

    async def main(boxes: list[Encryptor]) -> list[list[bytes]]:
        return await asyncio.gather(*(work(box) for box in boxes for _ in range(4)))

    copies = [any_box, *(pickle.loads(pickle.dumps(any_box)) for _ in range(2))]
    found = [token for tokens in asyncio.run(main(copies)) for token in tokens]
    drawn = [token[-29:-17] for token in found]
    assert len(set(drawn)) == len(drawn) == 8400
    assert any_box.decrypt_many(found, b"") == [b"x"] * 8400


def test_arrow_arrays_are_rows_too(any_box: Encryptor) -> None:
    pa = pytest.importorskip("pyarrow")
    rows, aads = pa.array([b"one", b"two"]), pa.chunked_array([[b"1"], [b"2"]])
    tokens = any_box.encrypt_many(rows, aads)
    assert any_box.decrypt_many(pa.array(tokens), [b"1", b"2"]) == [b"one", b"two"]
    for wrong in (pa.array(["text"]), pa.array([b"one", None])):
        with pytest.raises(InvalidArgument, match="must be bytes"):
            any_box.encrypt_many(wrong, b"")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")  # pytest-xdist has threads
def test_forked_children_share_neither_nonces_nor_salts() -> None:
    """What the parent is about to use, each child would use too, if anything were drawn ahead."""
    box = BOXES["XAES-256-GCM"]
    before = box.encrypt(b"x")
    pipes = []
    for _ in range(3):
        reading, writing = os.pipe()
        if (pid := os.fork()) == 0:
            code = 1
            try:
                tokens = [box.encrypt(b"x")[5:29] for _ in range(50)] + nonces_of(box.encrypt_many([b"x"] * 600, b""))
                os.write(writing, b"".join(tokens))
                code = 0
            finally:
                os._exit(code)
        os.close(writing)
        pipes.append((pid, reading))
    drawn = [box.encrypt(b"x")[5:29] for _ in range(50)]
    salts = {before[5:17], *(nonce[:12] for nonce in drawn)}
    assert len(salts) == 1
    for pid, reading in pipes:
        with os.fdopen(reading, "rb") as pipe:
            data = pipe.read()
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        theirs = [data[start : start + 24] for start in range(0, len(data), 24)]
        assert len(theirs) == 650
        assert not salts & {nonce[:12] for nonce in theirs}
        salts |= {nonce[:12] for nonce in theirs}
        drawn += theirs
    assert len(set(drawn)) == len(drawn) == 2000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")  # it is what is tested
def test_a_lock_that_was_held_at_a_fork_holds_nobody_up() -> None:
    ring = KeyRing.create(LocalKek(), algorithm="A256GCM")
    holding, done = threading.Event(), threading.Event()

    def hold() -> None:
        with ring._lock, _budgets.BUDGETS._lock:
            holding.set()
            done.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait(10)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            ring._opened = None
            Encryptor(ring).encrypt(b"x")
            code = 0
        finally:
            os._exit(code)
    try:
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    finally:
        done.set()
        thread.join()


CHILD = """
import pickle, sys
from envelope_keks import LocalKek
kek = LocalKek()
kek.secret = bytes.fromhex(sys.argv[1])
box = pickle.loads(bytes.fromhex(sys.argv[2]))
assert box.decrypt(bytes.fromhex(sys.argv[3]), b"aad") == b"x"
assert kek.unwraps == 1
print(box.encrypt(b"y", b"aad").hex())
"""


def test_another_process_opens_the_ring_by_itself() -> None:
    """What multiprocessing, Spark and Dask send: the wrapped ring, and the address of its key."""
    kek = LocalKek()
    box = Encryptor(KeyRing.create(kek))
    sent = [kek.secret.hex(), pickle.dumps(box).hex(), box.encrypt(b"x", b"aad").hex()]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CHILD, *sent],
        cwd=Path(__file__).parent,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert box.decrypt(bytes.fromhex(done.stdout), b"aad") == b"y"
