"""What the SDK does when a vault is in trouble, row by row, and what safekv does instead.

Each row: the trouble; the number of requests that safekv sends; how many seconds (at most) it
takes; and how it ends: a value, or the error.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError
from colours import Colour
from doubles import sent, watched

from safekv.errors import AmbiguousWrite, VaultThrottled
from safekv.testing import LocalKeyVault


class Row(NamedTuple):
    """``fault``: what ``local.fail`` is given. ``headers``: on every error. ``requests``: fewest and most."""

    what: str
    operation: str
    fault: dict[str, Any]
    requests: tuple[int, int]
    seconds: float
    ends: type[Exception] | None
    headers: dict[str, str] | None = None
    options: dict[str, Any] | None = None


GET, SET, PATCH, BACKUP = "get_secret", "set_secret", "update_secret_properties", "backup_secret"
FOR_EVER = {"count": None}
ROWS = [
    # The SDK: 4 attempts after 0, 1.6 and 3.2 s, by everybody at the same moments, then HttpResponseError.
    Row("GET 429, no header", GET, {"status": 429, **FOR_EVER}, (5, 60), 30, VaultThrottled),
    Row("GET 429 that passes", GET, {"status": 429, "count": 6}, (7, 7), 30, None),
    Row("GET 503, no header", GET, {"status": 503, **FOR_EVER}, (4, 4), 2, HttpResponseError),
    Row("GET 500, no header", GET, {"status": 500, **FOR_EVER}, (4, 4), 2, HttpResponseError),
    Row("GET 408, no header", GET, {"status": 408, **FOR_EVER}, (4, 4), 2, HttpResponseError),
    # The SDK: sleeps the value three times, uncapped; time.sleep(inf) raises OverflowError.
    Row("GET 429 Retry-After: 1", GET, {"status": 429, "retry_after": 1, "count": 3}, (4, 4), 8, None),
    Row("GET 429 Retry-After: 7200", GET, {"status": 429, "retry_after": 7200, **FOR_EVER}, (1, 1), 0, VaultThrottled),
    Row(
        "GET 429 Retry-After: 1e9", GET, {"status": 429, **FOR_EVER}, (1, 1), 0, VaultThrottled, {"Retry-After": "1e9"}
    ),
    Row("GET 429 Retry-After: inf", GET, {"status": 429}, (2, 2), 5, None, {"Retry-After": "inf"}),
    # The SDK: falls back to 0, 1.6 and 3.2 s.
    Row("GET 429 Retry-After: 0", GET, {"status": 429}, (2, 2), 5, None, {"Retry-After": "0"}),
    Row("GET 429 Retry-After: -5", GET, {"status": 429}, (2, 2), 5, None, {"Retry-After": "-5"}),
    Row("GET 429 Retry-After: nan", GET, {"status": 429}, (2, 2), 5, None, {"Retry-After": "nan"}),
    # The SDK: one attempt, and a bare ValueError.
    Row("GET 429 Retry-After: soon", GET, {"status": 429}, (2, 2), 5, None, {"Retry-After": "soon"}),
    Row("GET 429 x-ms-retry-after-ms: abc", GET, {"status": 429}, (2, 2), 5, None, {"x-ms-retry-after-ms": "abc"}),
    # The SDK: one attempt, because it is no GET.
    Row("POST 429, no header", BACKUP, {"status": 429, "count": 3}, (4, 4), 30, None),
    Row("PATCH 429, no header", PATCH, {"status": 429, "count": 3}, (4, 4), 30, None),
    Row("POST 408, no header", BACKUP, {"status": 408, "count": 2}, (3, 3), 2, None),
    Row("POST 502, no header", BACKUP, {"status": 502, "count": 2}, (3, 3), 2, None),
    Row(
        "POST 429 with milliseconds only",
        BACKUP,
        {"status": 429, "retry_after": 0.5, "retry_after_style": "x-ms-retry-after-ms"},
        (2, 2),
        5,
        None,
    ),
    Row("POST 429 Retry-After: 1", BACKUP, {"status": 429, "retry_after": 1, "count": 3}, (4, 4), 8, None),
    # The SDK: one attempt. These change nothing, or the same again.
    Row("POST refused", BACKUP, {"network": "refused", "count": 2}, (0, 3), 2, None),
    Row("POST reset", BACKUP, {"network": "reset-after", "count": 2}, (3, 3), 2, None),
    Row("POST read timeout", BACKUP, {"network": "black-hole"}, (2, 2), 12, None),
    # The SDK: sends the PUT again, and there are two versions.
    Row("PUT reset", SET, {"network": "reset-after"}, (2, 2), 2, None),
    Row("PUT 503 for ever", SET, {"status": 503, **FOR_EVER}, (2, 9), 30, AmbiguousWrite),
    Row("GET reset", GET, {"network": "reset-after", "count": 2}, (3, 3), 2, None),
    # The SDK: four attempts, although a certificate does not get better.
    Row("GET TLS failure", GET, {"network": "bad-certificate", **FOR_EVER}, (0, 0), 0, ServiceRequestError),
    Row("GET refused", GET, {"network": "refused", **FOR_EVER}, (0, 0), 2, ServiceRequestError),
    # The SDK: 403 and 404 with a Retry-After are repeated like everything that has one.
    Row("GET 404 Retry-After", GET, {"status": 404, "retry_after": 1, **FOR_EVER}, (1, 1), 0, HttpResponseError),
    Row("GET 403 Retry-After", GET, {"status": 403, "retry_after": 1, **FOR_EVER}, (1, 1), 0, HttpResponseError),
    # The SDK: sleeps for 4 s, then raises a timeout that hides the 429.
    Row(
        "timeout=1 and Retry-After: 4",
        GET,
        {"status": 429, "retry_after": 4, **FOR_EVER},
        (1, 1),
        0,
        VaultThrottled,
        options={"timeout": 1},
    ),
    # The SDK: succeeds after 3 s, because its timeout bounds no I/O.
    Row(
        "timeout=0.5 and an answer after 3 s",
        GET,
        {"delay": 3.0, **FOR_EVER},
        (1, 1),
        0.51,
        Exception,
        options={"timeout": 0.5},
    ),
    # The SDK: retry_total=20 still gives 4 attempts; here a number is a number.
    Row("retry_total=0", GET, {"status": 429, **FOR_EVER}, (1, 1), 0, VaultThrottled, options={"retry_total": 0}),
    Row("retry_status=1", GET, {"status": 503, **FOR_EVER}, (2, 2), 1, HttpResponseError, options={"retry_status": 1}),
]


def call(client: Any, operation: str, options: dict[str, Any]) -> Any:
    arguments = {SET: ("greeting", "again"), PATCH: ("greeting",)}.get(operation, ("greeting",))
    attributes = {"tags": {"a": "b"}} if operation == PATCH else {}
    return getattr(client, operation)(*arguments, **attributes, **options)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_row(colour: Colour, local: LocalKeyVault, row: Row) -> None:
    local.advance(seconds=60)
    client = colour.client(local, transport=watched(colour, local, headers=row.headers))
    fault = dict(row.fault)
    if fault.get("network") not in ("refused", "bad-certificate"):
        fault["operation"] = row.operation
    local.fail(**fault)
    before = local.emulator.clock.monotonic()
    if row.ends is None:
        colour.run(call(client, row.operation, row.options or {}))
    else:
        with pytest.raises(row.ends):
            colour.run(call(client, row.operation, row.options or {}))
    took = local.emulator.clock.monotonic() - before
    assert took <= row.seconds + 1e-6
    fewest, most = row.requests
    assert fewest <= len(sent(local)) <= most


def test_a_burst_is_no_herd(colour: Colour, local: LocalKeyVault) -> None:
    """50 calls at once on a vault that throttles: the SDK sends 200 requests, 100 of them in the first instant."""
    client = colour.client(local)
    colour.run(client.get_secret("greeting"))
    local.journal.clear()
    local.fail(operation=GET, status=429, count=None)
    ended = colour.together(50, lambda _: client.get_secret("greeting", timeout=5))
    assert all(isinstance(end, VaultThrottled) for end in ended)
    assert len(sent(local)) <= 110  # a first attempt of each, and then one probe at a time
