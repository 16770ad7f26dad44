"""What was loaded, kept encrypted in a file, for a start while the vault cannot be reached."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from safekv._files import replaced
from safekv.config._plan import Plan
from safekv.config._request import positive
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
    a vault refuses (401, 403, 404) is never taken from it. There is no way to have it unencrypted. Give each call a
    path of its own: the file has what the last one read.

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

    def apply(self, plan: Plan, now: float) -> None:
        """Keep what was read, or let what was kept stand in. ``now``: seconds since 1970."""
        if plan.complete():
            self._save(plan.read(), now)
        elif plan.unreachable():
            kept = self._load(now)
            if kept:
                plan.restore(kept)

    def _save(self, values: Mapping[str, str | None], now: float) -> None:
        if not values:
            return
        try:
            token = self._box.encrypt(json.dumps({"saved": now, "values": values}).encode(), _AAD)
            with replaced(self._path) as file:
                file.write(token)
        except Exception as error:  # the values are loaded; that matters more
            logger.warning("The snapshot %s was not written (%s)", self._path, type(error).__name__)

    def _load(self, now: float) -> dict[str, str | None]:
        try:
            read = json.loads(self._box.decrypt(self._path.read_bytes(), _AAD))
            age, values = now - read["saved"], dict(read["values"])
        except Exception as error:  # whatever it is, the error of the vault is the one to raise
            logger.warning("The snapshot %s cannot stand in (%s)", self._path, type(error).__name__)
            return {}
        if not -_SKEW <= age <= self._max_age:
            logger.warning("The snapshot %s cannot stand in: it is %.0f s old", self._path, age)
            return {}
        logger.warning("The snapshot %s stands in; it is %.0f s old", self._path, age)
        return values
