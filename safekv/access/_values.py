"""Values of a template: those that are known, and those that only the deployment knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeGuard

_LONGEST = 160


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A value that is not known before the deployment, or could not be computed here.

    :ivar expression: as the template has it.
    :ivar reason: why not.
    """

    expression: str
    reason: str

    def __str__(self) -> str:
        text = self.expression if len(self.expression) <= _LONGEST else self.expression[: _LONGEST - 3] + "..."
        return f"{text}: {self.reason}"


def is_unresolved(value: Any) -> TypeGuard[Unresolved]:
    return isinstance(value, Unresolved)


def first_unresolved(value: Any) -> Unresolved | None:
    """The first part of a value that is not known, however deep; None if all of it is."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, Unresolved):
            return found
        if isinstance(found, dict):
            waiting.extend(reversed(found.values()))
        elif isinstance(found, list):
            waiting.extend(reversed(found))
    return None


def is_whole_number(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
