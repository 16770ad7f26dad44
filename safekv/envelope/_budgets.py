"""How many messages this process has encrypted under each AES-256-GCM key.

With random 12-byte nonces a key is good for 2^32 messages in its life (NIST SP 800-38D, 8.3).
No process knows what the others do, so each is given a share; the counts live as long as it.
"""

from __future__ import annotations

import threading

from safekv._fork import on_fork
from safekv.envelope._errors import BudgetExhausted

MESSAGES = 1 << 32
DEFAULT_WORKERS = 64


class Budgets:
    """Counts by key id, shared by all rings of the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spent: dict[str, int] = {}
        on_fork(self)

    def spend(self, kid: str, messages: int, workers: int) -> None:
        """Count ``messages`` before they are encrypted.

        :raises BudgetExhausted: if they are more than this worker's share; none is counted then.
        """
        with self._lock:
            spent = self._spent.get(kid, 0) + messages
            if spent > MESSAGES // workers:
                raise BudgetExhausted(
                    f"This process has encrypted {spent - messages:,} messages under key {kid}; its share, one of "
                    f"{workers:,} of 2^32, is {MESSAGES // workers:,}.",
                    hint="add_key() gives a new key with a new budget. XAES-256-GCM keys need no budget.",
                )
            self._spent[kid] = spent

    def half_spent(self, kid: str, workers: int) -> bool:
        """Whether it is time to think of the next key."""
        return self._spent.get(kid, 0) >= MESSAGES // workers // 2

    def after_fork(self) -> None:
        """A child goes on from the parent's count: the safe side."""
        self._lock = threading.Lock()


BUDGETS = Budgets()
