"""Files that are replaced whole: whoever reads one sees the old file or the new one, never half of one."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

PRIVATE = 0o600
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


@contextmanager
def replaced(path: str | os.PathLike[str], *, mode: int = PRIVATE, fsync: bool = True) -> Iterator[BinaryIO]:
    """A new file that takes the place of ``path``, through a link, if the block ends well, and is gone if it does not.

    :param mode: its permissions at the end; while it is written, it is for its owner only.
    :param fsync: wait until the disk has it.
    :raises OSError: if that cannot be done; then the file is as it was.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(8)}.tmp")
    try:
        descriptor = os.open(temporary, _FLAGS, PRIVATE)
    except OSError as error:  # under the name that the caller knows
        raise OSError(error.errno, error.strerror, os.fspath(path)) from None
    try:
        with open(descriptor, "wb") as file:
            yield file
            file.flush()
            if fsync:
                os.fsync(file.fileno())
        if mode != PRIVATE:
            os.chmod(temporary, mode)
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def mode_of(path: str | os.PathLike[str]) -> int:
    """The permissions of the file, or those that a new one would have."""
    try:
        return stat.S_IMODE(os.stat(path).st_mode)
    except FileNotFoundError:
        mask = os.umask(0o022)
        os.umask(mask)
        return 0o666 & ~mask
