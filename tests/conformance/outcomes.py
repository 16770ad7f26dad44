"""What happened in each run, and whether safekv's differs from the SDK's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

Flavour = Literal["sdk", "safekv"]
FLAVOURS: tuple[Flavour, ...] = ("sdk", "safekv")
_WORST_FIRST = ("failed", "skipped", "passed")

# Tests that fail with the SDK's own classes for a reason that is neither the emulator's nor
# safekv's fault: their ids, and the reason. Let it stay short.
EXPLAINED: Mapping[str, str] = {
    "test_backup_client_async.py::TestBackupClientTests::test_backup_restore_sas[2025-07-01]": (
        "it asks the result of begin_pre_restore for its error; by its documentation that has no result"
    ),
}

# Tests that fail with safekv's classes because it is meant to do something else: a part of their
# ids, a part of how they fail, and the reason.
MEANT: Mapping[tuple[str, str], str] = {
    ("::test_logging_enabled[", "Expected request body wasn't logged"): (
        "safekv's network trace shows no bodies and no tokens; logging_policy= brings them back"
    ),
    ("::test_rejects_backslash_authority", "is not the URL of a vault"): (
        "such a URL is refused when the client is constructed, not when it is used"
    ),
    ("::test_verify_challenge_resource_", "it must not have a path"): (
        "the URL of a vault has no path: the SDK would ask for objects below it"
    ),
    ("::test_policy_expected_errors_for_create_cert", "should not raise ValueError for san_ip_addresses-only policy"): (
        "the policy is accepted, but not the vault: its URL '...' and its credential, a bare object, are refused"
    ),
    ("::test_initialization_transient_failure_getting_key", "invalid status"): (
        "a failure to get the key is raised: the SDK hides it, and asks again before every operation"
    ),
}


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


def problems(what: str, runs: Runs) -> Iterator[str]:
    """Why these runs are not good, one line for each reason."""
    for flavour, run in runs.items():
        if not run.outcomes:
            yield f"{what}, {flavour}: nothing was run"
    sdk, safekv = _both(runs)
    for test, outcome in sdk.items():
        if outcome.state == "failed" and test not in EXPLAINED:
            yield f"{what}, sdk: {test} failed: {outcome.why}"
    for test in sdk.keys() | safekv.keys():
        theirs, ours = _state(sdk, test), _state(safekv, test)
        if ours != theirs and ours != "passed" and not meant(test, safekv.get(test)):
            why = f": {safekv[test].why}" if test in safekv else ""
            yield f"{what}, safekv: {test} {ours}, with the SDK's classes {theirs}{why}"


def meant(test: str, outcome: Outcome | None) -> str | None:
    """Why safekv is meant to end this test so; None if it is not."""
    for (name, why), reason in MEANT.items():
        if outcome is not None and name in test and why in outcome.why:
            return reason
    return None


def differences(runs: Runs) -> Iterator[str]:
    """The tests that end differently, for better or for worse."""
    sdk, safekv = _both(runs)
    for test in sorted(sdk.keys() | safekv.keys()):
        if _state(sdk, test) != _state(safekv, test):
            yield f"{test}: sdk {_state(sdk, test)}, safekv {_state(safekv, test)}"


def skips(runs: Runs) -> Iterator[str]:
    """The tests that were skipped, and why."""
    for flavour, run in runs.items():
        for test, outcome in run.outcomes.items():
            if outcome.state == "skipped":
                yield f"{flavour}: {test}: {outcome.why}"


def _both(runs: Runs) -> tuple[dict[str, Outcome], dict[str, Outcome]]:
    """The SDK's outcomes and safekv's; the SDK's twice if safekv has nothing for this package yet."""
    return runs["sdk"].outcomes, runs.get("safekv", runs["sdk"]).outcomes


def _state(outcomes: Mapping[str, Outcome], test: str) -> str:
    return outcomes[test].state if test in outcomes else "absent"
