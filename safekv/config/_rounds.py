"""Whether secrets that could not be read are worth another round within the call's time, and after how long.

A single call gives up after a few attempts, and at once while its vault is left alone. An application that starts
would rather wait: for a network that is not up yet, for a vault that is busy with everybody who starts just now.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

from safekv._clock import SYSTEM_RANDOM
from safekv.errors import VaultNotFound

logger = logging.getLogger("safekv")

#: Seconds before the second round, and at most before any.
_FIRST, _MOST = 0.5, 8.0
#: Seconds that have to be left for a round.
_LEAST = 0.5


def pause(host: str, failures: Collection[BaseException], rounds: int, left: float) -> float | None:
    """Seconds until the next round; None: there is none.

    :param rounds: how many there were.
    :param left: seconds that the call has.
    """
    from safekv.secrets._kept import is_transient

    # No such vault is a spelling mistake more often than a name server that is about to know better.
    if not all(is_transient(error) and not isinstance(error, VaultNotFound) for error in failures):
        return None
    asked = max((getattr(error, "retry_in", None) or 0.0 for error in failures), default=0.0)
    wait = max(asked, min(_MOST, _FIRST * 2.0 ** min(rounds, 10))) * (1 + SYSTEM_RANDOM.random() / 4)
    if wait + _LEAST > left:
        return None
    kinds = ", ".join(sorted({type(error).__name__ for error in failures}))
    logger.info("%d secrets of %s could not be read (%s); again in %.1f s", len(failures), host, kinds, wait)
    return wait
