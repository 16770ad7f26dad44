"""How a stream begins: for a writer a fresh key, for a reader finding the right one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag

from safekv.envelope import _preamble as preambles
from safekv.envelope._errors import DecryptionFailed, Truncated
from safekv.envelope._opened import Opened
from safekv.envelope._preamble import Preamble
from safekv.envelope._segments import (
    HEADER_BYTES,
    MAX_SEGMENTS,
    TAG_BYTES,
    Layout,
    SegmentCipher,
    check_header,
    new_header,
)
from safekv.errors import InvalidArgument

#: Reads so many bytes, or fewer if there are no more.
ReadExactly = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Framing:
    """What the caller chose.

    :ivar aad: bound to the stream and not stored in it.
    :ivar raw: Tink's format alone, without a preamble: the reader has to know key and segment size.
    :ivar ring: the ring's JSON, to be put before the stream.
    """

    aad: bytes
    raw: bool
    segment_size: int
    ring: bytes = b""


@dataclass(frozen=True, slots=True)
class Writing:
    """What a writer writes first, and what encrypts the segments after it."""

    start: bytes
    layout: Layout
    cipher: SegmentCipher


def begin_writing(opened: Opened, framing: Framing) -> Writing:
    """A new stream under the ring's stream key."""
    key = opened.stream_key
    preamble = b""
    if not framing.raw:
        preamble = Preamble(key.thumbprint, framing.segment_size, framing.ring).to_bytes()
    header = new_header()
    cipher = SegmentCipher(key.secret, header, preamble + framing.aad)
    return Writing(preamble + header, Layout(framing.segment_size), cipher)


class Reading:
    """A stream that begins like one, and the keys that it may be encrypted under.

    :ivar body: where the header is, from where reading began.
    """

    def __init__(
        self, layout: Layout, body: int, keys: Sequence[tuple[str, SegmentCipher]], file: str | None, *, sure: bool
    ) -> None:
        self.layout = layout
        self.body = body
        self._keys = keys
        self._sure = sure
        self._file = file

    def decrypt(self, index: int, last: bool, sealed: memoryview, into: memoryview) -> int:
        """One segment; returns the length of its content. The first one that succeeds settles the key.

        :raises DecryptionFailed: if it is not segment ``index`` of this stream, or ``last`` is wrong. ``into`` may
            then hold anything, and must not be shown.
        """
        if len(sealed) >= TAG_BYTES and index < MAX_SEGMENTS:
            for key in self._keys:
                try:
                    size = key[1].decrypt_into(index, last, sealed, into)
                except InvalidTag:
                    continue
                if not self._sure:
                    self._keys, self._sure = (key,), True
                return size
        raise self._failure(index, last, sealed, into)

    def _failure(self, index: int, last: bool, sealed: memoryview, into: memoryview) -> DecryptionFailed:
        kid = self._keys[0][0] if self._sure else None
        if last and len(sealed) >= TAG_BYTES and index < MAX_SEGMENTS and self._is_inner(index, sealed, into):
            return Truncated(
                "The end is missing: this segment is genuine, and not the last one.",
                file=self._file,
                segment=index,
                key_id=kid,
            )
        return DecryptionFailed(
            "It was changed or cut off, or encrypted with another aad" + ("." if kid else ", key or segment size."),
            file=self._file,
            segment=index,
            key_id=kid,
        )

    def _is_inner(self, index: int, sealed: memoryview, into: memoryview) -> bool:
        for _, cipher in self._keys:
            try:
                cipher.decrypt_into(index, False, sealed, into)
            except InvalidTag:
                continue
            return True
        return False


def begin_reading(opened: Opened, read: ReadExactly, framing: Framing, file: str | None) -> Reading:
    """Read up to the first segment.

    :raises NotEncrypted: if it does not begin like a stream.
    :raises UnknownKey: if the ring has no key for it.
    """
    if framing.raw:
        header = check_header(read(HEADER_BYTES), file)
        keys = [(key.kid, SegmentCipher(key.secret, header, framing.aad)) for key in opened.stream_keys()]
        return Reading(Layout(framing.segment_size), 0, keys, file, sure=False)
    start = read(preambles.START_BYTES)
    data = start + read(preambles.length_of(start, file) - len(start))
    preamble = preambles.parse(data, file)
    key = opened.stream_key_of(preamble.thumbprint, file)
    cipher = SegmentCipher(key.secret, check_header(read(HEADER_BYTES), file), data + framing.aad)
    return Reading(Layout(preamble.segment_size), len(data), [(key.kid, cipher)], file, sure=True)


def check_count(index: int) -> int:
    """``index``, if a segment can have it.

    :raises InvalidArgument: after 2^32 segments.
    """
    if index < MAX_SEGMENTS:
        return index
    raise InvalidArgument("One stream cannot hold more than 2^32 segments.", hint="Split it into files.")
