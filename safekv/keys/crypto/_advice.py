"""Warnings about how keys are used. They point at the caller's line, and come once for each."""

from __future__ import annotations

import sys
import warnings
from collections import OrderedDict, deque

from safekv import _events
from safekv.errors import CryptographyWarning, ManyServiceCallsWarning, SafeKVWarning

MANY = 100
WITHIN = 10.0
_MOST_KEYS = 256


class CallCounter:
    """Tells, once for each key, that the service encrypts or decrypts for it all the time."""

    def __init__(self) -> None:
        self._times: OrderedDict[str, deque[float]] = OrderedDict()
        self._told: OrderedDict[str, None] = OrderedDict()

    def count(self, name: str, now: float) -> bool:
        """One more call; True if it is time to say something. Times in seconds."""
        if name in self._told:
            return False
        times = self._times.setdefault(name, deque(maxlen=MANY + 1))
        times.append(now)
        self._times.move_to_end(name)
        while len(self._times) > _MOST_KEYS:
            self._times.popitem(last=False)
        if len(times) <= MANY or now - times[0] > WITHIN:
            return False
        self._told[name] = None
        while len(self._told) > _MOST_KEYS:
            self._told.popitem(last=False)
        del self._times[name]
        return True


def tell_of_many_calls(host: str, name: str) -> None:
    """Say what would be better than a request for each piece of data."""
    _events.emit(_events.ManyServiceCalls(host))
    _warn(
        f"The service was asked to encrypt or decrypt with the key {name!r} more than {MANY} times in "
        f"{WITHIN:.0f} s. Each is a request, and counts against the vault's limit: wrap one random key with it, "
        "and encrypt locally with that one. safekv.envelope does it.",
        ManyServiceCallsWarning,
    )


def tell_of_rsa1_5() -> None:
    """RSA with PKCS #1 v1.5 padding."""
    _warn(
        "RSA1_5 is broken: whoever can have ciphertexts decrypted can read others (Bleichenbacher). "
        "Use RSA-OAEP-256 for what is new; what exists can still be decrypted.",
        CryptographyWarning,
    )


def tell_of_unused_data(algorithm: str) -> None:
    """CBC with additional data."""
    _warn(
        f"{algorithm} authenticates nothing: additional_authenticated_data is not used. AES-GCM authenticates it.",
        CryptographyWarning,
    )


def tell_of_other_curve(algorithm: str, curve: str) -> None:
    """ECDSA of another curve."""
    _warn(f"{algorithm} is not for keys on {curve}: no such signature of this key can be valid.", CryptographyWarning)


def _warn(text: str, kind: type[SafeKVWarning]) -> None:
    level, frame = 1, sys._getframe(0)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(("safekv.", "azure.")):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, kind, stacklevel=level)
