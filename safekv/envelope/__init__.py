"""Envelope encryption: data is encrypted here, at the speed of the machine, and only keys go to the vault.

::

    ring = KeyRing.create("https://my-vault.vault.azure.net/keys/app-kek")      # new data keys, wrapped by that key
    ring.save("app.ring")
    box = Encryptor(ring)
    token = box.encrypt(b"...", aad=b"customers|iban|4711")
    box.encrypt_file("dump.sql", "dump.sql.safekv")

Every format is published, and opened by other tools: see docs/explanation/formats.md. ``safekv.envelope.aio`` has the
ring for asyncio.
"""

from safekv.envelope._allowed import AllowedKeys
from safekv.envelope._encryptor import Encryptor
from safekv.envelope._errors import (
    BadSignature,
    BudgetExhausted,
    DecryptionFailed,
    InvalidRing,
    KeyNotAllowed,
    NotEncrypted,
    RingClosed,
    RingConflict,
    RingLocked,
    RingUnavailable,
    SourceChanged,
    Truncated,
    UnknownKey,
    WrapCheckFailed,
)
from safekv.envelope._keys import KeyInfo
from safekv.envelope._ring import KeyRing
from safekv.envelope._settings import RingSettings
from safekv.envelope._wrapping import AsyncWrapper, Wrapped, Wrapper

__all__ = [
    "AllowedKeys",
    "AsyncWrapper",
    "BadSignature",
    "BudgetExhausted",
    "DecryptionFailed",
    "Encryptor",
    "InvalidRing",
    "KeyInfo",
    "KeyNotAllowed",
    "KeyRing",
    "NotEncrypted",
    "RingClosed",
    "RingConflict",
    "RingLocked",
    "RingSettings",
    "RingUnavailable",
    "SourceChanged",
    "Truncated",
    "UnknownKey",
    "WrapCheckFailed",
    "Wrapped",
    "Wrapper",
]

# The modules behind this one are nobody's business: tracebacks, reprs and pickles name this one.
for _name in __all__:
    globals()[_name].__module__ = __name__
