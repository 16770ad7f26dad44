"""Data keys and the set of them: who encrypts, who still decrypts, who is gone.

A key is for records or for streams, never for both. The newest of each kind that is not
retired encrypts; all decrypt. Everything here is immutable: a change gives a new set.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from safekv.envelope._encoding import from_base64url, from_json, to_base64url, to_json
from safekv.envelope._errors import InvalidRing
from safekv.errors import InvalidArgument

XAES = "XAES-256-GCM"
GCM = "A256GCM"
STREAM = "AES256-GCM-HKDF"
RECORD_ALGORITHMS = (XAES, GCM)
ALGORITHMS = (XAES, GCM, STREAM)

KEY_BYTES = 32
WIRE_ID_BYTES = 4
MAX_KEYS = 64
MAX_TOMBSTONES = 64
VERSION = 1


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What is known of a data key without holding it.

    :ivar key_id: its id, 43 characters.
    :ivar created: seconds since 1970.
    :ivar retired: since when it only decrypts; None while it encrypts.
    """

    key_id: str
    algorithm: str
    created: int
    retired: int | None


@dataclass(frozen=True, slots=True)
class DataKey:
    """One AES-256 key.

    :ivar kid: its RFC 7638 thumbprint, 43 characters: a SHA-256 of the key, so that a ring commits to its keys.
    :ivar created: seconds since 1970.
    :ivar retired: since when it only decrypts; None while it encrypts.
    """

    kid: str
    algorithm: str
    created: int
    secret: bytes = field(repr=False)
    retired: int | None = None

    @property
    def info(self) -> KeyInfo:
        """All but the key."""
        return KeyInfo(self.kid, self.algorithm, self.created, self.retired)

    @property
    def thumbprint(self) -> bytes:
        """``kid`` as 32 bytes."""
        return from_base64url(self.kid)

    @property
    def wire_id(self) -> bytes:
        """The first 4 bytes of the thumbprint: what a record begins with, after its 0x01."""
        return self.thumbprint[:WIRE_ID_BYTES]


def thumbprint(secret: bytes) -> bytes:
    """RFC 7638 of the JWK: SHA-256 over its required members in alphabetical order, without spaces."""
    return hashlib.sha256(to_json({"k": to_base64url(secret), "kty": "oct"})).digest()


