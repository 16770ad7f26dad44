"""Leaves a vault that is down alone, whatever the operation, and notices soon when it is back.

Five 5xx or timeouts in a row, with nothing between them that shows life, close a gate; one
caller at a time then finds out whether it may open. Which statuses count is the driver's
word: ``failed`` for 5xx, timeouts and resets, ``alive`` for every other answer (401, 403,
404, 409 and 429 included), ``leave`` for a caller that has learned nothing.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass

from safekv._clock import Clock, Random
from safekv.resilience._gate import Gate


@dataclass(frozen=True, slots=True)
class BreakerSettings:
    """Times in seconds."""

    failures: int = 5
    base: float = 0.5
    cap: float = 5.0


class Pass:
    """Leave to send one request. Drivers hand it back and read nothing of it."""

    __slots__ = ("epoch",)

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch


@dataclass(frozen=True, slots=True)
class Broken:
    """Nothing was sent: the vault is, as far as we know, down."""

    retry_in: float  # seconds until somebody may try; inf while isolated
    isolated: bool = False


@dataclass(frozen=True, slots=True)
class BreakerStatus:
    """What a breaker looks like at one moment."""

    state: str  # "closed" (all is well), "open", "half open", "isolated"
    retry_in: float
    failures: int  # in a row
    openings: int  # since it exists


#: How long those wait who come while a probe is out.
_PROBE_POLL = 0.1


Notice = Callable[[str, float], object]


class Breaker:
    """One per vault and process, shared by all its lanes.

    :param notice: told, without the lock, when it opens for so many seconds ("open"), or closes ("closed", 0).
    """

    def __init__(self, settings: BreakerSettings, clock: Clock, random: Random, notice: Notice | None = None) -> None:
        self._notice = notice
        self._settings = settings
        self._clock = clock
        self._random = random
        self._lock = threading.RLock()  # the garbage collector may close a coroutine, which leaves, in here
        self._gate = Gate()
        self._pass = Pass(0)  # one for all while nothing is wrong
        self._raw = clock.monotonic()
        self._offset = 0.0
        self._failures = 0
        self._openings = 0
        self._in_a_row = 0
        self._isolated = False
        self._calm = True  # nothing wrong at all: read without the lock

    def enter(self) -> Pass | Broken:
        """Leave to send one request, or for how long there is none."""
        if self._calm:
            return self._pass
        with self._lock:
            if self._isolated:
                return Broken(math.inf, isolated=True)
            now = self._now()
            wait = self._left(now)
            if wait > 0:
                return Broken(wait)
            if not self._gate.half_open:
                return self._pass
            probe = Pass(self._pass.epoch)
            self._gate.admit(probe, now)
            return probe

    def alive(self, it: Pass) -> None:
        """The vault answered, with anything below 500."""
        if self._calm:
            return
        with self._lock:
            # What was sent before the gate closed is no news of what came after.
            if it.epoch != self._pass.epoch:
                return
            closes = self._gate.half_open
            self._failures = self._in_a_row = 0
            self._gate.open()
            self._calm = not self._isolated
        if closes and self._notice is not None:
            self._notice("closed", 0.0)

    def failed(self, it: Pass) -> None:
        """A 5xx, a timeout or a broken connection."""
        opened = None
        with self._lock:
            if it.epoch != self._pass.epoch:
                return
            self._calm = False
            self._failures += 1
            was_probe = self._gate.hand_back(it)
            if was_probe or (not self._gate.half_open and self._failures >= self._settings.failures):
                opened = self._open()
        if opened is not None and self._notice is not None:
            self._notice("open", opened)

    def leave(self, it: Pass) -> None:
        """The caller gave up, or learned nothing about the vault. Harmless when repeated."""
        if self._calm:
            return
        with self._lock:
            self._gate.hand_back(it)

    def isolate(self) -> None:
        """Send nothing until :meth:`restore`."""
        with self._lock:
            self._isolated, self._calm = True, False

    def restore(self) -> None:
        """End an isolation; and forget the failures, for somebody has looked."""
        with self._lock:
            self._isolated, self._calm = False, True
            self._failures = self._in_a_row = 0
            self._gate.open()
            self._pass = Pass(self._pass.epoch + 1)

    def status(self) -> BreakerStatus:
        with self._lock:
            now = self._now()
            state = "open" if self._gate.left(now) > 0 else "half open" if self._gate.half_open else "closed"
            if self._isolated:
                return BreakerStatus("isolated", math.inf, self._failures, self._openings)
            return BreakerStatus(state, self._left(now), self._failures, self._openings)

    # -- all below: under the lock

    def _left(self, now: float) -> float:
        return self._gate.left(now) or (_PROBE_POLL if self._gate.probing(now) else 0.0)

    def _open(self) -> float:
        """Leave the vault alone; for how many seconds."""
        s = self._settings
        longest = min(s.cap, s.base * 2.0 ** min(self._in_a_row, 30))
        self._in_a_row += 1
        self._openings += 1
        self._pass = Pass(self._pass.epoch + 1)
        seconds = longest * (0.5 + self._random.random() / 2)
        self._gate.close(self._now() + seconds)
        return seconds

    def _now(self) -> float:
        """The clock's time, but where that goes back this goes on."""
        raw = self._clock.monotonic()
        if raw < self._raw:
            self._offset += self._raw - raw
        self._raw = raw
        return raw + self._offset
