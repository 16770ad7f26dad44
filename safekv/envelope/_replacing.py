"""Files that appear whole or not at all: written without a name, synced, then put into their place.

Where the system has no files without names (``O_TMPFILE``, of Linux), it has one beside its place while it is written.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from safekv.envelope._positional import BINARY, write_at
from safekv.errors import InvalidArgument

_PRIVATE = 0o600
_UNNAMED = getattr(os, "O_TMPFILE", 0)
_NO_LINKS = tuple(getattr(errno, name, -1) for name in ("EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EMLINK"))


class NewFile:
    """The file that is being written, open for writing at any place."""

    def __init__(
        self, path: str | os.PathLike[str], *, keep_mode: bool = True, fsync: bool = True, replace: bool = True
    ) -> None:
        self._target = Path(os.path.realpath(path))  # through a link, as open() writes
        mode = _mode_of(self._target)
        self._mode = mode if keep_mode else _PRIVATE
        self._fsync = fsync
        self._replace = replace
        self._temporary = self._target.with_name(f".{self._target.name[:100]}.{secrets.token_hex(8)}.tmp")
        self._pid = os.getpid()
        unnamed = _unnamed(self._target.parent)
        self._named = unnamed is None
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | BINARY
        try:
            self.fd = os.open(self._temporary, flags, _PRIVATE) if unnamed is None else unnamed
        except OSError as error:  # under the name that the caller knows
            raise OSError(error.errno, error.strerror, os.fspath(path)) from None

    def write_at(self, data: bytes | memoryview, offset: int) -> None:
        """Write all of ``data`` at that place."""
        write_at(self.fd, data, offset)

    def commit(self) -> None:
        """Give it its name, after all of it has reached the disk."""
        try:
            if hasattr(os, "fchmod"):
                os.fchmod(self.fd, self._mode)
            if self._fsync:
                os.fsync(self.fd)
            if self._replace:
                self._take_the_place()
            else:
                self._appear()
        except BaseException:
            self.discard()
            raise
        if self._fsync:
            _sync_directory(self._target.parent)

    def _take_the_place(self) -> None:
        if not self._named:
            _name(self.fd, self._temporary)  # a link cannot replace a file, but a rename can
            self._named = True
        self._close()
        os.replace(self._temporary, self._target)

    def _appear(self) -> None:
        if not self._named:
            _name(self.fd, self._target)
            self._close()
            return
        self._close()
        if os.name == "nt":
            os.rename(self._temporary, self._target)  # which replaces nothing there
            return
        try:
            os.link(self._temporary, self._target)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            if os.path.lexists(self._target):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(self._target)) from None
            os.replace(self._temporary, self._target)
        else:
            with suppress(OSError):
                self._temporary.unlink()

    def discard(self) -> None:
        """Leave nothing of it."""
        self._close()
        if self._named and os.getpid() == self._pid:  # a forked child must leave its parent's alone
            with suppress(OSError):
                self._temporary.unlink()

    def _close(self) -> None:
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)


@contextmanager
def replacing(
    path: str | os.PathLike[str], *, keep_mode: bool = True, fsync: bool = True, replace: bool = True
) -> Iterator[NewFile]:
    """A new file for ``path``, committed if the body ends well, and gone if it does not.

    :param keep_mode: give it the permissions of the file that it replaces; a new one is for its owner only.
    :param replace: False: a file that is there by then stays as it is.
    :raises FileExistsError: then.
    """
    file = NewFile(path, keep_mode=keep_mode, fsync=fsync, replace=replace)
    try:
        yield file
    except BaseException:
        file.discard()
        raise
    file.commit()


def _unnamed(directory: Path) -> int | None:
    """A new file that is gone when its process is, however it ends; None where there is no such thing."""
    if not _UNNAMED:
        return None
    try:
        fd = os.open(directory, _UNNAMED | os.O_RDWR, _PRIVATE)
    except OSError:  # this file system has none; or no file can be made here, which the other way will say
        return None
    if os.path.exists(_path_of(fd)):
        return fd
    os.close(fd)  # without /proc it could not be given a name
    return None


def _path_of(fd: int) -> str:
    return f"/proc/self/fd/{fd}"


def _name(fd: int, path: Path) -> None:
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        # With dst_dir_fd Python calls linkat(), which alone follows the link in /proc.
        os.link(_path_of(fd), path.name, dst_dir_fd=directory, follow_symlinks=True)
    finally:
        os.close(directory)


def _mode_of(target: Path) -> int:
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return _PRIVATE
    if not stat.S_ISREG(mode):  # a file would take the place of /dev/null
        raise InvalidArgument(
            f"{os.fspath(target)!r} exists and is not a regular file, so it cannot be replaced by one.",
            hint="For pipes and devices there are encrypt_stream() and decrypt_stream() (-o -).",
        )
    return stat.S_IMODE(mode)


def _sync_directory(directory: Path) -> None:
    """Make the rename itself durable, where a directory can be opened."""
    with suppress(OSError):
        fd = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
