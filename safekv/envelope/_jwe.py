"""The ring's document: RFC 7516 JWE in the General JSON Serialization, content encryption A256GCM.

Only the two ways of wrapping that Key Vault has and that are sound are read: anything else a
JWE may ask for (passwords, compression, ``crit``, a key agreed on) is refused.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from safekv.envelope._encoding import from_base64url, from_json, to_base64url, to_json
from safekv.envelope._errors import InvalidRing

WRAP_ALGORITHMS = ("RSA-OAEP-256", "A256KW")
CEK_BYTES = 32
MAX_BYTES = 64 * 1024
MAX_RECIPIENTS = 8
PROTECTED = {"cty": "jwk-set+json", "enc": "A256GCM"}

_IV_BYTES = 12
_TAG_BYTES = 16
_MAX_WRAPPED = 1024  # RSA-4096 gives 512


@dataclass(frozen=True, slots=True)
class Recipient:
    """One key that can open the document. ``encrypted_key`` is what Key Vault's wrapKey returned."""

    algorithm: str
    kid: str
    encrypted_key: bytes


@dataclass(frozen=True, slots=True)
class Document:
    """A ring as it is stored. Nothing in it is secret.

    :ivar protected: the protected header as it was sent, base64url: it is authenticated in that spelling.
    """

    protected: str
    recipients: tuple[Recipient, ...]
    iv: bytes
    ciphertext: bytes
    tag: bytes

    def to_json(self) -> str:
        """One line of JSON, a few hundred bytes for each key and recipient."""
        return to_json(
            {
                "protected": self.protected,
                "recipients": [
                    {"header": {"alg": it.algorithm, "kid": it.kid}, "encrypted_key": to_base64url(it.encrypted_key)}
                    for it in self.recipients
                ],
                "iv": to_base64url(self.iv),
                "ciphertext": to_base64url(self.ciphertext),
                "tag": to_base64url(self.tag),
            }
        ).decode("ascii")

    def addressed_to(self, recipients: tuple[Recipient, ...]) -> Document:
        """The same content for other recipients, who were given the same content key."""
        return replace(self, recipients=recipients)

    def open(self, cek: bytes) -> bytes:
        """The content.

        :raises InvalidRing: if ``cek`` is not its key, or a bit of it is not as it was written.
        """
        try:
            return AESGCM(cek).decrypt(self.iv, self.ciphertext + self.tag, self.protected.encode("ascii"))
        except (InvalidTag, ValueError):
            raise InvalidRing(
                "The ring was changed after it was written, or its wrapped key is another ring's."
            ) from None


def seal(content: bytes, cek: bytes, recipients: tuple[Recipient, ...]) -> Document:
    """``content`` under ``cek``, which must be used for this one document only."""
    protected = to_base64url(to_json(PROTECTED))
    iv = os.urandom(_IV_BYTES)
    sealed = AESGCM(cek).encrypt(iv, content, protected.encode("ascii"))
    return Document(protected, recipients, iv, sealed[:-_TAG_BYTES], sealed[-_TAG_BYTES:])


def parse(text: str | bytes) -> Document:
    """A document from outside; nothing in it is believed, and no key is needed to read it.

    :raises InvalidRing: saying what is wrong, without repeating it.
    """
    if len(text) > MAX_BYTES:
        raise InvalidRing(f"This is no key ring: it has more than {MAX_BYTES:,} bytes.")
    try:
        found = from_json(text)
        if "unprotected" in found or "aad" in found:
            raise InvalidRing("This key ring has members that safekv does not write ('unprotected', 'aad').")
        _check_protected(found["protected"])
        recipients = tuple(_recipient(it) for it in found["recipients"])
        iv, ciphertext, tag = (from_base64url(found[name]) for name in ("iv", "ciphertext", "tag"))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, InvalidRing):
            raise
        raise InvalidRing("This is no key ring: it is not JWE General JSON with all its members.") from None
    if not 0 < len(recipients) <= MAX_RECIPIENTS:
        raise InvalidRing(f"This key ring has {len(recipients)} recipients; 1 to {MAX_RECIPIENTS} are possible.")
    if len(iv) != _IV_BYTES or len(tag) != _TAG_BYTES:
        raise InvalidRing("This is no key ring: its iv or its tag has not the length of A256GCM's.")
    return Document(found["protected"], recipients, iv, ciphertext, tag)


def _check_protected(protected: str) -> None:
    header = from_json(from_base64url(protected))
    if header != PROTECTED:
        raise InvalidRing("This key ring's protected header asks for something other than A256GCM over a JWK Set.")


def _recipient(it: dict[str, Any]) -> Recipient:
    header = it["header"]
    if set(header) != {"alg", "kid"} or header["alg"] not in WRAP_ALGORITHMS:
        raise InvalidRing(f"A recipient of this key ring is not wrapped with {' or '.join(WRAP_ALGORITHMS)}.")
    kid, encrypted_key = header["kid"], from_base64url(it["encrypted_key"])
    if not isinstance(kid, str) or not 0 < len(encrypted_key) <= _MAX_WRAPPED:
        raise InvalidRing("A recipient of this key ring has no key id or no wrapped key.")
    return Recipient(header["alg"], kid, encrypted_key)
