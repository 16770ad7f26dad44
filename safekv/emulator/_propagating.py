"""A value whose changes take their time to reach those who decide by it."""

from __future__ import annotations

from typing import Generic, TypeVar

_T = TypeVar("_T")
_MOST = 1_000  # changes that are under way; of more the oldest are taken for done


class Propagating(Generic[_T]):
    """``current`` is what was set last; ``effective`` what has arrived by now.

    :param delay: seconds from a change until it counts.
    """

    def __init__(self, value: _T, delay: float) -> None:
        self.delay = delay
        self._changes: list[tuple[float, _T]] = [(float("-inf"), value)]

    @property
    def current(self) -> _T:
        return self._changes[-1][1]

    def set(self, value: _T, now: float) -> None:
        self._forget(now)
        self._changes.append((now + self.delay, value))

    def begin_with(self, value: _T) -> None:
        """Set it as if it had always been so."""
        self._changes = [(float("-inf"), value)]

    def effective(self, now: float) -> _T:
        self._forget(now)
        return self._changes[0][1]

    def _forget(self, now: float) -> None:
        """Leave what counts now, and what is still to come."""
        arrived = sum(since <= now for since, _ in self._changes)
        del self._changes[: max(arrived - 1, len(self._changes) - _MOST, 0)]
