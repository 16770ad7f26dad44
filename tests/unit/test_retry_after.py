"""Whatever a service puts into its headers is a number of seconds, or nothing."""

from __future__ import annotations

import math
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from safekv.resilience._retry_after import retry_after

NOW = 1_700_000_000.0
NAMES = ["retry-after", "retry-after-ms", "x-ms-retry-after-ms"]
NUMBERS = (
    st.floats().map(str) | st.integers().map(str) | st.from_regex(r"[+-]?\d{0,400}(\.\d*)?(e\d{0,3})?", fullmatch=True)
)
DATES = st.from_regex(
    r"((Mon|Tue|Foo), )?\d{1,3} (Jan|Feb|Dec|Xyz) \d{1,6} \d{1,3}:\d{1,3}(:\d{1,3})? ?(GMT|UTC|EST|[+-]\d{1,6})?",
    fullmatch=True,
)
TEXTS = st.text(max_size=60) | NUMBERS | DATES


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": " 3 "}, 3.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "1e3"}, 1000.0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"x-ms-retry-after-ms": "250"}, 0.25),
        ({"retry-after": "3", "retry-after-ms": "250"}, 3.0),
        ({"retry-after-ms": "soon", "x-ms-retry-after-ms": "250"}, 0.25),
        ({"retry-after": formatdate(NOW + 60, usegmt=True)}, 60.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:14:20 GMT"}, 60.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:14:20 -0000"}, 60.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:14:20"}, 60.0),
        ({"retry-after": "Tue Nov 14 22:14:20 2023"}, 60.0),
        ({"retry-after": "Tue, 14 Nov 2023 23:14:20 +0100"}, 60.0),
        ({"retry-after": formatdate(NOW - 60, usegmt=True)}, None),
        ({"retry-after": "0"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after-ms": "-1"}, None),
    ],
)
def test_values(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_the_machines_own_zone_is_no_matter(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    import time

    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert retry_after({"retry-after": "Tue Nov 14 22:14:20 2023"}, NOW) == 60.0
    finally:
        monkeypatch.undo()
        time.tzset()


@given(st.dictionaries(st.sampled_from(NAMES), TEXTS))
@example({"retry-after": "Fri, 31 Dec 9999 23:59:59 -2359"})
@example({"retry-after": "Thu, 01 Jan 0001 00:00:00 +2359"})
@example({"retry-after": "1 Jan 0 0:0 +999999"})
def test_it_never_raises(headers: dict[str, str]) -> None:
    seconds = retry_after(headers, NOW)
    assert seconds is None or (math.isfinite(seconds) and seconds > 0)


@pytest.mark.parametrize("value", [b"3", None, 3, 1.5, ["3"], object()])
def test_what_a_double_in_a_test_may_have_for_a_header(value: Any) -> None:
    assert retry_after({"retry-after": value}, NOW) in (3.0, 1.5, None)
