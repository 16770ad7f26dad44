"""What was loaded, kept encrypted in a file, for a start while the vault cannot be reached."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from safekv._files import replaced
from safekv._seconds import positive
from safekv.config._plan import Plan
from safekv.errors import InvalidArgument

logger = logging.getLogger("safekv")

_AAD = b"safekv.config.snapshot.v1"
#: Seconds that a snapshot may be from the future, by another machine's clock.
_SKEW = 300.0


class Box(Protocol):
    """What encrypts: a ``safekv.envelope.Encryptor``."""

    def encrypt(self, data: bytes, aad: bytes = ..., /) -> bytes: ...

    def decrypt(self, token: bytes, aad: bytes = ..., /) -> bytes: ...


class Snapshot:
    """A file that stands in for vaults while they cannot be reached, for as long as ``max_age``.

    It is written after each load that read everything, in one step, encrypted, and readable by its owner alone. What
    a vault refuses (401, 403, 404) is never taken from it, and is removed from it. There is no way to have it
    unencrypted. Give each call a path of its own: the file has what the last one read. It serves one identity, that of
    its first call; in another process, whoever opens the ring reads the file.

    :param path: of the file.
    :param box: a ``safekv.envelope.Encryptor``. Its ring has to open without the vault that this stands in for: wrap
        it by a key in another vault too.
    :param max_age: seconds after which it does not stand in any more.
    """

    def __init__(self, path: str | os.PathLike[str], box: Box, *, max_age: float = 86_400.0) -> None:
        if not (hasattr(box, "encrypt") and hasattr(box, "decrypt")):
            raise InvalidArgument(
                f"A snapshot is encrypted, and {type(box).__name__} does not encrypt.",
                hint="Snapshot('config.skv', Encryptor(ring))",
            )
        self._path, self._box = Path(path), box
        self._max_age = positive("max_age", max_age)

    def __repr__(self) -> str:
        return f"<safekv.Snapshot {self._path}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Without the credential that it serves, which may be a secret."""
        return partial(type(self), max_age=self._max_age), (self._path, self._box)

    def bind(self, credential: Any) -> None:
        """Serve this credential's identity alone, from now on.

        :raises InvalidArgument: if it serves another.
        """
        bound = self.__dict__.setdefault("_credential", credential)  # in one step: the first one
        if bound is not credential and (_made_of(bound) is None or _made_of(bound) != _made_of(credential)):
            raise InvalidArgument(
                f"{self!r} is in use with another credential: it has what that identity may read.",
                hint="Give each identity a Snapshot with a path of its own. If it is the same identity, use one "
                "credential object; safekv.identity has the same for the same arguments.",
            )

    def apply(self, plan: Plan, now: float) -> None:
        """Keep what was read, or let what was kept stand in. ``now``: seconds since 1970."""
        if plan.complete():
            self._save(plan.read(), now)
            return
        gone = plan.gone()
        if gone:
            self._correct(gone)
        if plan.unreachable():
            kept = self._load(now)
            if kept:
                plan.restore(kept)

    def _save(self, values: Mapping[str, str | None], now: float) -> None:
        if not values:
            return
        try:
            self._write(values, now)
        except Exception as error:  # the values are loaded; that matters more
            logger.warning("The snapshot %s was not written (%s)", self._path, type(error).__name__)

    def _correct(self, gone: Mapping[str, bool]) -> None:
        """Forget what vaults have refused, as the cache does: it must not come back while they are away."""
        try:
            saved, values = self._read()
            left = {each: None if each in gone else text for each, text in values.items() if not gone.get(each)}
            if left != values:
                self._write(left, saved)
        except FileNotFoundError:
            return
        except Exception as error:
            logger.warning("The snapshot %s could not be corrected (%s)", self._path, type(error).__name__)
            if any(gone.values()):
                with suppress(OSError):
                    self._path.unlink()

    def _write(self, values: Mapping[str, str | None], saved: float) -> None:
        token = self._box.encrypt(json.dumps({"saved": saved, "values": values}).encode(), _AAD)
        with replaced(self._path) as file:
            file.write(token)

    def _read(self) -> tuple[float, dict[str, str | None]]:
        """When it was saved, and what."""
        read = json.loads(self._box.decrypt(self._path.read_bytes(), _AAD))
        return read["saved"], dict(read["values"])

    def _load(self, now: float) -> dict[str, str | None]:
        try:
            saved, values = self._read()
            age = now - saved
        except Exception as error:  # whatever it is, the error of the vault is the one to raise
            logger.warning("The snapshot %s cannot stand in (%s)", self._path, type(error).__name__)
            return {}
        if not -_SKEW <= age <= self._max_age:
            logger.warning("The snapshot %s cannot stand in: it is %.0f s old", self._path, age)
            return {}
        logger.warning("The snapshot %s stands in; it is %.0f s old", self._path, age)
        return values


def _made_of(credential: Any) -> tuple[Any, ...] | None:
    """What one of ``safekv.identity`` was made of: the same arguments are the same identity, in both colours."""
    key = getattr(credential, "_key", None) if type(credential).__module__.startswith("safekv.identity") else None
    return (key[0].__name__, *key[1:]) if isinstance(key, tuple) else None
