"""How long the service asks to be left alone, read from whatever it sent. Never raises."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timezone
from email.utils import parsedate_to_datetime

_MILLISECOND_HEADERS = ("retry-after-ms", "x-ms-retry-after-ms")


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait, or None where nothing usable was sent.

    :param headers: a case-insensitive mapping, or one with lower-case keys.
    :param now: seconds since 1970, to turn an HTTP date into a wait.
    """
    text = headers.get("retry-after")
    if text is not None:
        seconds = _number(text)
        return _usable(_until(text, now) if seconds is None else seconds)
    for name in _MILLISECOND_HEADERS:
        milliseconds = _number(headers.get(name))
        if milliseconds is not None:
            return _usable(milliseconds / 1000)
    return None


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except (ValueError, TypeError):
        return None


def _until(text: str, now: float) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
        # An HTTP date is in UTC, whether it says so or not.
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp() - now
    except (ValueError, TypeError, AttributeError, IndexError, OverflowError):
        return None


def _usable(seconds: float | None) -> float | None:
    return seconds if seconds is not None and math.isfinite(seconds) and seconds > 0 else None
