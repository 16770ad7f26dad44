"""XAES-256-GCM (C2SP): AES-256-GCM with a 24-byte nonce, of which the first 12 bytes choose a key.

That leaves so many nonces that random ones can be used without counting messages.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

SALT_BYTES = 12

_BLOCK = bytes(16)
_FIRST = b"\x00\x01X\x00"
_SECOND = b"\x00\x02X\x00"


def aead_for(key: bytes, salt: bytes) -> AESGCM:
    """AES-256-GCM under the key that ``salt``, the first half of a nonce, selects.

    The two halves of that key are the CMAC of one block each, as NIST SP 800-108 wants it.
    """
    # Single blocks under a key that encrypts nothing else: a pseudo-random function, not a mode.
    blocks = Cipher(AES(key), ECB()).encryptor()  # noqa: S305
    subkey = _doubled(blocks.update(_BLOCK))
    return AESGCM(blocks.update(_xor(_FIRST + salt, subkey)) + blocks.update(_xor(_SECOND + salt, subkey)))


def _doubled(block: bytes) -> bytes:
    """Multiplied by x in GF(2^128), as CMAC derives its subkey."""
    number = int.from_bytes(block, "big") << 1
    if number >> 128:
        number ^= (1 << 128) | 0x87
    return number.to_bytes(16, "big")


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(16, "big")
