"""One writer of a file at a time: who comes meanwhile waits, for so long and no longer.

The lock is the system's, on a file beside the target (``.name.lock``), so it ends with its process, however that ends.
Who held it removes the file; one that a killed process left locks nothing. It is a file of its own because the target
is replaced, and not the directory because others lock directories, for as long as a command of theirs runs.

Where there are no such locks (some network file systems), a file that only one can make is the lock (``.name.saving``).
After a kill that one has to be removed by hand, which the error says: no write is lost for the sake of not waiting.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from safekv._fork import on_fork
from safekv.envelope._errors import RingUnavailable
from safekv.envelope._positional import BINARY

#: Writing takes as long as the disk needs for a few kilobytes.
LONGEST_WAIT = 10.0
_PAUSE = 0.02
_HELD_BY_ANOTHER = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
_NO_LOCKS = tuple(getattr(errno, name, -1) for name in ("ENOLCK", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EINVAL"))
_PRIVATE = 0o600

if sys.platform == "win32":
    import msvcrt

    def _lock(fd: int) -> None:
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)

    def _unlock(fd: int) -> None:
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)

else:
    try:
        import fcntl
    except ImportError:  # WebAssembly

        def _lock(fd: int) -> None:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

        def _unlock(fd: int) -> None:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    else:

        def _lock(fd: int) -> None:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

        def _unlock(fd: int) -> None:
            fcntl.flock(fd, fcntl.LOCK_UN)


@contextmanager
def one_writer(path: str | os.PathLike[str], seconds: float = LONGEST_WAIT) -> Iterator[None]:
    """Be the only one, of all threads and processes that ask, to write ``path``.

    :raises RingUnavailable: (transient) if others were for ``seconds``.
    :raises OSError: if nothing can be written there.
    """
    lock = _waited_for(path, seconds)
    try:
        yield
    finally:
        lock.release()


class _SystemLock:
    """A lock on a file that is there for nothing else."""

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(f".{target.name[:100]}.lock")
        self._fd = -1

    def take(self) -> bool:
        """Whether it is ours now.

        :raises OSError: with one of ``_NO_LOCKS`` if this file system has no locks.
        """
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | BINARY, _PRIVATE)
        on_fork(self)
        try:
            _lock(self._fd)
        except OSError as error:
            self._close()
            if error.errno in _HELD_BY_ANOTHER:
                return False
            if error.errno in _NO_LOCKS:
                _remove(self.path)
            raise
        if self._removed():  # by who had it before: the next one locks a new file
            self._close()
            return False
        return True

    def release(self) -> None:
        if sys.platform == "win32":  # an open file cannot be removed: not by us, nor under others
            _unlock(self._fd)
            self._close()
            _remove(self.path)
        else:
            _remove(self.path)  # while it is ours, so that it is nobody else's
            with suppress(OSError):
                _unlock(self._fd)  # not only for us: a child that was forked meanwhile has it as well
            self._close()

    def after_fork(self) -> None:
        self._close()

    def _removed(self) -> bool:
        try:
            now = os.open(self.path, os.O_RDONLY | BINARY)  # NFS may answer stat() from memory; opening asks the server
        except OSError:
            return True
        try:
            return not os.path.sameopenfile(self._fd, now)
        finally:
            os.close(now)

    def _close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


class _FileLock:
    """A file that only one can make."""

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(f".{target.name[:100]}.saving")

    def take(self) -> bool:
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | BINARY, _PRIVATE))
        except FileExistsError:
            return False
        return True

    def release(self) -> None:
        _remove(self.path)


def _waited_for(path: str | os.PathLike[str], seconds: float) -> _SystemLock | _FileLock:
    target = Path(os.path.realpath(path))  # through a link, as the file is written
    lock: _SystemLock | _FileLock = _SystemLock(target)
    ends = time.monotonic() + seconds
    while True:
        try:
            if lock.take():
                return lock
        except OSError as error:
            if isinstance(lock, _FileLock) or error.errno not in _NO_LOCKS:
                raise OSError(error.errno, error.strerror, os.fspath(path)) from None  # the name that the caller knows
            lock = _FileLock(target)
            continue
        if time.monotonic() >= ends:
            raise _busy(path, lock, seconds)
        time.sleep(_PAUSE)


def _busy(path: str | os.PathLike[str], lock: _SystemLock | _FileLock, seconds: float) -> RingUnavailable:
    left = f" If no process is saving it, one was killed: remove {str(lock.path)!r}."
    return RingUnavailable(
        f"Others have been saving {os.fspath(path)!r} for {seconds:g} s; nothing was written.",
        hint="Try again." + (left if isinstance(lock, _FileLock) else ""),
        transient=True,
    )


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
