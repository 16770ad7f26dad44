"""Reading and writing at a place in a file, by several threads at once."""

from __future__ import annotations

import os
import threading

BINARY: int = getattr(os, "O_BINARY", 0)  # Windows would translate line ends

_seeking = threading.Lock()


def read_at(fd: int, into: memoryview, offset: int) -> int:
    """Fill ``into`` from there; fewer bytes only at the end of the file. Returns how many."""
    done = 0
    while done < len(into):
        count = _read(fd, into[done:], offset + done)
        if count == 0:
            break
        done += count
    return done


def write_at(fd: int, data: bytes | memoryview, offset: int) -> None:
    """Write all of ``data`` there."""
    view = memoryview(data)
    while view:
        count = _write(fd, view, offset)
        view = view[count:]
        offset += count


def _read(fd: int, into: memoryview, offset: int) -> int:
    if hasattr(os, "preadv"):
        return os.preadv(fd, [into], offset)
    if hasattr(os, "pread"):
        data = os.pread(fd, len(into), offset)
    else:
        with _seeking:
            os.lseek(fd, offset, os.SEEK_SET)
            data = os.read(fd, len(into))
    into[: len(data)] = data
    return len(data)


def _write(fd: int, data: memoryview, offset: int) -> int:
    if hasattr(os, "pwrite"):
        return os.pwrite(fd, data, offset)
    with _seeking:
        os.lseek(fd, offset, os.SEEK_SET)
        return os.write(fd, data)
