"""Streams that come and go in one direction: pipes, sockets, downloads. One thread, three segments of memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from safekv.envelope._framing import Framing, begin_reading, begin_writing, check_count
from safekv.envelope._opened import Opened
from safekv.envelope._records import BYTES
from safekv.envelope._segments import TAG_BYTES
from safekv.errors import InvalidArgument

#: Called after each segment with the bytes read so far, and all there are if that is known.
Progress = Callable[[int, "int | None"], object]


#: Gives the next bytes, so many or fewer at the end. They stay as they are until it is called twice more.
Take = Callable[[int], memoryview]


def encrypt_stream(opened: Opened, source: Any, sink: Any, framing: Framing, progress: Progress | None = None) -> int:
    """Encrypt what ``source`` is or gives until it is empty, into ``sink.write``. Returns bytes of content."""
    take, write = taker_of(source), writer_of(sink)
    writing = begin_writing(opened, framing)
    write(memoryview(writing.start))
    sealed = memoryview(bytearray(framing.segment_size))
    index = done = 0
    current = take(writing.layout.room(0))
    while True:
        full = len(current) == writing.layout.room(index)
        ahead = take(writing.layout.room(index + 1)) if full else _NOTHING
        write(sealed[: writing.cipher.encrypt_into(check_count(index), not ahead, current, sealed)])
        done += len(current)
        if progress:
            progress(done, None)
        if not ahead:
            return done
        index, current = index + 1, ahead


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
    take, write = taker_of(source), writer_of(sink)
    reading = begin_reading(opened, lambda count: bytes(take(count)), framing, file)
    content = memoryview(bytearray(reading.layout.segment_size))
    index = done = 0
    current = take(reading.layout.room(0) + TAG_BYTES)
    while True:
        full = len(current) == reading.layout.room(index) + TAG_BYTES
        ahead = take(reading.layout.segment_size) if full else _NOTHING
        count = reading.decrypt(index, not ahead, current, content)
        write(content[:count])
        done += count
        if progress:
            progress(done, None)
        if not ahead:
            return done
        index, current = index + 1, ahead


_NOTHING = memoryview(b"")


def taker_of(source: Any) -> Take:
    """What gives the bytes of ``source``, a binary file or bytes.

    :raises InvalidArgument: if ``source`` cannot be read, or gives text.
    """
    if isinstance(source, BYTES):
        return _from_memory(memoryview(source).cast("B"))
    once = _reader_of(source)
    buffers = [_NOTHING, _NOTHING]  # in turn: one has what is being worked on

    def take(count: int) -> memoryview:
        buffers.reverse()
        if len(buffers[0]) < count:
            buffers[0] = memoryview(bytearray(count))
        into, done = buffers[0], 0
        while done < count and (more := once(into[done:count])):
            done += more
        return into[:done]

    return take


def _from_memory(data: memoryview) -> Take:
    place = 0

    def take(count: int) -> memoryview:
        nonlocal place
        place += count
        return data[place - count : place]

    return take


def _reader_of(source: Any) -> Callable[[memoryview], int]:
    readinto, read = getattr(source, "readinto", None), getattr(source, "read", None)
    if not callable(read) and not callable(readinto):
        raise InvalidArgument(f"source must be bytes, a binary file or have read(); {type(source).__name__} has not.")

    def once(into: memoryview) -> int:
        data = readinto(into) if callable(readinto) else read(len(into))  # type: ignore[misc]
        if data is None:
            raise BlockingIOError("source is non-blocking and has nothing yet")
        if isinstance(data, int):
            return data
        if not isinstance(data, BYTES) or len(data) > len(into):
            raise InvalidArgument(f"source.read(n) must give at most n bytes; it gave {type(data).__name__}.")
        into[: len(data)] = data
        return len(data)

    return once


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
