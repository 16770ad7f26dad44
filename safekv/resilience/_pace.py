"""How fast a lane may send: a token bucket whose rate climbs back after each cut."""

from __future__ import annotations

from dataclasses import dataclass

from safekv.resilience._window import Accepts


@dataclass(frozen=True, slots=True)
class LaneSettings:
    """The constants of a lane. Rates are in cost units per second, times in seconds."""

    #: The window over which the service counts.
    window: float = 10.0
    #: What the service is documented to grant per window; only ``share`` needs it.
    limit: float | None = None
    #: Never faster than this, from the start; None: as fast as the service lets us.
    max_rate: float | None = None
    #: Never slower than this, for those who compete with clients that do not slow down.
    min_rate: float = 0.1
    #: This process's part of ``limit``, where the operator knows it (1/8 for 8 processes).
    share: float | None = None
    #: "window": others may go on when our own share of the window comes free again, whatever
    #: Retry-After one call was told. "strict": the whole lane waits for it.
    gate: str = "window"
    #: Tickets that may wait at once.
    max_queue: int = 10_000

    #: After a cut the rate starts at this part of the share that we had ...
    beta: float = 0.97
    #: ... is back at it after this part of a window ...
    climb: float = 0.5
    #: ... and then probes for more: this part above it after as long again.
    probe_gain: float = 0.25
    #: Never faster than so many times what was accepted within the last window.
    most_gain: float = 1.5
    #: Added per second whatever the share is, so that unequal shares become equal.
    add: float = 0.05
    #: One cut leaves at least this part of the rate.
    max_cut: float = 0.8
    #: The rate after the first 429 is at least this.
    first_rate: float = 4.0
    #: Seconds of rate that may be saved up.
    burst: float = 1.0
    #: The shortest and the longest pause without a Retry-After.
    pause_base: float = 0.25
    pause_cap: float = 4.0
    #: The longest pause that a Retry-After can put upon all calls of the lane.
    pause_most: float = 120.0
    #: Seconds without a 429 or a queue after which the lane forgets that it was throttled.
    forget: float = 60.0

    def __post_init__(self) -> None:
        for name in ("window", "limit", "max_rate", "min_rate", "share", "max_queue"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise ValueError(f"{name}={value!r} must be a positive, finite number, for example {name}=10.")
        if self.share is not None and (self.share > 1 or self.limit is None):
            raise ValueError(f"share={self.share!r} is a part of limit=, for example share=1/8 for 8 processes.")
        if self.gate not in ("window", "strict"):
            raise ValueError(f"gate={self.gate!r} must be 'window' or 'strict'.")

    @property
    def ceiling(self) -> float | None:
        """The rate that the operator has set, if any."""
        shared = None
        if self.share is not None and self.limit is not None:
            shared = 0.97 * self.share * self.limit / self.window
        given = [rate for rate in (self.max_rate, shared) if rate is not None]
        return min(given) if given else None


class Pace:
    """Tokens and the rate at which they come. Times are the lane's; called under its lock."""

    __slots__ = ("_accepts", "_ceiling", "_largest", "_ref", "_refilled", "_settings", "_since", "tokens")

    def __init__(self, settings: LaneSettings, accepts: Accepts, now: float) -> None:
        self._settings = settings
        self._accepts = accepts
        self._ceiling = settings.ceiling
        self._ref = self._ceiling or settings.first_rate
        self._since = now - settings.climb * settings.window  # nothing to climb back from
        self._refilled = now
        self._largest = 1
        self.tokens = 0.0

    def rate(self, now: float) -> float:
        s = self._settings
        elapsed = max(0.0, now - self._since)
        x = elapsed / (s.climb * s.window) - 1
        shape = 1 + (1 - s.beta if x < 0 else s.probe_gain) * x * x * x
        rate = self._ref * shape + s.add * elapsed
        # A window without a 429 proves no more than that there was room for what we sent.
        rate = max(s.min_rate, min(rate, max(self._ref, s.most_gain * self._accepts.total(now) / s.window)))
        return rate if self._ceiling is None else min(rate, self._ceiling)

    def refill(self, now: float) -> float:
        """Bring the tokens up to date; returns the present rate."""
        rate = self.rate(now)
        elapsed = now - self._refilled
        if elapsed > 0:
            self._refilled = now
            self.tokens += min(rate * elapsed, max(0.0, self.most(rate) - self.tokens))
        return rate

    def most(self, rate: float) -> float:
        """Tokens that can be saved up; at least enough for the dearest operation."""
        return max(rate * self._settings.burst, self._largest)

    def need(self, cost: int) -> None:
        """Somebody wants to send something of this cost."""
        self._largest = max(self._largest, cost)

    def take(self, cost: int) -> None:
        self.tokens = max(0.0, self.tokens - cost)

    def give(self, cost: float, now: float) -> None:
        self.tokens = min(self.tokens + max(0.0, cost), max(self.tokens, self.most(self.rate(now))))

    def cut(self, share: float, floor: float, now: float, *, first: bool, chance: float) -> None:
        """Slow down to the share that we were just seen to have."""
        s = self._settings
        rate = self.rate(now)
        kept = 0.0 if first else s.max_cut * rate / s.beta
        self._ref = max(share, kept, floor)
        self.tokens = chance if first else min(self.tokens, self.most(self._ref))

    def hold(self, until: float) -> None:
        """No tokens come before then, and the climb starts then."""
        self._since = max(self._since, until)
        self._refilled = max(self._refilled, until)

    @property
    def reference(self) -> float:
        """The share that the last cut found."""
        return self._ref
