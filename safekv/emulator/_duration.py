"""Durations as rotation policies write them: ISO 8601, such as ``P90D`` or ``P1Y6M``, by the calendar."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

_FORM = re.compile(
    r"P(?:(\d{1,5})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,5})D)?"
    r"(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?",
    re.ASCII,
)
_NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Duration:
    """Whole months, and an exact time beside them."""

    months: int
    rest: timedelta

    @classmethod
    def parse(cls, text: str) -> Duration:
        """``ValueError`` unless it is longer than nothing."""
        found = _FORM.fullmatch(text)
        years, months, weeks, days, hours, minutes, seconds = (
            (int(part or 0) for part in found.groups()) if found else (0,) * 7
        )
        rest = timedelta(days=7 * weeks + days, hours=hours, minutes=minutes, seconds=seconds)
        if not found or not (years or months or rest):
            raise ValueError(f"{text!r} is no duration such as P90D")
        return cls(12 * years + months, rest)

    def after(self, moment: float) -> float:
        """The time this long after a time, both in seconds since 1970; ``inf`` if no calendar has it."""
        return self._moved(moment, 1)

    def before(self, moment: float) -> float:
        return self._moved(moment, -1)

    def _moved(self, moment: float, sign: int) -> float:
        try:
            begin = datetime.fromtimestamp(moment, timezone.utc)
            years, month = divmod(begin.month - 1 + sign * self.months, 12)
            year = begin.year + years
            day = min(
                begin.day, calendar.monthrange(year, month + 1)[1]
            )  # a month after January 31 is the last of February
            return (begin.replace(year=year, month=month + 1, day=day) + sign * self.rest).timestamp()
        except (ValueError, OverflowError):
            return _NEVER
