"""Which work may wait: what this thread or task does inside ``with safekv.bulk():``."""

from __future__ import annotations

from contextlib import suppress
from contextvars import ContextVar, Token

_BULK: ContextVar[bool] = ContextVar("safekv_bulk", default=False)


class bulk:
    """Mark vault calls as bulk work, in this thread or task: interactive calls go first.

    Bulk work keeps at least a tenth of the rate, and its calls have ``bulk_timeout`` (300 s)
    instead of ``timeout`` unless they are given one. Tasks inherit the mark from the task that
    makes them; threads do not.

    >>> with bulk():
    ...     is_bulk()
    True
    >>> is_bulk()
    False
    """

    def __init__(self) -> None:
        self._tokens: list[Token[bool]] = []

    def __enter__(self) -> bulk:
        self._tokens.append(_BULK.set(True))
        return self

    def __exit__(self, *details: object) -> None:
        with suppress(ValueError):  # a coroutine that is closed in another context leaves no mark there
            _BULK.reset(self._tokens.pop())


def is_bulk() -> bool:
    """Whether this thread or task does bulk work now."""
    return _BULK.get()