def new_key(algorithm: str, now: float) -> DataKey:
    """A fresh key from the system's random source."""
    secret = os.urandom(KEY_BYTES)
    return DataKey(to_base64url(thumbprint(secret)), algorithm, int(now), secret)


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys of a ring, oldest first, and the ids of those that were shredded.

    :raises InvalidRing: for two keys whose records could not be told apart, too many keys, or none that encrypts.
    """

    keys: tuple[DataKey, ...]
    shredded: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        ids = [key.wire_id for key in self.keys]
        if len(set(ids)) != len(ids):
            raise InvalidRing("Two keys of the ring begin with the same 4 bytes of id.")
        if not 0 < len(self.keys) <= MAX_KEYS:
            raise InvalidRing(f"The ring holds {len(self.keys)} keys; 1 to {MAX_KEYS} are possible.")
        for purpose, algorithms in (("records", RECORD_ALGORITHMS), ("streams", (STREAM,))):
            active = sum(key.retired is None and key.algorithm in algorithms for key in self.keys)
            if active != 1:
                raise InvalidRing(f"{active} keys of the ring encrypt {purpose}; it must be 1.")

    @property
    def record_key(self) -> DataKey:
        """The one that encrypts records."""
        return self._active(RECORD_ALGORITHMS)

    @property
    def stream_key(self) -> DataKey:
        """The one that encrypts streams and files."""
        return self._active((STREAM,))

    def _active(self, algorithms: Iterable[str]) -> DataKey:
        return next(key for key in self.keys if key.retired is None and key.algorithm in algorithms)

    def find(self, kid: str) -> DataKey:
        """The key of that id.

        :raises InvalidArgument: if there is none.
        """
        for key in self.keys:
            if key.kid == kid:
                return key
        known = ", ".join(key.kid for key in self.keys)
        raise InvalidArgument(f"The ring has no key {kid!r}.", hint=f"It has {known}.")

    def with_new(self, algorithms: Iterable[str], now: float) -> KeySet:
        """A fresh key for each of ``algorithms``; the ones that encrypted until now only decrypt from now on."""
        keys = self.keys
        for algorithm in algorithms:
            purpose = (STREAM,) if algorithm == STREAM else RECORD_ALGORITHMS
            replaced = self._active(purpose)
            keys = tuple(replace(key, retired=int(now)) if key is replaced else key for key in keys)
            keys = (*keys, _distinct(algorithm, now, keys, self.shredded))
        return _checked(keys, self.shredded)

    def without(self, kid: str) -> KeySet:
        """The set without that key, for ever.

        :raises InvalidArgument: for a key that still encrypts.
        """
        key = self.find(kid)
        if key.retired is None:
            raise InvalidArgument(
                f"Key {kid} still encrypts; shredding it would lose what is being written.",
                hint="Call retire() with it first, and rotate what must be kept.",
            )
        kept = tuple(other for other in self.keys if other is not key)
        return KeySet(kept, (*self.shredded, kid)[-MAX_TOMBSTONES:])


def new_keys(record_algorithm: str, now: float) -> KeySet:
    """A first key for records and one for streams.

    :raises InvalidArgument: for an algorithm that is not one of records.
    """
    record = new_key(check_record_algorithm(record_algorithm), now)
    return KeySet((record, _distinct(STREAM, now, (record,), ())))


def check_record_algorithm(given: str) -> str:
    """``given``, if records can be encrypted with it.

    :raises InvalidArgument: otherwise.
    """
    if given in RECORD_ALGORITHMS:
        return given
    raise InvalidArgument(
        f"{given!r} is not an algorithm for records; there are {' and '.join(RECORD_ALGORITHMS)}.",
        hint=f"Take {XAES}, unless a reader knows only AES-GCM (Spark's aes_decrypt).",
    )


def _distinct(algorithm: str, now: float, others: tuple[DataKey, ...], gone: tuple[str, ...]) -> DataKey:
    """A new key whose wire id nobody has or had: 1 in 100 million draws has to be repeated."""
    taken = {key.wire_id for key in others} | {from_base64url(kid)[:WIRE_ID_BYTES] for kid in gone}
    while (key := new_key(algorithm, now)).wire_id in taken:
        pass
    return key


def _checked(keys: tuple[DataKey, ...], shredded: tuple[str, ...]) -> KeySet:
    if len(keys) > MAX_KEYS:
        raise InvalidArgument(
            f"The ring is full: it holds {MAX_KEYS} keys.",
            hint="Rotate what the oldest keys encrypted, then shred() them.",
        )
    return KeySet(keys, shredded)


def to_jwks(keys: KeySet) -> bytes:
    """The set as an RFC 7517 JWK Set. This is secret: it exists only to be encrypted."""
    jwks = [
        {
            "kty": "oct",
            "k": to_base64url(key.secret),
            "kid": key.kid,
            "alg": key.algorithm,
            "use": "enc",
            "iat": key.created,
            **({} if key.retired is None else {"retired": key.retired}),
        }
        for key in keys.keys
    ]
    return to_json({"keys": jwks, "shredded": list(keys.shredded), "version": VERSION})


def from_jwks(data: bytes) -> KeySet:
    """The reverse, with every id computed again.

    :raises InvalidRing: for anything that :func:`to_jwks` does not write.
    """
    try:
        found = from_json(data)
        if found["version"] != VERSION:
            raise InvalidRing(f"The ring's version is not {VERSION}: a newer safekv has written it.")
        shredded = tuple(found["shredded"])
        if any(len(from_base64url(kid)) != KEY_BYTES for kid in shredded):
            raise ValueError
        return KeySet(tuple(_from_jwk(jwk) for jwk in found["keys"]), shredded)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, InvalidRing):
            raise
        raise InvalidRing("The ring was opened, and what is in it is no set of data keys.") from None


def _from_jwk(jwk: dict[str, Any]) -> DataKey:
    secret = from_base64url(jwk["k"])
    kid, algorithm, created, retired = jwk["kid"], jwk["alg"], jwk["iat"], jwk.get("retired")
    if jwk["kty"] != "oct" or len(secret) != KEY_BYTES or algorithm not in ALGORITHMS:
        raise InvalidRing("A key of the ring is not of a kind that is known here.")
    if from_base64url(kid) != thumbprint(secret):
        raise InvalidRing("A key of the ring is not the one that its id says.")
    if type(created) is not int or type(retired) not in (int, type(None)):
        raise ValueError
    return DataKey(kid, algorithm, created, secret, retired)
