"""What can go wrong with envelope encryption.

::

    SafeKVError
    ├── DecryptionFailed         cryptography's InvalidTag: wrong key, wrong aad, or not what was encrypted
    │   ├── NotEncrypted         also ValueError: no token, no stream, or cut short before the first byte of content
    │   ├── Truncated            the end of a stream is missing
    │   └── UnknownKey           also LookupError: encrypted under a key that the ring does not hold
    ├── InvalidRing              ValueError: the ring's document is damaged, forged, or no ring at all
    ├── KeyNotAllowed            PermissionError: the ring names no key that may open it
    ├── RingUnavailable          no key that may open the ring did, or others took too long
    ├── RingLocked               an aio ring has to be opened with ``await`` first
    ├── RingClosed               ClientClosed: used after ``close()``
    ├── RingConflict             FileExistsError: saving would overwrite another ring, or another version
    ├── BadSignature             cryptography's InvalidSignature: nobody who may has signed this ring
    ├── WrapCheckFailed          what was wrapped does not come back: nothing may be encrypted with it
    ├── BudgetExhausted          as many messages as are safe were encrypted under this key
    └── SourceChanged            the file changed while it was read

No message and no attribute holds a key or a piece of data.
"""

from __future__ import annotations

from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag

from safekv.errors import ClientClosed, SafeKVError


class DecryptionFailed(SafeKVError, InvalidTag):
    """This is not what was encrypted, or not with this key and this ``aad``.

    :param file: the file's name, where there is one.
    :param segment: number of the segment that failed, counted from 0; for streams and files.
    :param index: number of the token in its list, counted from 0; for batches.
    :param key_id: the key it claims to be encrypted under.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        segment: int | None = None,
        index: int | None = None,
        key_id: str | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message, **details)
        self.file = file
        self.segment = segment
        self.index = index
        self.key_id = key_id

    def __str__(self) -> str:
        places = ("file", self.file), ("segment", self.segment), ("token number", self.index), ("key", self.key_id)
        where = ", ".join(f"{name} {value}" for name, value in places if value is not None)
        return super().__str__() + (f"\n({where})" if where else "")

    def __reduce__(self) -> tuple[Any, ...]:
        rebuild, (kind, message, details) = super().__reduce__()
        own = {"file": self.file, "segment": self.segment, "index": self.index, "key_id": self.key_id}
        return rebuild, (kind, message, {**details, **own})


class NotEncrypted(DecryptionFailed, ValueError):
    """This does not have the form of anything that safekv encrypts."""


class Truncated(DecryptionFailed):
    """All that is there is genuine, and the end is missing."""


class UnknownKey(DecryptionFailed, LookupError):
    """The ring does not hold the key that this is encrypted under."""


class InvalidRing(SafeKVError, ValueError):
    """The document is no key ring, or not as it was written."""


class KeyNotAllowed(SafeKVError, PermissionError):
    """The ring asks to be opened with keys that are not on the list of allowed ones; no vault was asked."""


class RingUnavailable(SafeKVError):
    """Every key that may open the ring failed to (``failures``: one text for each), or others took too long."""

    def __init__(self, message: str, *, failures: tuple[str, ...] = (), **details: Any) -> None:
        super().__init__(message, **details)
        self.failures = failures

    def __reduce__(self) -> tuple[Any, ...]:
        rebuild, (kind, message, details) = super().__reduce__()
        return rebuild, (kind, message, {**details, "failures": self.failures})


class RingLocked(SafeKVError):
    """The ring's keys are not in memory, and this call cannot wait for them."""


class RingClosed(ClientClosed):
    """The ring was closed; its keys are gone from this process."""


class RingConflict(SafeKVError, FileExistsError):
    """The file or secret holds another ring, or a version that somebody else has changed; it was left as it is."""


class BadSignature(SafeKVError, InvalidSignature):
    """The signature is not one of this version of the ring."""


class WrapCheckFailed(SafeKVError):
    """A key was wrapped, and unwrapping it gave something else. It must not be used."""


class BudgetExhausted(SafeKVError):
    """This process has encrypted as many messages under one AES-256-GCM key as its share allows."""


class SourceChanged(SafeKVError, OSError):
    """A file grew or shrank while it was being read; nothing was written."""
