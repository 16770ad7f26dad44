"""Failures on demand: which requests they meet, and what happens instead of, or after, the answer.

A fault given by ``operation``, and one whose ``error`` is about tokens, meets only requests
that carry a token: the request without one that a client begins with, to be told where to get
it, passes by and does not count. Every other fault meets that one too, before authentication.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from safekv.emulator._answers import bare, error, retry_after_header
from safekv.emulator._fault import LONGEST_DELAY, Delay, Fault
from safekv.emulator._messages import Network, Request, Response
from safekv.emulator._vault import Vault
from safekv.errors._catalogue import by_id

_AFTER = (Network.RESET_AFTER, Network.TRUNCATED)
_MOST_FAULTS = 1_000
_HTML = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>A proxy answered.</body></html>"
_TYPICAL = {401: "401_expired", 403: "403_policy", 404: "404_secret", 409: "409_parallel", 429: "429"}
_EXAMPLES = {  # for the places of rows that the emulator has no real value for
    "appid": "00000000-0000-0000-0000-00000000a001",
    "oid": "00000000-0000-0000-0000-00000000b001",
    "guid": "00000000-0000-0000-0000-00000000c001",
    "ip": "203.0.113.7",
    "operation": "decrypt",
}


@dataclass(slots=True)
class Outcome:
    """What the faults make of one request. ``fault`` is the one that answers it or breaks its connection."""

    fault: Fault | None = None
    kind: str | None = None
    delay: float = 0.0

    @property
    def instead(self) -> Fault | None:
        """The fault that keeps the request from being processed."""
        return None if self.fault is None or self.fault.network in _AFTER else self.fault

    @property
    def afterwards(self) -> Network | None:
        """How the connection fails once the request has been processed."""
        return self.fault.network if self.fault and self.fault.network in _AFTER else None


_NONE = Outcome()


class Faults:
    """The faults that wait, oldest first. Iterating goes over a copy."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.clear()

    def clear(self) -> None:
        """Forget them, and begin chance anew."""
        self._waiting: list[Fault] = []
        self._chance = random.Random(f"faults {self._seed}")  # noqa: S311  (repeatable on purpose)

    def __iter__(self) -> Iterator[Fault]:
        return iter(tuple(self._waiting))

    def add(self, fault: Fault) -> Fault:
        if len(self._waiting) >= _MOST_FAULTS:
            raise ValueError(f"there are {_MOST_FAULTS} faults already; remove some first")
        fault.on_remove = self._discard
        self._waiting.append(fault)
        return fault

    def decide(self, request: Request, vault: Vault | None, operation: str | None, *, bearer: bool) -> Outcome:
        """The first fault that fires and does more than delay ends the matter; delays before it add up."""
        if not self._waiting:
            return _NONE
        outcome = Outcome()
        for fault in self._waiting:
            if fault.meets(request, vault, operation, bearer=bearer) and fault.fires(self._chance):
                outcome.kind = fault.kind
                outcome.delay += _sample(fault.delay, self._chance)
                if fault.network or fault.answers:
                    outcome.fault = fault
                    break
        return outcome

    def _discard(self, fault: Fault) -> None:
        self._waiting = [each for each in self._waiting if each is not fault]


def answer(fault: Fault, places: Mapping[str, str], now: float) -> Response:
    """The HTTP answer that a fault gives in the service's place."""
    own = fault.html or fault.body is not None
    response = _own_body(fault) if own else _error_body(fault, {**_EXAMPLES, **places})
    if fault.retry_after is None:
        return response
    wait = retry_after_header(fault.retry_after_style, fault.retry_after, now)
    return replace(response, headers={**response.headers, **wait})


def _own_body(fault: Fault) -> Response:
    content_type = "text/html" if fault.html else "application/json"
    body = fault.body if isinstance(fault.body, bytes) else _HTML
    return Response(fault.status or 200, {"Content-Type": f"{content_type}; charset=utf-8"}, body)


def _error_body(fault: Fault, places: dict[str, str]) -> Response:
    status = fault.status or 200
    row_id = fault.error or _TYPICAL.get(status)
    return error(by_id(row_id), places) if row_id else bare(status)


def _sample(delay: Delay, chance: random.Random) -> float:
    if not isinstance(delay, dict):
        return delay
    if "uniform" in delay:
        return chance.uniform(*delay["uniform"])
    median, sigma = delay["lognormal"]
    return min(chance.lognormvariate(math.log(median), sigma), LONGEST_DELAY)
