"""Backups: Azure's prefix and a sealed document, so that neither reading nor changing one works.

The sealed part is a compact JWE under a key of the emulator. The key follows from the
emulator's seed, so a backup outlives a restart; like everything here it protects nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from safekv.emulator._base64url import decode, encode
from safekv.emulator.objects._objects import Kind

_HEADER = encode(b'{"alg":"dir","enc":"A256GCM"}').encode()


class Sealer:
    """Turns documents into backups and back."""

    def __init__(self, seed: int) -> None:
        self._key = hashlib.sha256(b"safekv emulator backups %d" % seed).digest()

    def seal(self, kind: Kind, document: dict[str, Any]) -> str:
        """A backup, as the text that the service gives: base64url without padding."""
        plain = json.dumps(document).encode()
        # Derived from what it protects: the same key never meets one nonce with two texts, and no chance is needed.
        nonce = hmac.digest(self._key, plain, "sha256")[:12]
        sealed = AESGCM(self._key).encrypt(nonce, plain, _HEADER)
        parts = ("", encode(nonce), encode(sealed[:-16]), encode(sealed[-16:]))
        return encode(_prefix(kind) + _HEADER + ".".join(["", *parts]).encode())

    def open(self, kind: Kind, backup: str) -> dict[str, Any] | None:
        """The document in a backup of this kind; None if it is not one, or is damaged."""
        try:
            blob = decode(backup)
            prefix = _prefix(kind)
            header, empty, *parts = blob[len(prefix) :].split(b".")
            if not blob.startswith(prefix) or header != _HEADER or empty:
                return None
            nonce, text, tag = (decode(part.decode()) for part in parts)
            document = json.loads(AESGCM(self._key).decrypt(nonce, text + tag, header))
        except (ValueError, InvalidTag):
            return None
        return document if isinstance(document, dict) else None


def _prefix(kind: Kind) -> bytes:
    name = f"AzureKeyVault{kind.noun}BackupV1.microsoft.com".encode()
    return bytes([len(name)]) + name
