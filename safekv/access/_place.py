"""Where in a template something stands, where that is deployed to, and how much work it may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from safekv.access._errors import TemplateError

#: Steps and values that one template may cost. Real ones take some hundred.
MOST_STEPS = 1_000_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a template is deployed to; what is not known is None."""

    subscription: str | None = None
    group: str | None = None
    tenant: str | None = None


@dataclass(frozen=True, slots=True)
class Local:
    """What holds at one place of a template: the loops around it, and the variables of lambdas.

    :ivar copies: the index of each loop, by its name in lower case.
    :ivar resource: the name of the loop around the resource, if there is one.
    :ivar arguments: those of the template's own function that is computed, or None.
    """

    copies: Mapping[str, int] = field(default_factory=dict)
    resource: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Any] | None = None

    def inside(self, loop: str, index: int, *, resource: bool = False) -> Local:
        name = loop.lower()
        return replace(self, copies={**self.copies, name: index}, resource=name if resource else self.resource)


OUTSIDE = Local()


class Budget:
    """What is left of the steps of one template."""

    def __init__(self) -> None:
        self._left = MOST_STEPS

    def charge(self, steps: int) -> None:
        """:raises TemplateError: once there are too many."""
        self._left -= steps
        if self._left < 0:
            raise TemplateError(f"The template takes more than {MOST_STEPS:,} steps to compute.")
