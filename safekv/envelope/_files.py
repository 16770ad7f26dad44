"""Whole files: several threads, each with its own segments, into a file that appears when all is well."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from safekv.envelope._errors import SourceChanged
from safekv.envelope._framing import Framing, begin_reading, begin_writing
from safekv.envelope._opened import Opened
from safekv.envelope._positional import BINARY, read_at, write_at
from safekv.envelope._replacing import replacing
from safekv.envelope._segments import HEADER_BYTES, MIB, TAG_BYTES
from safekv.envelope._stream import Progress, decrypt_stream, encrypt_stream
from safekv.errors import InvalidArgument

Path = str | os.PathLike[str]
#: One segment, from the source to its place. Returns the bytes it read.
Work = Callable[[int, memoryview, memoryview], int]

_MOST_THREADS = 4
_WORTH_THREADS = 8 * MIB


def encrypt_file(
    opened: Opened,
    source: Path,
    target: Path,
    framing: Framing,
    *,
    threads: int | None = None,
    fsync: bool = True,
    progress: Progress | None = None,
) -> int:
    """Encrypt one file into another, which is replaced at the end, or not touched. Returns bytes of content.

    :raises SourceChanged: if the file grew or shrank meanwhile.
    """
    with _reading(source) as (fd, size), replacing(target, fsync=fsync) as new:
        if size is None:
            with os.fdopen(os.dup(fd), "rb", buffering=0) as pipe, os.fdopen(os.dup(new.fd), "wb") as file:
                return encrypt_stream(opened, pipe, file, framing, progress)
        writing = begin_writing(opened, framing)
        layout, body = writing.layout, len(writing.start) - HEADER_BYTES
        segments = layout.count(size)
        write_at(new.fd, writing.start, 0)

        def work(index: int, content: memoryview, sealed: memoryview) -> int:
            start = layout.content_start(index)
            wanted = min(layout.room(index), size - start)
            _read_whole(fd, content[:wanted], start, source)
            count = writing.cipher.encrypt_into(index, index == segments - 1, content[:wanted], sealed)
            write_at(new.fd, sealed[:count], body + layout.body_start(index))
            return wanted

        _Crew(work, segments, layout.segment_size, size, progress).run(_threads(threads, size))
        _check_size(fd, size, source)
        return size


def decrypt_file(
    opened: Opened,
    source: Path,
    target: Path,
    framing: Framing,
    *,
    threads: int | None = None,
    fsync: bool = True,
    progress: Progress | None = None,
) -> int:
    """The reverse: the target appears after every byte of it has been found genuine. Returns bytes of content.

    :raises DecryptionFailed: if one is not; the target is as it was then.
    """
    name = os.fsdecode(source)
    with _reading(source) as (fd, size), replacing(target, fsync=fsync) as new:
        if size is None:
            with os.fdopen(os.dup(fd), "rb", buffering=0) as pipe, os.fdopen(os.dup(new.fd), "wb") as file:
                return decrypt_stream(opened, pipe, file, framing, progress, name)
        reading = begin_reading(opened, Cursor(fd).read, framing, name)
        layout, body = reading.layout, reading.body
        content_size = layout.content(size - body, name)
        segments = layout.count(content_size)

        def work(index: int, sealed: memoryview, content: memoryview) -> int:
            start = layout.body_start(index)
            wanted = min(layout.room(index) + TAG_BYTES, size - body - start)
            _read_whole(fd, sealed[:wanted], body + start, source)
            count = reading.decrypt(index, index == segments - 1, sealed[:wanted], content)
            write_at(new.fd, content[:count], layout.content_start(index))
            return wanted

        crew = _Crew(work, segments, layout.segment_size, size, progress)
        crew.one()  # settles which key it is, before there are threads
        crew.run(_threads(threads, size))
        _check_size(fd, size, source)
        return content_size


class Cursor:
    """Reads on from the beginning of a file, by its descriptor."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._offset = 0

    def read(self, count: int) -> bytes:
        """So many bytes, or fewer at the end."""
        data = bytearray(count)
        got = read_at(self._fd, memoryview(data), self._offset)
        self._offset += got
        return bytes(data[:got])


class _Crew:
    """Hands every segment to exactly one thread; the first failure ends the work of all."""

    def __init__(self, work: Work, segments: int, segment_size: int, total: int, progress: Progress | None) -> None:
        self._work = work
        self._segments = segments
        self._segment_size = segment_size
        self._total = total
        self._progress = progress
        self._lock = threading.Lock()
        self._next = 0
        self._done = 0
        self._stopped = False

    def run(self, threads: int) -> None:
        threads = min(threads, self._segments - self._next)
        if threads <= 1:
            self._member()
            return
        with ThreadPoolExecutor(threads - 1, "safekv-file") as pool:
            try:
                others = [pool.submit(self._member) for _ in range(threads - 1)]
                self._member()
            except BaseException:  # a KeyboardInterrupt arrives here
                self._stopped = True
                raise
        for other in others:
            other.result()

    def one(self) -> None:
        """Do the next segment here and now."""
        self._member(most=1)

    def _member(self, most: int | None = None) -> None:
        buffers = memoryview(bytearray(self._segment_size)), memoryview(bytearray(self._segment_size))
        try:
            for index in self._turns(most):
                self._report(self._work(index, *buffers))
        except BaseException:
            self._stopped = True
            raise

    def _turns(self, most: int | None) -> Iterator[int]:
        while not self._stopped and most != 0:
            with self._lock:
                index, self._next = self._next, min(self._next + 1, self._segments)
            if index >= self._segments:
                return
            yield index
            most = None if most is None else most - 1

    def _report(self, count: int) -> None:
        with self._lock:
            self._done += count
            if self._progress:
                self._progress(self._done, self._total)


@contextmanager
def _reading(source: Path) -> Iterator[tuple[int, int | None]]:
    """The open file and its size; None for what has none, or says 0: files of /proc do, and are not empty."""
    fd = os.open(source, os.O_RDONLY | BINARY)
    try:
        about = os.fstat(fd)
        yield fd, (about.st_size or None) if stat.S_ISREG(about.st_mode) else None
    finally:
        os.close(fd)


def _read_whole(fd: int, into: memoryview, offset: int, source: Path) -> None:
    if read_at(fd, into, offset) != len(into):
        raise _changed(source)


def _check_size(fd: int, size: int, source: Path) -> None:
    if os.fstat(fd).st_size != size:
        raise _changed(source)


def _changed(source: Path) -> SourceChanged:
    return SourceChanged(
        f"{os.fsdecode(source)!r} changed its length while it was read.",
        hint="Nothing was written. Copy it first, or stop what writes to it.",
    )


def _threads(given: int | None, size: int) -> int:
    """Two idle cores copy and encrypt faster than one copies; a small file is not worth it."""
    if given is None:
        return min(_MOST_THREADS, _cores()) if size >= _WORTH_THREADS else 1
    if type(given) is not int or not 1 <= given <= 64:
        raise InvalidArgument(f"threads={given!r} must be a whole number from 1 to 64.")
    return given


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
