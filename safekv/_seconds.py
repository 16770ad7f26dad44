"""Seconds that a caller gives: a real, finite number, and never more than the operating system's timers take."""

from __future__ import annotations

import sys
from numbers import Real
from typing import Any

from safekv.errors import InvalidArgument

#: 46 days. Nobody waits longer; Windows' timers end at 49 days, and Linux' in 292 years.
LONGEST = 4_000_000.0


def positive(argument: str, given: Any) -> float:
    """A duration above 0.

    :raises InvalidArgument: naming the argument, for anything else.
    """
    if not _is_finite(given) or given <= 0:
        raise InvalidArgument(
            f"{argument}={given!r} must be a positive, finite number of seconds.", hint=f"{argument}=30"
        )
    return given  # type: ignore[no-any-return]  # a whole number stays one, in messages


def limit(argument: str, given: Any) -> float | None:
    """What one call may take, cut to ``LONGEST``. At or below 0 its time is over, as in the SDK; None: the default.

    :raises InvalidArgument: naming the argument, for what is no finite number.
    """
    if given is None:
        return None
    if not _is_finite(given):
        raise InvalidArgument(f"{argument}={given!r} must be a finite number of seconds.", hint=f"{argument}=30")
    return float(min(given, LONGEST))


def _is_finite(given: Any) -> bool:
    most = sys.float_info.max
    return type(given) is not bool and issubclass(type(given), Real) and -most <= given <= most
