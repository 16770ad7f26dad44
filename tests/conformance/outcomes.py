"""What happened in each run, and whether safekv's differs from the SDK's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

Flavour = Literal["sdk", "safekv"]
FLAVOURS: tuple[Flavour, ...] = ("sdk", "safekv")
_WORST_FIRST = ("failed", "skipped", "passed")


@dataclass(frozen=True, slots=True)
class Outcome:
    """``state`` is ``passed``, ``failed`` or ``skipped``; ``why`` is the message of what is not passed."""

    state: str
    why: str = ""


@dataclass(slots=True)
class Run:
    """The outcomes of one flavour by test, and what the emulator counted meanwhile."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    traffic: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, test: str, outcome: Outcome) -> None:
        """Note an outcome; the worst of several for one test stays."""
        before = self.outcomes.get(test)
        if before is None or _WORST_FIRST.index(outcome.state) < _WORST_FIRST.index(before.state):
            self.outcomes[test] = outcome

    def count(self) -> Counter[str]:
        return Counter(outcome.state for outcome in self.outcomes.values())


Runs = Mapping[Flavour, Run]


def problems(what: str, runs: Runs, explained: Mapping[str, str]) -> Iterator[str]:
    """Why these runs are not good, one line for each reason. ``explained``: see ``Package``."""
    for flavour, run in runs.items():
        if not run.outcomes:
            yield f"{what}, {flavour}: nothing was run"
    sdk = runs["sdk"].outcomes
    for test, outcome in sdk.items():
        if outcome.state == "failed" and not test.startswith(tuple(explained)):
            yield f"{what}, sdk: {test} failed: {outcome.why}"
    safekv = runs["safekv"].outcomes if "safekv" in runs else sdk
    for test in sdk.keys() | safekv.keys():
        theirs, ours = _state(sdk, test), _state(safekv, test)
        if ours != theirs and ours != "passed":
            why = f": {safekv[test].why}" if test in safekv else ""
            yield f"{what}, safekv: {test} {ours}, with the SDK's classes {theirs}{why}"


def differences(runs: Runs) -> Iterator[str]:
    """The tests that end differently, for better or for worse."""
    sdk, safekv = runs["sdk"].outcomes, runs["safekv" if "safekv" in runs else "sdk"].outcomes
    for test in sorted(sdk.keys() | safekv.keys()):
        if _state(sdk, test) != _state(safekv, test):
            yield f"{test}: sdk {_state(sdk, test)}, safekv {_state(safekv, test)}"


def skips(runs: Runs) -> Iterator[str]:
    """The tests that were skipped, and why."""
    for flavour, run in runs.items():
        for test, outcome in run.outcomes.items():
            if outcome.state == "skipped":
                yield f"{flavour}: {test}: {outcome.why}"


def _state(outcomes: Mapping[str, Outcome], test: str) -> str:
    return outcomes[test].state if test in outcomes else "absent"
