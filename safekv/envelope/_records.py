"""Records: small messages in the wire format of Tink's AEAD keys.

::

    XAES-256-GCM   0x01 | key id (4) | salt (12) | nonce (12) | ciphertext | tag (16)     45 bytes more
    A256GCM        0x01 | key id (4) |             nonce (12) | ciphertext | tag (16)     33 bytes more

Every nonce is drawn from the system inside the call that uses it. Salts are kept for a while:
one that a fork or a clone of the machine takes along loses nothing but the variety it added.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import repeat
from os import urandom
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from safekv.envelope._budgets import BUDGETS
from safekv.envelope._encoding import from_base64url
from safekv.envelope._errors import DecryptionFailed, NotEncrypted, UnknownKey
from safekv.envelope._keys import GCM, RECORD_ALGORITHMS, DataKey, KeySet
from safekv.envelope._preamble import MAGIC
from safekv.envelope._xaes import SALT_BYTES, aead_for
from safekv.errors import InvalidArgument

MARK = b"\x01"
PREFIX_BYTES = 5
NONCE_BYTES = 12
TAG_BYTES = 16
MAX_RECORD = (1 << 31) - 1 - 64

#: Calls that share a salt, and rows of the largest batch among them: 2^30 messages. Random nonces are good for 2^32.
SALT_CALLS = 1 << 20
SALT_ROWS = 1 << 10
#: Salts whose keys are kept ready for reading.
_SALTS_KEPT = 256
#: Records whose nonces are drawn at once: 6 KB.
_AT_ONCE = 512
_TEXTS = {size: struct.Struct(f"{NONCE_BYTES}s" * size) for size in (_AT_ONCE,)}

Bytes = bytes | bytearray | memoryview
BYTES = (bytes, bytearray, memoryview)
Aead = Callable[[bytes, Bytes, Bytes], bytes]


class Sealer(Protocol):
    """Encrypts under one key.

    :ivar uses: for one record after the other, how it begins and what encrypts it. It ends when the salt is used up:
        :meth:`seal` then renews it.
    """

    @property
    def uses(self) -> Iterator[tuple[bytes, Aead]]: ...

    def seal(self, data: Bytes, aad: Bytes) -> bytes: ...

    def seal_many(self, rows: Sequence[Bytes], aads: Bytes | Sequence[Bytes]) -> list[bytes]: ...

    def after_fork(self) -> None: ...


class XaesSealer:
    """XAES-256-GCM: the salt is renewed now and then, in every child, and for every large batch."""

    def __init__(self, key: DataKey) -> None:
        self._key = key
        self._renew()

    def _salted(self) -> tuple[bytes, Aead]:
        salt = urandom(SALT_BYTES)
        return MARK + self._key.wire_id + salt, aead_for(self._key.secret, salt).encrypt

    def _renew(self) -> None:
        # Salt and key as one object, so that no thread ever takes one of these and one of those.
        self.uses: Iterator[tuple[bytes, Aead]] = repeat(self._salted(), SALT_CALLS)

    def _use(self) -> tuple[bytes, Aead]:
        while True:
            for use in self.uses:
                return use
            self._renew()

    def seal(self, data: Bytes, aad: Bytes) -> bytes:
        return seal_one(self._use(), data, aad)

    def seal_many(self, rows: Sequence[Bytes], aads: Bytes | Sequence[Bytes]) -> list[bytes]:
        return _seal_many(*(self._salted() if len(rows) > SALT_ROWS else self._use()), rows, aads)

    def after_fork(self) -> None:
        self._renew()


class GcmSealer:
    """AES-256-GCM, for readers that know nothing else. Every message is counted."""

    def __init__(self, key: DataKey, workers: int) -> None:
        self._spend = partial(BUDGETS.spend, key.kid, workers=workers)
        self._current = MARK + key.wire_id, AESGCM(key.secret).encrypt
        self.uses: Iterator[tuple[bytes, Aead]] = self

    def __iter__(self) -> Iterator[tuple[bytes, Aead]]:
        return self

    def __next__(self) -> tuple[bytes, Aead]:
        self._spend(messages=1)
        return self._current

    def seal(self, data: Bytes, aad: Bytes) -> bytes:
        return seal_one(next(self), data, aad)

    def seal_many(self, rows: Sequence[Bytes], aads: Bytes | Sequence[Bytes]) -> list[bytes]:
        self._spend(messages=len(rows))
        return _seal_many(*self._current, rows, aads)

    def after_fork(self) -> None:
        """Nothing is kept from one call to the next."""


def sealer_for(key: DataKey, workers: int) -> Sealer:
    """What encrypts records under ``key``."""
    return GcmSealer(key, workers) if key.algorithm == GCM else XaesSealer(key)


def seal_one(use: tuple[bytes, Aead], data: Bytes, aad: Bytes) -> bytes:
    """A record. ``Encryptor.encrypt`` has the same three lines, which saves a call for each record."""
    prefix, encrypt = use
    nonce = urandom(NONCE_BYTES)
    return prefix + nonce + encrypt(nonce, data, aad)


def _seal_many(prefix: bytes, encrypt: Aead, rows: Sequence[Bytes], aads: Bytes | Sequence[Bytes]) -> list[bytes]:
    sealed: list[bytes] = []
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        own: Iterable[Bytes] = repeat(aads) if isinstance(aads, BYTES) else aads[start : start + _AT_ONCE]
        nonces = _nonces(len(part))
        sealed += [prefix + nonce + encrypt(nonce, row, aad) for nonce, row, aad in zip(nonces, part, own)]  # noqa: B905
    return sealed


def _nonces(count: int) -> tuple[bytes, ...]:
    cut = _TEXTS.get(count) or struct.Struct(f"{NONCE_BYTES}s" * count)
    return cut.unpack(urandom(NONCE_BYTES * count))


class Openers:
    """Decrypts what any key of the ring has encrypted."""

    def __init__(self, keys: KeySet) -> None:
        self._by_prefix = {MARK + key.wire_id: _opener(key) for key in keys.keys if key.algorithm in RECORD_ALGORITHMS}
        self._names = {key.wire_id: key.kid for key in keys.keys}
        self._shredded = keys.shredded

    def open(self, token: Bytes, aad: Bytes, index: int | None = None) -> bytes:
        """One record.

        :raises DecryptionFailed: for anything but a record of this ring under this ``aad``.
        """
        token = as_bytes(token)
        try:
            decrypt, start = self._by_prefix[token[:PREFIX_BYTES]](token)
            return decrypt(token[start : start + NONCE_BYTES], token[start + NONCE_BYTES :], aad)
        except (KeyError, InvalidTag, ValueError):
            raise self._failure(token, index) from None

    def open_many(self, tokens: Sequence[Bytes], aads: Bytes | Sequence[Bytes]) -> list[bytes]:
        """Records in their order.

        :raises DecryptionFailed: for the first that fails; ``index`` says which.
        """
        opened: list[bytes] = []
        own: Iterable[Bytes] = repeat(aads) if isinstance(aads, BYTES) else aads
        head, start = b"", 0
        decrypt: Aead = _never
        token: Bytes = b""
        try:
            for token, aad in zip(tokens, own):  # noqa: B905
                if type(token) is not bytes:
                    token = as_bytes(token)
                if token[:_HEAD] != head:  # what one batch has encrypted shares its salt
                    decrypt, start = self._by_prefix[token[:PREFIX_BYTES]](token)
                    head = token[:_HEAD]
                opened.append(decrypt(token[start : start + NONCE_BYTES], token[start + NONCE_BYTES :], aad))
        except (KeyError, InvalidTag, ValueError) as error:
            if isinstance(error, InvalidArgument):
                raise
            raise self._failure(as_bytes(token), len(opened)) from None
        return opened

    def _failure(self, token: bytes, index: int | None) -> DecryptionFailed:
        wire_id = token[1:PREFIX_BYTES]
        if len(token) < PREFIX_BYTES + NONCE_BYTES + TAG_BYTES or token[:1] != MARK:
            stream = "It is a file or stream: decrypt_file(), decrypt_stream() and open() read those."
            hint = stream if bytes(token[: len(MAGIC)]) == MAGIC else None
            return NotEncrypted("This is not a record that safekv or Tink has encrypted.", hint=hint, index=index)
        kid = self._names.get(wire_id)
        if MARK + wire_id not in self._by_prefix:
            return unknown_key(kid or wire_id.hex(), self._shredded, wire_id, index=index)
        return DecryptionFailed(
            "The record was changed, or it was encrypted with another aad.", index=index, key_id=kid
        )


_HEAD = PREFIX_BYTES + SALT_BYTES


def unknown_key(
    name: str, shredded: Sequence[str], start: bytes, *, index: int | None = None, file: str | None = None
) -> UnknownKey:
    """The error for a key that is not there; ``start`` are the first bytes of its thumbprint."""
    gone = [kid for kid in shredded if from_base64url(kid).startswith(start)]
    if gone:
        return UnknownKey(
            "The key of this was shredded; nothing can decrypt it.", index=index, file=file, key_id=gone[0]
        )
    return UnknownKey(
        "The ring does not hold the key that this is encrypted under.",
        hint="It is another ring's, or this process has an older version of the ring: load it again.",
        index=index,
        file=file,
        key_id=name,
    )


def _never(nonce: bytes, data: Bytes, aad: Bytes) -> bytes:
    raise InvalidTag


Opener = Callable[[bytes], tuple[Aead, int]]


def _opener(key: DataKey) -> Opener:
    """From a record to what decrypts it, and where its nonce begins."""
    if key.algorithm == GCM:
        ready = AESGCM(key.secret).decrypt, PREFIX_BYTES
        return lambda token: ready
    ciphers = lru_cache(_SALTS_KEPT)(partial(aead_for, key.secret))

    def open_with(token: bytes) -> tuple[Aead, int]:
        if len(token) < _HEAD + NONCE_BYTES + TAG_BYTES:
            raise InvalidTag
        return ciphers(token[PREFIX_BYTES:_HEAD]).decrypt, _HEAD

    return open_with


def as_bytes(given: Bytes) -> bytes:
    """``given`` as bytes.

    :raises InvalidArgument: for a str, a number, and all else that is not bytes.
    """
    if type(given) is bytes:
        return given
    try:
        return bytes(memoryview(given))
    except TypeError:
        raise not_bytes(given) from None


def not_bytes(given: object, name: str = "data") -> InvalidArgument:
    """The error for something that has to be bytes; the thing itself is not shown."""
    return InvalidArgument(
        f"{name} must be bytes, not {type(given).__name__}.", hint="Text has to be encoded first: text.encode()."
    )
