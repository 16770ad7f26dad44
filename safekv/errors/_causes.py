"""What an exception was made from, through all the layers that wrapped it."""

from __future__ import annotations

import socket
from collections.abc import Iterator

#: What urllib3 and aiohttp raise before a byte of the request is on its way, and what their subclasses stand for.
_NOT_SENT = frozenset({"NewConnectionError", "ConnectTimeoutError", "ClientConnectorError", "ConnectionTimeoutError"})


def before_sending(cause: BaseException) -> bool:
    """Whether this was raised before a byte of the request was on its way."""
    if isinstance(cause, (socket.gaierror, ConnectionRefusedError)):
        return True
    return any(kind.__name__ in _NOT_SENT for kind in type(cause).__mro__)


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it was made from, however the layers below wrapped it.

    Not its ``__context__``: that leads on to whatever the application was handling.
    """
    seen: set[int] = set()
    pending = [error]
    while pending:
        current = pending.pop()
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        wrapped = (getattr(current, "inner_exception", None), getattr(current, "reason", None))
        pending += [current.__cause__, *wrapped, *current.args]
