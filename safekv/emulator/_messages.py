"""What goes into the emulator and what comes out: plain data, no sockets.

Every adapter (in-process transport, HTTPS server) turns its own request into a
:class:`Request`, calls ``Emulator.handle`` and carries out the :class:`Reply`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request.

    ``authority`` is the lower-case host, with the port unless it is 443. ``headers`` has
    lower-case keys. ``query`` keeps the last value of a repeated parameter.
    """

    method: str
    authority: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response. ``delay`` is how many seconds the adapter waits before sending it."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    delay: float = 0.0

    @classmethod
    def json(cls, status: int, document: Any, headers: Mapping[str, str] | None = None) -> Response:
        body = json.dumps(document, separators=(",", ":")).encode()
        return cls(status, {"Content-Type": "application/json; charset=utf-8", **(headers or {})}, body)


class Network(str, Enum):
    """How a connection can fail below HTTP."""

    DNS = "dns"  # the name does not resolve
    REFUSED = "refused"  # nobody listens
    BAD_CERTIFICATE = "bad-certificate"  # TLS verification fails
    RESET_BEFORE = "reset-before"  # closed before the request was processed
    RESET_AFTER = "reset-after"  # processed, then closed before the answer was sent
    TRUNCATED = "truncated"  # processed, and half of the answer's body arrives
    BLACK_HOLE = "black-hole"  # no answer ever comes


@dataclass(frozen=True, slots=True)
class NetworkFault:
    """Instead of an answer, the connection fails. ``response`` is what TRUNCATED cuts short."""

    kind: Network
    response: Response | None = None
    delay: float = 0.0


Reply = Response | NetworkFault
