"""The tenacity strategies for an application's own retries."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from hypothesis import given
from hypothesis import strategies as st
from tenacity import Future, RetryCallState, Retrying, retry_if_exception_type, wait_fixed

from safekv.errors import VaultThrottled
from safekv.retry import stop_at_deadline, wait_retry_after


class Response:
    status_code = 429
    reason = "Too Many Requests"

    def __init__(self, **headers: Any) -> None:
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def text(self) -> str:
        return ""


def state(error: BaseException | None) -> RetryCallState:
    state = RetryCallState(Retrying(), None, (), {})
    if error is not None:
        state.set_exception((type(error), error, None))
    else:
        state.outcome = Future(1)
        state.outcome.set_result("fine")
    return state


def azure(**headers: Any) -> HttpResponseError:
    return HttpResponseError(response=Response(**headers))


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (VaultThrottled("x", retry_in=2.5), 2.5),
        (azure(retry_after="7"), 7),
        (azure(x_ms_retry_after_ms="250"), 0.25),
        (azure(), 9),
        (azure(retry_after="soon"), 9),
        (VaultThrottled("x", retry_in=float("inf")), 9),
        (VaultThrottled("x"), 9),
        (ValueError("not a vault's"), 9),
        (None, 9),
    ],
)
def test_how_long_to_wait(error: BaseException | None, seconds: float) -> None:
    assert wait_retry_after(wait_fixed(9))(state(error)) == seconds


@given(st.text() | st.floats().map(str))
def test_whatever_stands_there(text: str) -> None:
    assert wait_retry_after()(state(azure(retry_after=text))) >= 0


def test_the_last_real_error_comes_out() -> None:
    slept: list[float] = []
    calls = Retrying(
        retry=retry_if_exception_type(VaultThrottled),
        wait=wait_retry_after(),
        stop=stop_at_deadline(0.5),
        sleep=slept.append,
        reraise=True,
    )
    tries = []

    def call() -> None:
        tries.append(1)
        raise VaultThrottled("x", retry_in=0.2 if len(tries) < 3 else 60)

    with pytest.raises(VaultThrottled):
        calls(call)
    assert slept == [0.2, 0.2]


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
def test_a_deadline_is_a_number_of_seconds(seconds: float) -> None:
    with pytest.raises(ValueError, match="seconds="):
        stop_at_deadline(seconds)
