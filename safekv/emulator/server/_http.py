"""HTTP/1.1 on one connection: read requests, write replies, carry out network faults."""

from __future__ import annotations

import io
import selectors
import socket
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from safekv._clock import SYSTEM_CLOCK
from safekv.emulator._messages import Network, NetworkFault, Request, Response
from safekv.emulator.server._services import Service

MAX_BODY = 4 * 1024 * 1024  # bytes; the largest body that Key Vault knows is far smaller
_MAX_LINE = 65_536
_LONGEST_HOLD = 3_600.0  # seconds; even a black hole ends
_BODILESS = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


class _Refused(Exception):
    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.response = Response.json(status, {"error": {"code": "BadParameter", "message": message}})


class Exchange(BaseHTTPRequestHandler):
    """Serves one connection until it ends; constructing it does the work.

    ``aborted`` then says whether the socket is to be closed with a reset.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    rfile: io.BufferedReader

    def __init__(self, connection: socket.socket, service: Service, stopping: threading.Event) -> None:
        self.aborted = False
        self._service = service
        self._stopping = stopping
        super().__init__(connection, None, None)  # type: ignore[arg-type]  # neither is used here

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(_MAX_LINE + 1)
        if not self.raw_requestline or self._stopping.is_set():
            self.close_connection = True
        elif len(self.raw_requestline) > _MAX_LINE:
            self.requestline, self.request_version, self.command = "", "", ""
            self.close_connection = True
            self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
        elif self.parse_request():
            self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the emulator keeps a journal."""

    # Requests

    def _answer(self) -> None:
        try:
            reply = self._service.answer(self._request())
        except _Refused as refused:
            self.close_connection = True
            reply = refused.response
        if not self._wait(reply.delay):
            self.close_connection = True
        elif isinstance(reply, Response):
            self._send(reply)
        else:
            self._fail(reply)

    def _request(self) -> Request:
        try:
            target = urlsplit(self.path)
        except ValueError:
            raise _Refused(HTTPStatus.BAD_REQUEST, "The request's target is not a valid path.") from None
        return Request(
            method=self.command,
            authority=self.headers.get("Host", self._service.authority).lower().removesuffix(":443"),
            path=target.path,
            query=dict(parse_qsl(target.query, keep_blank_values=True)),
            # A folded header could otherwise smuggle a line end into an answer that echoes it.
            headers={name.lower(): " ".join(value.splitlines()) for name, value in self.headers.items()},
            body=self._body(),
        )

    def _body(self) -> bytes:
        if "Transfer-Encoding" in self.headers:
            raise _Refused(HTTPStatus.LENGTH_REQUIRED, "Send a Content-Length: chunked bodies are not read here.")
        given = self.headers.get("Content-Length", "0")
        if not (given.isascii() and given.isdigit()):
            raise _Refused(HTTPStatus.BAD_REQUEST, "Content-Length is not a number of bytes.")
        length = int(given[:20])
        if length > MAX_BODY:
            self._discard(length)
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A body may have up to {MAX_BODY} bytes.")
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionAbortedError("the client left in the middle of a body")
        return body

    def _discard(self, length: int) -> None:
        """Read some of a body that is too long, so that the client comes to read the answer."""
        left = min(length, 4 * MAX_BODY)
        while left > 0 and (chunk := self.rfile.read(min(left, _MAX_LINE))):
            left -= len(chunk)

    # Replies

    def _send(self, response: Response, *, truncate: bool = False) -> None:
        body = b"" if response.status in _BODILESS else response.body
        head = [f"HTTP/1.1 {response.status} {_phrase(response.status)}"]
        head += [f"{name}: {value}" for name, value in response.headers.items()]
        if response.status not in _BODILESS:
            head.append(f"Content-Length: {len(body)}")
        if self.close_connection:
            head.append("Connection: close")
        if self.command == "HEAD":
            body = b""
        elif truncate:
            body = body[: len(body) // 2]
        self.wfile.write("\r\n".join([*head, "", ""]).encode("latin-1", "replace") + body)

    def _fail(self, fault: NetworkFault) -> None:
        if fault.kind is Network.TRUNCATED and fault.response is not None:
            self._send(fault.response, truncate=True)
        elif fault.kind is Network.BLACK_HOLE:
            self._wait(_LONGEST_HOLD)
        else:
            self.aborted = True
        self.close_connection = True

    def _wait(self, seconds: float) -> bool:
        """Let this time pass; False as soon as the client has gone or the server stops."""
        if seconds <= 0:
            return True
        deadline = SYSTEM_CLOCK.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self.connection, selectors.EVENT_READ)
            if selector.select(seconds) and not self.rfile.peek(1):
                return False
        # Either the time is over, or the client has sent its next request already.
        return not self._stopping.wait(max(0.0, deadline - SYSTEM_CLOCK.monotonic()))


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
