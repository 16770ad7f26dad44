"""The roles that there are, and who has them where: what all vaults of an emulator share."""

from __future__ import annotations

from collections.abc import Iterable

from safekv.emulator._access import Role, RoleAssignment, within
from safekv.emulator._access_roles import BUILT_IN
from safekv.emulator._propagating import Propagating


class Grants:
    """Role definitions by id, and assignments, whose changes propagate."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self.clear()

    def clear(self) -> None:
        """Back to the built-in roles, assigned to nobody."""
        self.roles: dict[str, Role] = dict(BUILT_IN)
        self.assignments: Propagating[tuple[RoleAssignment, ...]] = Propagating((), self._delay)

    def begin_with(self, assignment: RoleAssignment) -> None:
        """An assignment that counts at once, unless it is there already."""
        if all(_key(each) != _key(assignment) for each in self.assignments.current):
            self.assignments.begin_with((*self.assignments.current, assignment))

    def find(self, name: str) -> Role | None:
        """The role of this id or name."""
        wanted = name.lower()
        return next((role for role in self.roles.values() if wanted in (role.id.lower(), role.name.lower())), None)

    def assign(self, assignment: RoleAssignment, now: float) -> None:
        self._set((*self.assignments.current, assignment), now)

    def withdraw(self, withdrawn: Iterable[RoleAssignment], now: float) -> None:
        gone = {(each.scope.lower(), each.name.lower()) for each in withdrawn}
        self._set((each for each in self.assignments.current if _key(each) not in gone), now)

    def forget_below(self, scope: str, now: float) -> None:
        """The assignments of a resource end with it, even if it is recovered."""
        self.withdraw([each for each in self.assignments.current if within(each.scope, scope)], now)

    def _set(self, assignments: Iterable[RoleAssignment], now: float) -> None:
        self.assignments.set(tuple(assignments), now)


def _key(assignment: RoleAssignment) -> tuple[str, str]:
    return assignment.scope.lower(), assignment.name.lower()
