"""Tink's streaming format AES-GCM-HKDF: one key for each stream, and segments that know their place and the end.

::

    header    40 (the header's length) | salt (32) | nonce prefix (7)
    segment 0 ciphertext | tag (16)       header and segment 0 together are as long as any other segment
    segment i ciphertext | tag (16)

The stream's key is HKDF-SHA256 of the data key, with the salt, and the associated data as ``info``. The nonce
of a segment is the prefix, the segment's number (4 bytes, big endian) and 1 for the last one, else 0.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from safekv.envelope._errors import NotEncrypted
from safekv.errors import InvalidArgument

MIB = 1 << 20
KIB64 = 1 << 16
SEGMENT_SIZES = (MIB, KIB64)

SALT_BYTES = 32
PREFIX_BYTES = 7
HEADER_BYTES = 1 + SALT_BYTES + PREFIX_BYTES
TAG_BYTES = 16
MAX_SEGMENTS = 1 << 32


def check_segment_size(given: int) -> int:
    """``given``, if it is one of the two.

    :raises InvalidArgument: otherwise.
    """
    if given in SEGMENT_SIZES and type(given) is int:
        return given
    raise InvalidArgument(
        f"segment_size={given!r} must be 1048576 or 65536 bytes.",
        hint="Leave it out, or take 65536 for files that are read at many places.",
    )


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is, for one segment size. Offsets of the body count from its header."""

    segment_size: int

    def room(self, index: int) -> int:
        """Bytes of content that segment ``index`` holds at most."""
        return self.segment_size - TAG_BYTES - (HEADER_BYTES if index == 0 else 0)

    def count(self, content: int) -> int:
        """Segments for so many bytes of content; at least one.

        :raises InvalidArgument: if the format cannot count them.
        """
        rest = content - self.room(0)
        segments = 1 if rest <= 0 else 1 - (-rest // self.room(1))
        if segments > MAX_SEGMENTS:
            raise InvalidArgument(f"{content:,} bytes are more than one stream can hold.", hint="Split it into files.")
        return segments

    def content(self, body: int, file: str | None = None) -> int:
        """Bytes of content in a body of that many bytes.

        :raises NotEncrypted: if no body is that long.
        """
        segments = -(-body // self.segment_size)
        last = body - (segments - 1) * self.segment_size - (HEADER_BYTES if segments == 1 else 0)
        if body < HEADER_BYTES + TAG_BYTES or last < TAG_BYTES:
            raise NotEncrypted("This was cut off: it ends in the middle of what every segment has.", file=file)
        return body - HEADER_BYTES - segments * TAG_BYTES

    def content_start(self, index: int) -> int:
        """Where the content of segment ``index`` begins."""
        return 0 if index == 0 else self.room(0) + (index - 1) * self.room(1)

    def body_start(self, index: int) -> int:
        """Where the ciphertext of segment ``index`` begins."""
        return HEADER_BYTES if index == 0 else index * self.segment_size

    def index_at(self, position: int) -> int:
        """The segment that holds the byte of content at ``position``."""
        rest = position - self.room(0)
        return 0 if rest < 0 else 1 + rest // self.room(1)


class SegmentCipher:
    """Encrypts and decrypts the segments of one stream. Threads may share it."""

    def __init__(self, secret: bytes, header: bytes, aad: bytes) -> None:
        salt, self._prefix = header[1 : 1 + SALT_BYTES], header[1 + SALT_BYTES :]
        key = HKDF(algorithm=SHA256(), length=32, salt=salt, info=aad).derive(secret)
        self._aead = AESGCM(key)
        self._pid = os.getpid()

    def encrypt_into(self, index: int, last: bool, content: memoryview, into: memoryview) -> int:
        """Encrypt one segment, once; returns its length in ``into``.

        :raises InvalidArgument: in a forked child, whose segments would have the parent's nonces.
        """
        if os.getpid() != self._pid:
            raise InvalidArgument(
                "A stream can only be written in the process that began it.", hint="Open another file in the child."
            )
        size = len(content) + TAG_BYTES
        self._aead.encrypt_into(self._nonce(index, last), content, None, into[:size])
        return size

    def decrypt_into(self, index: int, last: bool, sealed: memoryview, into: memoryview) -> int:
        """Decrypt one segment; returns the length of its content in ``into``.

        :raises cryptography.exceptions.InvalidTag: if it is not that segment of that stream.
        """
        size = len(sealed) - TAG_BYTES
        self._aead.decrypt_into(self._nonce(index, last), sealed, None, into[:size])
        return size

    def _nonce(self, index: int, last: bool) -> bytes:
        return self._prefix + index.to_bytes(4, "big") + (b"\x01" if last else b"\x00")


def new_header() -> bytes:
    """The first 40 bytes of a stream: a fresh salt and nonce prefix."""
    return bytes([HEADER_BYTES]) + os.urandom(SALT_BYTES + PREFIX_BYTES)


def check_header(header: bytes, file: str | None = None) -> bytes:
    """``header``, if a stream can begin so.

    :raises NotEncrypted: otherwise.
    """
    if len(header) == HEADER_BYTES and header[0] == HEADER_BYTES:
        return header
    raise NotEncrypted("This does not begin like a stream that safekv or Tink has encrypted.", file=file)
