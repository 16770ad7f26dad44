"""The cache against a model: any order of reads, answers, faults, writes, clock jumps and lost readers.

The vault is a number that every write makes greater. What may be served is said here in terms of
the vault's history alone; how the cache comes to it is its own affair.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cache_help import TIMEOUT, Desk
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from safekv.cache._cache import Call, Do
from safekv.cache._entry import Key
from safekv.cache._singleflight import OVERDUE, Flight

NAMES = ["a", "b", "c"]
names = st.sampled_from(["a", "a", "a", "a", "b", "c"])
SIZE = 2


@dataclass
class Secret:
    """What the vault has, and what anybody has been told of it."""

    version: int = 1
    gone: bool = False
    refused: bool = False
    written: int = 0  # least version that a call begun now may be served: what was there at the last write's end
    returned: int = 0  # the newest version that any finished call got
    failed_last: bool | None = False  # the last read failed, and that will pass; None: it was given up before
    read_since_refusal: bool = True  # no refusal has arrived since the last value


@dataclass
class Reader:
    """A call under way."""

    name: str
    call: Call
    least: int  # the oldest version that it may get
    asked_at: float
    flight: Flight | None = None
    leads: bool = False
    max_age: float | None = None


@dataclass
class Sent:
    """A request that the vault has, or has not yet, looked at."""

    name: str
    flight: Flight
    at: float
    answer: Any = None
    waiting: list[Reader] = field(default_factory=list)


class CacheModel(RuleBasedStateMachine):
    @initialize(chance=st.floats(0, 0.99), max_stale=st.sampled_from([0, 600, 3600]))
    def begin(self, chance: float, max_stale: float) -> None:
        self.desk = Desk(chance, max_entries=SIZE, max_stale=max_stale)
        self.secrets = {name: Secret() for name in NAMES}
        self.sent: list[Sent] = []
        self.writes: list[str] = []

    # What the outside world does.

    @rule(seconds=st.sampled_from([0.001, 1, 30, 61, 100, 241, 301, 4000]))
    def time_passes(self, seconds: float) -> None:
        self.desk.advance(seconds)

    @rule(name=names, what=st.sampled_from(["rotated", "rotated", "refused", "allowed", "invalidated"]))
    def something_happens_to(self, name: str, what: str) -> None:
        secret = self.secrets[name]
        if what == "rotated":
            secret.version += 1
        elif what == "invalidated":
            self.desk.cache.written(name)
        else:
            secret.refused = what == "refused"

    @rule(name=names, delete=st.sampled_from([False, False, True]))
    def a_write_begins_or_ends(self, name: str, delete: bool) -> None:
        self.desk.cache.written(name)
        if name not in self.writes:
            self.writes.append(name)
            return
        self.writes.remove(name)
        secret = self.secrets[name]
        secret.version += 1
        secret.gone = delete
        secret.written = secret.version

    # What readers and the vault do.

    @rule(name=names, max_age=st.sampled_from([None, None, None, 0, 100]), count=st.integers(1, 3))
    def readers_ask(self, name: str, max_age: float | None, count: int) -> None:
        for _ in range(count):
            secret = self.secrets[name]
            call = self.desk.cache.call(30, max_age)
            self._decide(Reader(name, call, max(secret.written, secret.returned), self.now, max_age=max_age))

    @rule(number=st.integers(0, 3), how=st.sampled_from(["answered", "answered", "answered", "looked at", "lost"]))
    def a_request_is(self, number: int, how: str) -> None:
        if not self.sent:
            return
        sent = self.sent[number % len(self.sent)]
        secret = self.secrets[sent.name]
        if sent.answer is None:
            sent.answer = "refused" if secret.refused else "gone" if secret.gone else secret.version
        if how != "looked at":
            self._arrives(sent, lost=how == "lost")

    @rule(name=names)
    def a_refresh_is_made(self, name: str) -> None:
        flight = self.desk.cache.begin_refresh(Key(name), 30)
        if flight is not None:
            self._send(name, flight)

    @rule(name=names, seconds=st.sampled_from([0, 55, 400, 3000]))
    def a_refresh_is_lost(self, name: str, seconds: float) -> None:
        """What it takes before a value may stand in for the vault; alone, the rules above seldom get there."""
        self.desk.advance(245)
        self.a_refresh_is_made(name)
        if self.sent and self.sent[-1].name == name:
            self._arrives(self.sent[-1], lost=True)
        self.desk.advance(seconds)
        self.readers_ask(name, None, 1)

    @rule(name=names, background=st.booleans())
    def a_read_is_overtaken_by_a_write(self, name: str, background: bool) -> None:
        """Likewise."""
        if background:
            self.desk.advance(245)
            self.a_refresh_is_made(name)
        else:
            self.readers_ask(name, 0, 2)
        self.a_request_is(len(self.sent) - 1, "looked at")
        for _ in range(2 - self.writes.count(name)):
            self.a_write_begins_or_ends(name, False)
        self.readers_ask(name, None, 1)

    @rule(name=names)
    def access_is_taken_away(self, name: str) -> None:
        """Likewise."""
        self.something_happens_to(name, "refused")
        self.desk.advance(245)
        self.a_refresh_is_made(name)
        if self.sent and self.sent[-1].name == name:
            self.a_request_is(len(self.sent) - 1, "answered")
        self.readers_ask(name, None, 1)

    @rule(number=st.integers(0, 3))
    def a_leader_is_cancelled(self, number: int) -> None:
        if self.sent:
            sent = self.sent.pop(number % len(self.sent))
            self.desk.cache.abandoned(sent.flight)
            for reader in sent.waiting:
                if not reader.leads:
                    self._decide(reader)

    def _arrives(self, sent: Sent, *, lost: bool) -> None:
        self.sent.remove(sent)
        secret, cache = self.secrets[sent.name], self.desk.cache
        if lost:
            cache.failed(sent.flight, ConnectionError(), transient=True)
            secret.failed_last = True
        elif isinstance(sent.answer, int):
            self.desk.land(sent.flight, str(sent.answer))
            secret.failed_last = False
            secret.read_since_refusal = True
        else:
            cache.failed(sent.flight, PermissionError(), transient=False, missing=sent.answer == "gone")
            secret.read_since_refusal = sent.answer == "gone" and not sent.flight.joinable
        if self.now > sent.at + TIMEOUT + OVERDUE:
            secret.failed_last = None
        for reader in sent.waiting:
            self._after(reader, sent)

    # What has to hold.

    @invariant()
    def it_is_bounded(self) -> None:
        assert len(self.desk.cache.entries) <= SIZE

    @invariant()
    def one_read_at_a_time(self) -> None:
        current = [sent for sent in self.sent if sent.at + TIMEOUT + OVERDUE >= self.now]
        assert len({sent.name for sent in current}) == len(current)

    @property
    def now(self) -> float:
        return self.desk.clock.monotonic()

    def _decide(self, reader: Reader) -> None:
        step = self.desk.cache.decide(Key(reader.name), reader.call)
        if step.do is Do.SERVE:
            assert step.entry is not None
            self._served(reader, step.entry, stale=self.now - step.entry.began >= 300)
        elif step.do is Do.LEAD:
            assert step.flight is not None
            reader.leads = True
            self._send(reader.name, step.flight).waiting.append(reader)
        elif step.do is not Do.DENY:
            sent = [sent for sent in self.sent if sent.flight is step.flight]
            reader.flight = step.flight if step.do is Do.JOIN else None
            if sent:
                sent[0].waiting.append(reader)

    def _send(self, name: str, flight: Flight) -> Sent:
        self.sent.append(Sent(name, flight, self.now))
        return self.sent[-1]

    def _after(self, reader: Reader, sent: Sent) -> None:
        if sent.flight.entry is not None and (reader.leads or reader.flight is sent.flight):
            if reader.max_age == 0 and not reader.leads:
                assert sent.flight.ticket > reader.call.ticket
            self._served(reader, sent.flight.entry, stale=False)
        elif sent.flight.error is not None and sent.flight.transient:
            entry = self.desk.cache.stand_in(Key(reader.name), reader.call, "ConnectionError")
            if entry is not None:
                assert reader.max_age is None
                self._served(reader, entry, stale=self.now - entry.began >= 300)
        elif sent.flight.error is None and not reader.leads:
            self._decide(reader)

    def _served(self, reader: Reader, entry: Any, *, stale: bool) -> None:
        secret = self.secrets[reader.name]
        version = int(entry.version)
        assert secret.read_since_refusal, "served although the vault has refused it since"
        assert version >= reader.least, f"{reader.name} went back from {reader.least} to {version}"
        if stale:
            assert secret.failed_last is not False
            assert reader.max_age is None
            assert self.now < entry.began + 300 + self.desk.settings.max_stale
        elif reader.max_age is not None:
            assert entry.ticket > reader.call.ticket or entry.began >= reader.asked_at - reader.max_age
        secret.returned = max(secret.returned, version)


CacheModel.TestCase.settings = settings(max_examples=80, stateful_step_count=60, deadline=None)
TestCacheModel = CacheModel.TestCase
