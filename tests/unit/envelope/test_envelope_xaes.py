"""XAES-256-GCM against the vectors of its specification, https://c2sp.org/XAES-256-GCM."""

from __future__ import annotations

import hashlib

import pytest

from safekv.envelope._xaes import aead_for

NONCE = b"ABCDEFGHIJKLMNOPQRSTUVWX"


def seal(key: bytes, nonce: bytes, data: bytes, aad: bytes) -> bytes:
    return aead_for(key, nonce[:12]).encrypt(nonce[12:], data, aad)


@pytest.mark.parametrize(
    ("byte", "aad", "sealed"),
    [
        (1, b"", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
        (3, b"c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),
    ],
)
def test_the_two_vectors(byte: int, aad: bytes, sealed: str) -> None:
    assert seal(bytes([byte]) * 32, NONCE, b"XAES-256-GCM", aad).hex() == sealed


def test_ten_thousand_random_messages() -> None:
    stream, place = hashlib.shake_128().digest(4_000_000), 0

    def take(count: int) -> bytes:
        nonlocal place
        place += count
        return stream[place - count : place]

    seen = hashlib.shake_128()
    for _ in range(10_000):
        key, nonce = take(32), take(24)
        data = take(take(1)[0])
        seen.update(seal(key, nonce, data, take(take(1)[0])))
    assert seen.hexdigest(32) == "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939"
