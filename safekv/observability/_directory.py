"""Where processes of one user publish their numbers, and where ``safekv top`` finds them: a directory of that user's.

``<directory>/<pid>.json``, which only this user can read. A directory that another user could
write to is refused: what is in it could be anybody's.
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from safekv._files import replaced
from safekv.errors import InvalidArgument

#: Seconds after which numbers that nobody renewed are those of a process that is gone.
STALE = 15.0
#: A process publishes some kilobytes; what is longer is no such file.
_LONGEST = 4 << 20
_FIELDS = {"began": float, "time": float, "counts": dict, "now": dict}


def default_directory() -> Path:
    """``safekv`` in the user's runtime directory, or one with the user's number beside other temporary files."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.path.isdir(runtime):
        return Path(runtime) / "safekv"
    user = f"-{os.getuid()}" if hasattr(os, "getuid") else ""
    return Path(tempfile.gettempdir()) / f"safekv{user}"


def private(directory: Path, *, make: bool = False) -> Path:
    """``directory``, if it is this user's alone.

    :param make: make it where there is none.
    :raises InvalidArgument: if it is not, or cannot be made.
    """
    if make:
        try:
            directory.mkdir(mode=0o700, parents=True)
        except FileExistsError:
            pass
        except OSError as error:
            raise InvalidArgument(f"{os.fspath(directory)!r} cannot be made: {error.strerror}.", hint=_HINT) from None
    about = directory.lstat()
    if not stat.S_ISDIR(about.st_mode):
        raise InvalidArgument(f"{os.fspath(directory)!r} is no directory.", hint=_HINT)
    if hasattr(os, "getuid") and (about.st_uid != os.getuid() or about.st_mode & 0o022):
        raise InvalidArgument(f"Other users may write to {os.fspath(directory)!r}.", hint=_HINT)
    return directory


def write(path: Path, document: dict[str, Any]) -> None:
    """Put ``document`` in place of what is there, for its owner only; a reader sees the one or the other."""
    with replaced(path, fsync=False) as file:
        file.write(json.dumps(document).encode("ascii"))


def read(directory: Path) -> dict[int, dict[str, Any]]:
    """What each process has published that is still there, by its pid.

    :raises InvalidArgument: if the directory is not this user's alone.
    """
    if not directory.exists():
        return {}
    found = {}
    for path in sorted(private(directory).glob("[0-9]*.json")):
        document = _document(path)
        if document is not None and abs(time.time() - document["time"]) < STALE:  # the clock may have been set back
            found[int(path.stem)] = document
    return found


def sweep(directory: Path) -> None:
    """Remove what processes have left behind that were killed."""
    for path in [*directory.glob("[0-9]*.json"), *directory.glob(".[0-9]*.json.*.tmp")]:
        with suppress(OSError):
            if abs(time.time() - path.stat().st_mtime) > 4 * STALE:
                path.unlink()


def _document(path: Path) -> dict[str, Any] | None:
    with suppress(OSError, ValueError, RecursionError):
        with path.open("rb") as file:
            document = json.loads(file.read(_LONGEST))
        if path.stem.isdigit() and isinstance(document, dict):
            kinds = {name: type(document.get(name)) for name in _FIELDS}
            return document if kinds == _FIELDS else None
    return None


_HINT = "Give a directory that nobody else can write to, or none: then there is one in XDG_RUNTIME_DIR or /tmp."
