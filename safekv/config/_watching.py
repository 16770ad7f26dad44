"""A mapping that follows its secrets: what is due, what has changed, whom to tell. Both colours share this."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NoReturn

from safekv._clock import SYSTEM_RANDOM
from safekv._seconds import positive
from safekv.config._plan import Wanted
from safekv.config._request import Request
from safekv.config._values import Config
from safekv.errors import CredentialNotPicklable, InvalidArgument

logger = logging.getLogger("safekv")

INTERVAL, JITTER = 300.0, 0.2
Changed = Callable[[list[str]], object]


class Watched(Mapping[str, Any]):
    """The present values. Each look at it may see newer ones; ``config.current`` is one state of all of them.

    :ivar last_error: what the last refresh failed with; None if it did not.
    """

    def __init__(self, request: Request, interval: float, intervals: Mapping[str, float] | None, jitter: Any) -> None:
        self._request = request
        self._interval = positive("interval", interval)
        self._own = {key: positive(f"intervals[{key!r}]", each) for key, each in (intervals or {}).items()}
        if not isinstance(jitter, int | float) or not 0 <= jitter < 1:
            raise InvalidArgument(f"jitter={jitter!r} must be from 0 to below 1.", hint="jitter=0.2")
        if self._own and request.selection is not None:
            raise InvalidArgument("intervals= needs names: a list is read at one interval.", hint="interval=60")
        self._jitter = jitter
        self._callbacks: tuple[Changed, ...] = ()
        self._flat: dict[str, Any] = {}
        self._origins: dict[str, Any] = {}
        self._due: dict[str, float] = {}
        self._next = 0.0
        self._first = True
        self.current = Config({})
        self.last_error: Exception | None = None

    def __getitem__(self, key: str) -> Any:
        return self.current[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.current)

    def __len__(self) -> int:
        return len(self.current)

    # It is a thing that goes on, not the values that it has just now; and the background keeps it in a dict.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return repr(self.current).replace("Config", "Watched", 1)

    def __reduce__(self) -> NoReturn:
        raise CredentialNotPicklable("A watched mapping is not pickled.", hint="Watch in the other process.")

    def on_change(self, callback: Changed) -> Callable[[], None]:
        """Have ``callback(keys)`` called after a change, with the keys whose values are others now.

        It is called where the refresh runs, so it has to be quick; what it raises is logged. The answer ends that.
        """
        self._callbacks = (*self._callbacks, callback)

        def end() -> None:
            self._callbacks = tuple(each for each in self._callbacks if each is not callback)

        return end

    def remaining_at(self, now: float) -> float:
        """Seconds until something is due."""
        return self._next - now

    def due(self, wanted: Iterable[Wanted], now: float) -> list[Wanted]:
        """Those whose time has come; their next one begins."""
        chosen = [each for each in wanted if self._due.get(each.key, now) <= now]
        for each in chosen:
            self._due[each.key] = self._later(self._own.get(each.key, self._interval), now)
        self._next = min(self._due.values(), default=now + self._interval)
        return chosen

    def began(self, now: float) -> None:
        """A list is read again after an interval."""
        self._next = self._later(self._interval, now)

    def known(self, wanted: Iterable[Wanted]) -> None:
        """:raises InvalidArgument: for an interval of a key that there is not."""
        keys = {each.key for each in wanted}
        strange = [key for key in self._own if key not in keys]
        if strange:
            raise InvalidArgument(f"intervals has {', '.join(strange)}, which is not watched.", hint="Use its key.")

    def took(self, plan: Any, complete: bool) -> None:
        """Take what was read, all of it at once.

        :raises LoadError: if anything is wrong with it; then nothing has changed.
        """
        plan.check()
        read = plan.values()
        flat = (
            read if complete else {**{key: self._flat[key] for key in self._flat if key not in plan.states()}, **read}
        )
        origins = {**self._origins, **plan.origins()}
        made = self._request.shaped(flat, {key: origins[key] for key in flat if key in origins})
        before, first, self._first = self._flat, self._first, False
        changed = [key for key in {**before, **flat} if before.get(key, self) != flat.get(key, self)]
        self._flat, self._origins, self.current, self.last_error = flat, origins, made, None
        if changed and not first:
            self._tell(changed)

    def failed(self, error: Exception) -> None:
        """A refresh failed: nothing changes, and it is told."""
        self.last_error = error
        keys = ", ".join(getattr(error, "failures", {})) or "all of it"
        logger.warning("Watched secrets were not refreshed, and stay as they are (%s: %s)", type(error).__name__, keys)

    def _later(self, interval: float, now: float) -> float:
        return now + interval * (1.0 - self._jitter * SYSTEM_RANDOM.random())

    def _tell(self, keys: list[str]) -> None:
        for callback in self._callbacks:
            try:
                callback(list(keys))
            except Exception as error:  # noqa: PERF203  (one's trouble is not the next one's)
                logger.warning("A callback of on_change failed (%s)", type(error).__name__)
