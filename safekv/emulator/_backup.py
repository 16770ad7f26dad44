"""Backups: Azure's prefix and a sealed document, so that neither reading nor changing one works.

The sealed part is a compact JWE under a key of the emulator. The key follows from the
emulator's seed, so a backup outlives a restart; like everything here it protects nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from safekv.emulator._objects import Kind

_HEADER = base64.urlsafe_b64encode(b'{"alg":"dir","enc":"A256GCM"}').rstrip(b"=")


class Sealer:
    """Turns documents into backups and back."""

    def __init__(self, seed: int) -> None:
        self._key = hashlib.sha256(b"safekv emulator backups %d" % seed).digest()

    def seal(self, kind: Kind, document: dict[str, Any]) -> str:
        """A backup, as the text that the service gives: base64url without padding."""
        plain = json.dumps(document).encode()
        # Derived from what it protects: the same key never meets one nonce with two texts, and no chance is needed.
        nonce = hmac.digest(self._key, plain, "sha256")[:12]
        sealed = self._cipher().encrypt(nonce, plain, _HEADER)
        parts = (_HEADER, b"", _encoded(nonce), _encoded(sealed[:-16]), _encoded(sealed[-16:]))
        return _encoded(_prefix(kind) + b".".join(parts)).decode()

    def open(self, kind: Kind, backup: str) -> dict[str, Any] | None:
        """The document in a backup of this kind; None if it is not one, or is damaged."""
        from cryptography.exceptions import InvalidTag  # expensive to import, seldom needed

        try:
            blob = _decoded(backup.encode())
            prefix = _prefix(kind)
            header, empty, nonce, text, tag = blob[len(prefix) :].split(b".")
            if not blob.startswith(prefix) or header != _HEADER or empty:
                return None
            document = json.loads(self._cipher().decrypt(_decoded(nonce), _decoded(text) + _decoded(tag), header))
        except (ValueError, InvalidTag):
            return None
        return document if isinstance(document, dict) else None

    def _cipher(self) -> Any:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(self._key)


def _prefix(kind: Kind) -> bytes:
    name = f"AzureKeyVault{kind.noun}BackupV1.microsoft.com".encode()
    return bytes([len(name)]) + name


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _decoded(data: bytes) -> bytes:
    """Strict, so that a backup with one character changed is never read as the same one."""
    decoded = base64.b64decode(data.replace(b"-", b"+").replace(b"_", b"/") + b"=" * (-len(data) % 4), validate=True)
    if _encoded(decoded) != data.rstrip(b"="):
        raise ValueError("not canonical base64url")
    return decoded
