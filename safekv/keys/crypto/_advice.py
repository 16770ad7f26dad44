"""Warnings about how keys are used. They point at the caller's line, and come once for each."""

from __future__ import annotations

from safekv import _events
from safekv._advice import MANY, WITHIN, warn
from safekv.errors import CryptographyWarning, ManyServiceCallsWarning


def tell_of_many_calls(host: str, name: str) -> None:
    """Say what would be better than a request for each piece of data."""
    _events.emit(_events.ManyServiceCalls(host))
    warn(
        f"The service was asked to encrypt or decrypt with the key {name!r} more than {MANY} times in "
        f"{WITHIN:.0f} s. Each is a request, and counts against the vault's limit: wrap one random key with it, "
        "and encrypt locally with that one. safekv.envelope does it.",
        ManyServiceCallsWarning,
    )


def tell_of_rsa1_5() -> None:
    """RSA with PKCS #1 v1.5 padding."""
    warn(
        "RSA1_5 is broken: whoever can have ciphertexts decrypted can read others (Bleichenbacher). "
        "Use RSA-OAEP-256 for what is new; what exists can still be decrypted.",
        CryptographyWarning,
    )


def tell_of_unused_data(algorithm: str) -> None:
    """CBC with additional data."""
    warn(
        f"{algorithm} authenticates nothing: additional_authenticated_data is not used. AES-GCM authenticates it.",
        CryptographyWarning,
    )


def tell_of_other_curve(algorithm: str, curve: str) -> None:
    """ECDSA of another curve."""
    warn(f"{algorithm} is not for keys on {curve}: no such signature of this key can be valid.", CryptographyWarning)
