"""What ``safekv top`` counts with: buckets, sums and differences, and what a process has done."""

from __future__ import annotations

import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from safekv import _events
from safekv.observability._figures import Figures, add, bucket_of, minus, plus, quantile

HOST = "my.vault.azure.net"


def request(status: int | None = 200, *, error: str | None = None, seconds: float = 0.02, host: str = HOST) -> Any:
    about = (host, "get_secret", "GET", "secrets", status, error, 1, 0.0, seconds)
    return _events.RequestFinished(*about, "ours", "theirs")


@given(some.lists(some.floats(0.0011, 800), min_size=1, max_size=40), some.sampled_from([0.5, 0.99]))
def test_a_quantile_is_right_to_a_bucket(seconds: list[float], part: float) -> None:
    buckets: dict[str, Any] = {}
    for each in seconds:
        add(buckets, (str(bucket_of(each)),))
    exact = sorted(seconds)[math.ceil(part * len(seconds) - 1e-9) - 1]
    found = quantile(buckets, part)
    assert found is not None
    assert exact * 0.999 <= found <= exact * 2**0.25 * 1.001


def test_extremes_have_a_bucket() -> None:
    assert bucket_of(-1.0) == bucket_of(0.0) == 0
    assert bucket_of(1e9) == bucket_of(1e12) == 79
    assert quantile({}, 0.5) is None
    assert quantile({"3": 0}, 0.5) is None


trees = some.recursive(
    some.integers(0, 1_000),
    lambda children: some.dictionaries(some.sampled_from("abc"), children, max_size=3),
    max_leaves=10,
)


@given(some.dictionaries(some.sampled_from("ab"), some.dictionaries(some.sampled_from("cd"), some.integers(0, 99))))
def test_what_is_added_can_be_taken_away(counts: dict[str, Any]) -> None:
    assert plus([counts, {}]) == counts
    assert minus(plus([counts, counts]), counts) == counts
    assert json.loads(json.dumps(minus({}, counts))) == {}


def test_a_process_counts_by_vault_operation_and_status() -> None:
    figures = Figures()
    for event in (request(), request(429), request(None, error="ServiceRequestError"), request(host="other")):
        figures(event)
    figures(_events.TokenFetched("vault.azure.net", "AzureCliCredential", None, 1.0))
    figures(_events.TokenFetched("vault.azure.net", "AzureCliCredential", "CredentialUnavailableError", 1.0))
    counts = figures.snapshot()["counts"]
    assert counts["requests"][HOST] == {"get_secret": {"200": 1, "429": 1, "ServiceRequestError": 1}}
    assert counts["requests"]["other"] == {"get_secret": {"200": 1}}
    assert counts["throttled"] == {HOST: 1}
    assert counts["tokens"] == {"fetched": 1, "failed": 1}
    assert quantile(counts["seconds"][HOST]["get_secret"], 0.5) is not None


def test_what_is_counted_is_bounded() -> None:
    figures = Figures()
    for number in range(1_000):
        figures(request(host=f"vault-{number}"))
    vaults = figures.snapshot()["counts"]["requests"]
    assert len(vaults) == 201
    assert vaults["_OTHER"] == {"get_secret": {"200": 800}}


def test_a_forked_child_begins_with_nothing() -> None:
    figures = Figures()
    figures(request())
    figures.after_fork()
    assert "requests" not in figures.snapshot()["counts"]


def test_it_is_told_while_its_thread_is_inside() -> None:
    """The garbage collector closes a coroutine anywhere, and what that had under way is over then."""
    figures = Figures()
    with figures._lock:
        figures(request())
    assert figures.snapshot()["counts"]["requests"][HOST] == {"get_secret": {"200": 1}}
