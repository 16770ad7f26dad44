"""Streams that come and go in one direction: pipes, sockets, downloads. One thread, two segments of memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from safekv.envelope._framing import Framing, begin_reading, begin_writing, check_count
from safekv.envelope._opened import Opened
from safekv.envelope._segments import TAG_BYTES
from safekv.errors import InvalidArgument

#: Called after each segment with the bytes read so far, and all there are if that is known.
Progress = Callable[[int, "int | None"], object]


def encrypt_stream(opened: Opened, source: Any, sink: Any, framing: Framing, progress: Progress | None = None) -> int:
    """Encrypt what ``source.read`` gives until it is empty, into ``sink.write``. Returns bytes of content."""
    read, write = reader_of(source), writer_of(sink)
    writing = begin_writing(opened, framing)
    write(memoryview(writing.start))
    size = framing.segment_size
    current, ahead, sealed = (memoryview(bytearray(size)) for _ in range(3))
    index = done = 0
    have = read(current[: writing.layout.room(0)])
    while True:
        full = have == writing.layout.room(index)
        more = read(ahead[: writing.layout.room(index + 1)]) if full else 0
        write(sealed[: writing.cipher.encrypt_into(check_count(index), not more, current[:have], sealed)])
        done += have
        if progress:
            progress(done, None)
        if not more:
            return done
        index, have, current, ahead = index + 1, more, ahead, current


def decrypt_stream(
    opened: Opened,
    source: Any,
    sink: Any,
    framing: Framing,
    progress: Progress | None = None,
    file: str | None = None,
) -> int:
    """The reverse. Every byte in ``sink`` is genuine and in its place; that it is all is known when this returns.

    :raises DecryptionFailed: at the first segment that is not.
    """
    read, write = reader_of(source), writer_of(sink)
    reading = begin_reading(opened, lambda count: _exactly(read, count), framing, file)
    size = reading.layout.segment_size
    current, ahead, content = (memoryview(bytearray(size)) for _ in range(3))
    index = done = 0
    have = read(current[: reading.layout.room(0) + TAG_BYTES])
    while True:
        full = have == reading.layout.room(index) + TAG_BYTES
        more = read(ahead) if full else 0
        count = reading.decrypt(index, not more, current[:have], content)
        write(content[:count])
        done += count
        if progress:
            progress(done, None)
        if not more:
            return done
        index, have, current, ahead = index + 1, more, ahead, current


def _exactly(read: Callable[[memoryview], int], count: int) -> bytes:
    data = bytearray(count)
    return bytes(data[: read(memoryview(data))])


def reader_of(source: Any) -> Callable[[memoryview], int]:
    """What fills a buffer from ``source``, with fewer bytes only at the end.

    :raises InvalidArgument: if ``source`` cannot be read, or gives text.
    """
    readinto, read = getattr(source, "readinto", None), getattr(source, "read", None)
    if not callable(read) and not callable(readinto):
        raise InvalidArgument(f"source must be a binary file or have read(); {type(source).__name__} has not.")

    def once(into: memoryview) -> int:
        if callable(readinto):
            count: int | None = readinto(into)
            if count is None:
                raise BlockingIOError("source is non-blocking and has nothing yet")
            return count
        assert callable(read)
        data = read(len(into))
        if data is None:
            raise BlockingIOError("source is non-blocking and has nothing yet")
        if not isinstance(data, (bytes, bytearray, memoryview)) or len(data) > len(into):
            raise InvalidArgument(f"source.read(n) must give at most n bytes; it gave {type(data).__name__}.")
        into[: len(data)] = data
        return len(data)

    def fill(into: memoryview) -> int:
        done = 0
        while done < len(into) and (count := once(into[done:])):
            done += count
        return done

    return fill


def writer_of(sink: Any) -> Callable[[memoryview], None]:
    """What writes all of a buffer to ``sink``, which must be done with it when its ``write`` returns.

    :raises InvalidArgument: if ``sink`` cannot be written.
    """
    write = getattr(sink, "write", None)
    if not callable(write):
        raise InvalidArgument(f"sink must be a binary file or have write(); {type(sink).__name__} has not.")

    def write_all(data: memoryview) -> None:
        while data:
            count = write(data)
            if count is None:  # many things that have write() say nothing
                if hasattr(sink, "readable"):
                    raise BlockingIOError("sink is non-blocking and full")
                return
            data = data[count:]

    return write_all
