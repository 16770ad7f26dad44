"""What stands before a stream, so that a reader knows the key and the segment size.

::

    "SAFEKV" | version (1) | log2 of the segment size (1) | length of all this (4, big endian)
    | thumbprint of the data key (32) | the ring's JSON, if it was asked for

It is authenticated: the associated data of the stream that follows is this, then the caller's.
The whole thumbprint binds the stream to one key, which AES-GCM alone would not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from safekv.envelope._errors import NotEncrypted
from safekv.envelope._jwe import MAX_BYTES
from safekv.envelope._segments import KIB64, MIB

MAGIC = b"SAFEKV"
VERSION = 1
FIXED_BYTES = 44
START_BYTES = 12

_SIZES = {20: MIB, 16: KIB64}
_LOGS = {size: log for log, size in _SIZES.items()}


@dataclass(frozen=True, slots=True)
class Preamble:
    """:ivar ring: the ring as it was when the file was written, for recovery; decryption does not use it."""

    thumbprint: bytes
    segment_size: int
    ring: bytes = b""

    def to_bytes(self) -> bytes:
        """44 bytes, and the ring."""
        length = FIXED_BYTES + len(self.ring)
        start = MAGIC + bytes([VERSION, _LOGS[self.segment_size]]) + length.to_bytes(4, "big")
        return start + self.thumbprint + self.ring


def length_of(start: bytes, file: str | None = None) -> int:
    """From its first 12 bytes, how long a preamble is.

    :raises NotEncrypted: if it is none.
    """
    if len(start) < START_BYTES or start[:6] != MAGIC:
        raise NotEncrypted(
            "This is not a file or stream that safekv has encrypted.",
            hint="Records (of encrypt, encrypt_many and columns) are decrypted one by one, in Python, with decrypt(); "
            "streams that Tink has written with raw=True, there too.",
            file=file,
        )
    if start[6] != VERSION:
        raise NotEncrypted(f"This was encrypted by another version of the format ({start[6]}).", file=file)
    length = int.from_bytes(start[8:START_BYTES], "big")
    if start[7] not in _SIZES or not FIXED_BYTES <= length <= FIXED_BYTES + MAX_BYTES:
        raise NotEncrypted("The beginning of this was changed.", file=file)
    return length


def parse(data: bytes, file: str | None = None) -> Preamble:
    """The reverse of ``to_bytes``. Nothing in it is to be believed before the first segment is decrypted.

    :raises NotEncrypted: if it is none, or cut short.
    """
    if len(data) != length_of(data, file):
        raise NotEncrypted("This was cut off within its first bytes.", file=file)
    return Preamble(data[START_BYTES:FIXED_BYTES], _SIZES[data[7]], data[FIXED_BYTES:])


def embedded_ring(read: Callable[[int], bytes], file: str | None = None) -> tuple[str, bytes]:
    """The ring's JSON before a stream, empty if there is none, and all that was read to find it.

    Whoever wrote the stream chose it: it must not decide which vault is asked.

    :raises NotEncrypted: if it does not begin like a stream.
    """
    start = read(START_BYTES)
    data = start + read(length_of(start, file) - len(start))
    return parse(data, file).ring.decode("ascii", "replace"), data
