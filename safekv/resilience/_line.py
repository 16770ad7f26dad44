"""Who waits for a lane, in which order, and how much cost stands before each of them."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

#: Interactive grants for each bulk grant while both wait.
_PER_BULK = 9
_SMALLEST = 64
_ROUNDING = 1e-9


class Priority(Enum):
    """Interactive calls go first; bulk work keeps a tenth of the grants."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


class Waiter(Protocol):
    """What a line has to know of a ticket."""

    cost: int
    priority: Priority
    retry: bool
    place: int


class Line:
    """Two classes, and in each those who come back before those who come new."""

    __slots__ = ("_bulk", "_due", "_interactive")

    def __init__(self) -> None:
        self._interactive = (_Fifo(), _Fifo())
        self._bulk = (_Fifo(), _Fifo())
        self._due = 0.0  # bulk grants that are owed for interactive ones

    def __len__(self) -> int:
        return self.waiting(Priority.INTERACTIVE) + self.waiting(Priority.BULK)

    def waiting(self, priority: Priority) -> int:
        again, fresh = self._of(priority)
        return again.count + fresh.count

    def join(self, ticket: Waiter) -> None:
        self._of(ticket.priority)[not ticket.retry].push(ticket)

    def leave(self, ticket: Waiter) -> None:
        self._of(ticket.priority)[not ticket.retry].remove(ticket)

    def serve(self, ticket: Waiter) -> None:
        """Take out the one whose turn it is, and keep the books between the classes."""
        self.leave(ticket)
        if not self.waiting(Priority.BULK):
            self._due = 0.0
        elif ticket.priority is Priority.INTERACTIVE:
            self._due = min(self._due + 1 / _PER_BULK, 2.0)
        else:
            self._due = max(0.0, self._due - 1)

    def ahead(self, ticket: Waiter) -> float:
        """Cost of everything that goes before ``ticket``, in O(log n)."""
        again, fresh = self._of(ticket.priority)
        own = again.ahead(ticket) if ticket.retry else again.cost + fresh.ahead(ticket)
        return self._with_others(ticket.priority, own, ticket.cost)

    def ahead_of_new(self, priority: Priority, cost: int, retry: bool) -> float:
        """The same for somebody who would join now."""
        again, fresh = self._of(priority)
        return self._with_others(priority, again.cost + (0 if retry else fresh.cost), cost)

    def _with_others(self, priority: Priority, own: float, cost: int) -> float:
        """Add what the other class has before it.

        Of the two who are first in their classes, one has to have nothing before it, or they
        could wait for each other for ever: bulk if a bulk grant is due, else interactive.
        """
        other = self._bulk if priority is Priority.INTERACTIVE else self._interactive
        waiting = other[0].cost + other[1].cost
        if not waiting:
            return own
        each = waiting / (other[0].count + other[1].count)
        grants = own / max(1, cost)
        if priority is Priority.INTERACTIVE:
            turns = float(int(self._due + grants / _PER_BULK + _ROUNDING))
        else:
            turns = max(0.0, (grants + 1 - _ROUNDING - self._due) * _PER_BULK)
        first = (other[0] if other[0].count else other[1]).first()
        return own + (min(waiting, max(first, turns * each)) if turns else 0.0)

    def _of(self, priority: Priority) -> tuple[_Fifo, _Fifo]:
        return self._interactive if priority is Priority.INTERACTIVE else self._bulk


class _Fifo:
    """A queue that anybody may leave, and that knows the cost before each place (a Fenwick tree)."""

    __slots__ = ("_head", "_next", "_tickets", "_tree", "cost", "count")

    def __init__(self) -> None:
        self._tickets: list[Waiter | None] = []
        self._tree: list[int] = []
        self._head = 0
        self._next = 0
        self.cost = 0
        self.count = 0

    def push(self, ticket: Waiter) -> None:
        if self._next == len(self._tickets):
            self._rebuild()
        self._put(ticket)
        self.cost += ticket.cost
        self.count += 1

    def remove(self, ticket: Waiter) -> None:
        self._tickets[ticket.place] = None
        self._add(ticket.place, -ticket.cost)
        self.cost -= ticket.cost
        self.count -= 1

    def first(self) -> int:
        """The cost of the one who is next. There has to be one."""
        while (ticket := self._tickets[self._head]) is None:
            self._head += 1
        return ticket.cost

    def ahead(self, ticket: Waiter) -> int:
        total, index, tree = 0, ticket.place, self._tree
        while index > 0:
            total += tree[index]
            index &= index - 1
        return total

    def _put(self, ticket: Waiter) -> None:
        ticket.place = self._next
        self._tickets[self._next] = ticket
        self._next += 1
        self._add(ticket.place, ticket.cost)

    def _add(self, place: int, cost: int) -> None:
        index, tree = place + 1, self._tree
        while index < len(tree):
            tree[index] += cost
            index += index & -index

    def _rebuild(self) -> None:
        waiting = [ticket for ticket in self._tickets if ticket is not None]
        size = max(_SMALLEST, 2 * len(waiting))
        self._tickets = [None] * size
        self._tree = [0] * (size + 1)
        self._head = self._next = 0
        for ticket in waiting:
            self._put(ticket)
