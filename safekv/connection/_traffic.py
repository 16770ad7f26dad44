"""How one vault is being used by this process: its lanes, its breaker, its budget.

A vault counts requests whoever sends them, so all identities and both colours share these.
They know nothing but when and how much.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from safekv import _events
from safekv._clock import SYSTEM_RANDOM, Clock
from safekv._fork import on_fork
from safekv._limits import CRYPTOGRAPHY, KeyKind, Work, key_kind, work_of
from safekv._settings import Settings
from safekv.connection._reading import parsed, text_of
from safekv.resilience._breaker import Breaker, BreakerSettings, BreakerStatus
from safekv.resilience._budget import Budget, BudgetSettings
from safekv.resilience._lane import Lane, LaneSettings, LaneStatus

#: Keys whose kind one vault's traffic remembers.
_MAX_KEYS = 4_096


class Traffic:
    """Shared by everything in this process that talks to one vault."""

    def __init__(self, url: str, settings: Settings, clock: Clock) -> None:
        self.host = urlsplit(url).netloc
        self.hsm = ".managedhsm." in f".{self.host}"
        self._settings = settings
        self._clock = clock
        self.after_fork()
        on_fork(self)
        _events.has_state(self)

    def after_fork(self) -> None:
        """A child has sent nothing yet, and shares no lock with its parent."""
        self._lock = threading.Lock()
        self._lanes: dict[str, Lane] = {}
        self._keys: OrderedDict[str, KeyKind] = OrderedDict()
        self.breaker = Breaker(BreakerSettings(), self._clock, SYSTEM_RANDOM, self._breaker_changed)
        self.budget = Budget(BudgetSettings(), self._clock)

    def lane(self, work: Work) -> Lane:
        """The lane of a class of operations; made when it is first needed."""
        lane = self._lanes.get(work.lane)
        if lane is None:
            with self._lock:
                lane = self._lanes.get(work.lane) or self._new_lane(work)
                self._lanes[work.lane] = lane
        return lane

    def _new_lane(self, work: Work) -> Lane:
        knobs = self._settings
        settings = replace(
            _LANE,
            window=work.window,
            limit=work.limit,
            max_rate=knobs.max_rate,
            min_rate=knobs.min_rate,
            share=knobs.share,
            gate=knobs.gate,
            # What was saved up comes on top of the rate: it is a tenth of the limit for a window of 1 s as well.
            burst=min(_LANE.burst, work.window / 10),
        )

        def changed(seconds: float, rate: float) -> None:
            _events.emit(_events.GateChanged(self.host, work.lane, seconds, rate))

        return Lane(settings, self._clock, SYSTEM_RANDOM, changed)

    def status(self) -> Mapping[str, LaneStatus]:
        """Each lane that was used, by its name."""
        return MappingProxyType({name: lane.status() for name, lane in sorted(self._lanes.items())})

    def states(self) -> Iterator[_events.LaneState]:
        """For ``safekv.events.states``."""
        for name, lane in self.status().items():
            yield _events.LaneState(self.host, name, lane.rate, lane.interactive + lane.bulk)

    def breaker_status(self) -> BreakerStatus:
        """Whether the vault is being left alone."""
        return self.breaker.status()

    def work(self, operation: str, path: str, request: Any) -> Work:
        """The class that a request is counted in, and what it costs there."""
        return work_of(operation, path, hsm=self.hsm, key=self._key_of(operation, path, request))

    def learn(self, operation: str, path: str, response: Any) -> None:
        """An answer may tell of what kind a key is: its operations are counted by that."""
        if operation not in _TELL_KEYS:
            return
        body = parsed(text_of(response))
        kind = key_kind(body.get("key")) if isinstance(body, Mapping) else None
        if kind is not None:
            with self._lock:
                self._keys[_name_in(path)] = kind
                while len(self._keys) > _MAX_KEYS:
                    self._keys.popitem(last=False)

    def _key_of(self, operation: str, path: str, request: Any) -> KeyKind | None:
        if operation not in _USE_KEYS:
            return None
        known = self._keys.get(_name_in(path))
        if known is None and operation in ("create_key", "import_key"):
            body = parsed(request.content)
            known = key_kind(body.get("key", body)) if isinstance(body, Mapping) else None
        return known

    def _breaker_changed(self, state: str, seconds: float) -> None:
        _events.emit(_events.BreakerChanged(self.host, state, seconds))


_LANE = LaneSettings()
_TELL_KEYS = frozenset({"get_key", "create_key", "import_key", "rotate_key"})
_USE_KEYS = _TELL_KEYS | CRYPTOGRAPHY


def _name_in(path: str) -> str:
    return path.split("/")[2].lower()


class Traffics:
    """The traffic of each vault that this process talks to."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.after_fork()
        on_fork(self)

    def after_fork(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[Hashable, Traffic] = OrderedDict()

    def of(self, url: str, way: Any, settings: Settings, clock: Callable[[], Clock]) -> Traffic:
        """The traffic to the vault at ``url`` by this ``way`` (a transport of the caller's own, or None)."""
        key = (url, way, settings.max_rate, settings.min_rate, settings.share, settings.gate)
        with self._lock:
            traffic = self._known.get(key)
            if traffic is None:
                traffic = self._known[key] = Traffic(url, settings, clock())
            self._known.move_to_end(key)
            while len(self._known) > self._most:
                self._known.popitem(last=False)
            return traffic
