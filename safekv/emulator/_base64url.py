"""base64url without padding, as Key Vault and JOSE write bytes."""

from __future__ import annotations

import base64


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Strict (``ValueError``), so that no two texts stand for the same bytes, but for padding."""
    bare = text.rstrip("=")
    # urlsafe_b64decode would drop what is no base64.
    data = base64.b64decode(bare.replace("-", "+").replace("_", "/") + "=" * (-len(bare) % 4), validate=True)
    if encode(data) != bare:
        raise ValueError("not canonical base64url")
    return data
