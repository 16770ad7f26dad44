"""A cache on a clock that stands still, and a vault that is a dictionary."""

from __future__ import annotations

from typing import Any

from safekv._cache_settings import CacheSettings
from safekv._clock import VirtualClock
from safekv.cache._cache import Cache, Do, Step
from safekv.cache._entry import Key, Reading
from safekv.cache._events import CacheEvent
from safekv.cache._singleflight import Flight

KEY = Key("name")
TIMEOUT = 30.0


class Chance:
    """Always the same."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def random(self) -> float:
        return self.value


class Desk:
    """A cache, and the events that it told. The value of version ``v`` is ``"value of v"``."""

    def __init__(self, chance: float = 0.0, **settings: Any) -> None:
        self.clock = VirtualClock(0.0)
        self.events: list[CacheEvent] = []
        self.settings = CacheSettings(**settings)
        self.cache = Cache("vault", self.settings, self.clock.monotonic, Chance(chance), self.events.append)

    def ask(self, key: Key = KEY, *, max_age: float | None = None, timeout: float = TIMEOUT) -> Step:
        return self.cache.decide(key, self.cache.call(timeout, max_age))

    def land(self, flight: Flight | None, version: str = "v1", **dates: Any) -> Any:
        assert flight is not None
        return self.cache.succeeded(flight, Reading(f"value of {version}", version, **dates))

    def fail(self, flight: Flight | None, **kind: Any) -> Any:
        assert flight is not None
        return self.cache.failed(flight, kind.pop("error", ConnectionError("no")), **{"transient": True, **kind})

    def fill(self, version: str = "v1", key: Key = KEY, **dates: Any) -> Any:
        """Read it from the vault."""
        step = self.ask(key, max_age=0)
        assert step.do is Do.LEAD, step
        return self.land(step.flight, version, **dates)

    def refresh(self, key: Key = KEY) -> Flight | None:
        return self.cache.begin_refresh(key, TIMEOUT)

    def value(self, key: Key = KEY, **how: Any) -> Any:
        """What a reader is served; None if it has to read or wait."""
        step = self.ask(key, **how)
        if step.do is Do.LEAD:
            assert step.flight is not None
            self.cache.abandoned(step.flight)
        return step.entry.value if step.do is Do.SERVE and step.entry is not None else None

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
