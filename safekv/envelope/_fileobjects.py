"""``open()`` for encrypted files: a writer that leaves nothing when it fails, and a reader that can seek."""

from __future__ import annotations

import io
import os
import threading
from typing import Any

from safekv._fork import on_fork
from safekv.envelope._errors import SourceChanged
from safekv.envelope._files import Cursor
from safekv.envelope._framing import Framing, begin_reading, begin_writing, check_count
from safekv.envelope._opened import Opened
from safekv.envelope._positional import BINARY, read_at
from safekv.envelope._records import not_bytes
from safekv.envelope._replacing import NewFile
from safekv.envelope._segments import TAG_BYTES
from safekv.envelope._tally import DECRYPTED, ENCRYPTED


class EncryptedWriter(io.BufferedIOBase):
    """Encrypts what is written to it. The file appears at ``close()``, or at the end of a ``with`` that ends well.

    Leaving ``with`` by an error, and being forgotten without ``close()``, leave no file. ``flush()`` does nothing:
    a segment is encrypted once, when it is full.
    """

    def __init__(self, opened: Opened, path: str | os.PathLike[str], framing: Framing, *, fsync: bool = True) -> None:
        super().__init__()
        self._writing = begin_writing(opened, framing)
        self._buffer = memoryview(bytearray(framing.segment_size))
        self._sealed = memoryview(bytearray(framing.segment_size))
        self.after_fork()
        on_fork(self)
        self._filled = self._index = self._position = 0
        self._file: NewFile | None = NewFile(path, fsync=fsync)
        self.name = os.fspath(path)
        self.mode = "wb"
        self._file.write_at(self._writing.start, 0)
        self._offset = len(self._writing.start)

    def after_fork(self) -> None:
        """The parent's thread that had the lock is none of the child, which can only discard: its cipher refuses."""
        self._lock = threading.Lock()  # two threads must never encrypt under one nonce

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        """Bytes written so far."""
        return self._position

    def write(self, data: Any, /) -> int:
        """Take all of ``data``, a bytes-like object."""
        try:
            view = memoryview(data).cast("B")
        except TypeError:
            raise not_bytes(data) from None
        with self._lock:
            file = self._open_file()
            try:
                self._take(file, view)
            except BaseException:
                self._discard()  # what was half taken cannot be taken again
                raise
            self._position += len(view)
        return len(view)

    def close(self) -> None:
        """Encrypt what is left and put the file in its place. Closing again does nothing."""
        with self._lock:
            file, self._file = self._file, None
            if file is not None:
                try:
                    self._emit(file, self._buffer[: self._filled], last=True)
                except BaseException:
                    file.discard()
                    raise
                file.commit()
                ENCRYPTED.add(self._position)
        super().close()

    def discard(self) -> None:
        """Leave no file."""
        with self._lock:
            self._discard()
        super().close()

    def __exit__(self, kind: Any, *_: object) -> None:
        self.close() if kind is None else self.discard()

    def __del__(self) -> None:
        # The base class would close, and so make a file of something that nobody finished.
        if getattr(self, "_file", None) is not None:
            self.discard()

    def __reduce__(self) -> Any:
        raise TypeError("a file that is being written does not pickle")

    def _open_file(self) -> NewFile:
        if self._file is None:
            raise ValueError("write to closed file")
        return self._file

    def _discard(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.discard()

    def _take(self, file: NewFile, view: memoryview) -> None:
        while view:
            room = self._writing.layout.room(self._index)
            if self._filled == room:  # something follows it, so it is not the last
                self._emit(file, self._buffer[:room], last=False)
                self._filled = 0
            elif self._filled == 0 and len(view) > room:
                self._emit(file, view[:room], last=False)
                view = view[room:]
            else:
                count = min(len(view), room - self._filled)
                self._buffer[self._filled : self._filled + count] = view[:count]
                self._filled += count
                view = view[count:]

    def _emit(self, file: NewFile, content: memoryview, *, last: bool) -> None:
        index = check_count(self._index)
        self._index += 1  # before anything can fail: a nonce is used once
        size = self._writing.cipher.encrypt_into(index, last, content, self._sealed)
        file.write_at(self._sealed[:size], self._offset)
        self._offset += size


class EncryptedReader(io.RawIOBase):
    """Decrypts a file wherever it is read. Opening it proves that its end is there; each read proves what it gives."""

    def __init__(self, opened: Opened, path: str | os.PathLike[str], framing: Framing) -> None:
        super().__init__()
        self.name = os.fsdecode(path)
        self.mode = "rb"
        self._position = 0
        self._decrypted = 0  # bytes
        self._held = -1  # number of the segment in _content
        self._lock = threading.Lock()
        self._fd = os.open(path, os.O_RDONLY | BINARY)
        try:
            self._body_size = os.fstat(self._fd).st_size
            self._reading = begin_reading(opened, Cursor(self._fd).read, framing, self.name)
            self._body_size -= self._reading.body
            self.size = self._reading.layout.content(self._body_size, self.name)
            self._last = self._reading.layout.count(self.size) - 1
            self._sealed = memoryview(bytearray(self._reading.layout.segment_size))
            self._content = memoryview(bytearray(self._reading.layout.segment_size))
            self._hold(self._last)
        except BaseException:
            self.close()
            raise

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def fileno(self) -> int:
        raise io.UnsupportedOperation("the file's descriptor gives what is encrypted")

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError(f"cannot seek to {base + offset}, before the beginning")
        self._position = base + offset
        return self._position

    def readinto(self, into: Any, /) -> int:
        self._checkClosed()
        view = memoryview(into).cast("B")
        with self._lock:
            if self._position >= self.size or not view:
                return 0
            layout = self._reading.layout
            index = layout.index_at(self._position)
            self._hold(index)
            start = self._position - layout.content_start(index)
            count = min(len(view), layout.room(index) - start, self.size - self._position)
            view[:count] = self._content[start : start + count]
            self._position += count
            return count

    def close(self) -> None:
        fd, self._fd = getattr(self, "_fd", -1), -1
        if fd >= 0:
            os.close(fd)
            DECRYPTED.add(self._decrypted)
        self._content, self._held = memoryview(b""), -1
        super().close()

    def __reduce__(self) -> Any:
        raise TypeError("an open file does not pickle")

    def _hold(self, index: int) -> None:
        """Have segment ``index`` decrypted."""
        if index == self._held:
            return
        self._held = -1
        layout = self._reading.layout
        start = layout.body_start(index)
        wanted = min(layout.room(index) + TAG_BYTES, self._body_size - start)
        if read_at(self._fd, self._sealed[:wanted], self._reading.body + start) != wanted:
            raise SourceChanged(f"{self.name!r} became shorter while it was read.")
        size = self._reading.decrypt(index, index == self._last, self._sealed[:wanted], self._content)
        self._decrypted += size
        self._held = index
