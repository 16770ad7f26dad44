"""What the hooks of ``safekv.subscribe`` are told of a call, and of a token: that it begins, and how it ended."""

from __future__ import annotations

import re
from typing import Any

from azure.core.pipeline import PipelineRequest, PipelineResponse

from safekv import _events
from safekv._clock import SYSTEM_CLOCK, Clock
from safekv._identifiers import host_of_resource
from safekv._operations import operation_of
from safekv.connection.pipeline._reading import client_request_id, path_of
from safekv.connection.tokens._tokens import TokenKey

_NAME = re.compile("[0-9A-Za-z-]{1,127}")
_NO_NAMES = frozenset({"contacts", "issuers", "restore"})


class Telling:
    """Around one call, in either colour."""

    __slots__ = ("_about", "_began", "_clock", "_name", "_request", "_request_id", "_status")

    def __init__(self, request: PipelineRequest[Any]) -> None:
        http = request.http_request
        path = path_of(http.url)
        self._request = request
        self._clock: Clock = getattr(request.context.transport, "clock", SYSTEM_CLOCK)
        self._about = (_host_of(http.url), operation_of(http.method, path).name, http.method)
        self._name = name_in(path) if _events.named() else None
        self._status: int | None = None
        self._request_id: str | None = None

    def __enter__(self) -> Telling:
        self._began = self._clock.monotonic()
        _events.emit(_events.CallStarted(*self._about))
        return self

    def answered(self, response: PipelineResponse[Any, Any]) -> PipelineResponse[Any, Any]:
        """Take note of the answer; returns it."""
        self._status = response.http_response.status_code
        self._request_id = response.http_response.headers.get("x-ms-request-id")
        return response

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        repeats = self._request.context.get("retry_count")  # there once an attempt was sent
        attempts = 0 if repeats is None else repeats + 1
        _events.emit(
            _events.CallFinished(
                *self._about,
                # An error of ours has the status that it stands for, also where nothing was sent.
                status=self._status or (getattr(error, "status_code", None) if attempts else None),
                error=kind.__name__ if kind else None,
                attempts=attempts,
                seconds=self._clock.monotonic() - self._began,
                client_request_id=client_request_id(self._request),
                request_id=self._request_id or getattr(error, "request_id", None),
                name=self._name,
            )
        )


class TellingOfToken:
    """Around one question to a credential, in either colour."""

    __slots__ = ("_about", "_began")

    def __init__(self, credential: Any, key: TokenKey) -> None:
        resource = host_of_resource(_host_of(key.scopes[0])) if key.scopes else ""
        self._about = (resource, type(credential).__name__)

    def __enter__(self) -> TellingOfToken:
        self._began = SYSTEM_CLOCK.monotonic()
        return self

    def __exit__(self, kind: type[BaseException] | None, *details: object) -> None:
        seconds = SYSTEM_CLOCK.monotonic() - self._began
        _events.emit(_events.TokenFetched(*self._about, kind.__name__ if kind else None, seconds))


def name_in(path: str) -> str | None:
    """The object's name in a request's path; None for what cannot be one, and may be a value in a name's place."""
    _, _, name, *_ = (*path.split("/"), "", "")
    return name if _NAME.fullmatch(name) and name not in _NO_NAMES else None


def _host_of(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].partition("?")[0]
