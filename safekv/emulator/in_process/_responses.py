"""The emulator's responses in the two shapes that azure-core pipelines know, sync and aio.

``Answer`` is what both have in common. ``stop`` is the error at which reading the body ends: a
body that arrives only in part, to somebody who streams.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, MutableMapping
from email.message import Message
from http import HTTPStatus
from typing import Any

from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResponseNotReadError,
    StreamClosedError,
    StreamConsumedError,
)
from azure.core.rest import AsyncHttpResponse, HttpRequest, HttpResponse
from azure.core.utils import case_insensitive_dict

from safekv.emulator._messages import Response

_BLOCK = 4_096  # bytes per block when streaming, as in the real transports


class Answer:
    """Everything about a response that needs no reading."""

    def __init__(self, request: HttpRequest, response: Response, stop: AzureError | None = None) -> None:
        self._request = request
        self._status_code = response.status
        self._headers: MutableMapping[str, str] = case_insensitive_dict(response.headers)
        self._headers["Content-Length"] = str(len(response.body))
        self._unread = response.body
        self._stop = stop
        self._content: bytes | None = None
        self._encoding: str | None = None
        self._consumed = False
        self._closed = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.status_code} {self.reason}>"

    @property
    def request(self) -> HttpRequest:
        return self._request

    @request.setter
    def request(self, request: HttpRequest) -> None:
        self._request = request

    @property
    def url(self) -> str:
        return self._request.url

    @property
    def status_code(self) -> int:
        return self._status_code

    @status_code.setter
    def status_code(self, status: int) -> None:  # the SDK's responses allow it too
        self._status_code = status

    @property
    def reason(self) -> str:
        try:
            return HTTPStatus(self._status_code).phrase
        except ValueError:
            return ""

    @property
    def headers(self) -> MutableMapping[str, str]:
        return self._headers

    @property
    def content_type(self) -> str | None:
        return self._headers.get("Content-Type")

    @property
    def is_closed(self) -> bool:
        return self._closed

    @property
    def is_stream_consumed(self) -> bool:
        return self._consumed

    @property
    def encoding(self) -> str | None:
        return self._encoding or _charset(self.content_type)

    @encoding.setter
    def encoding(self, encoding: str | None) -> None:
        self._encoding = encoding

    @property
    def content(self) -> bytes:
        if self._content is None:
            raise ResponseNotReadError(self)
        return self._content

    def body(self) -> bytes:
        """The content, as legacy policies and libraries ask for it."""
        return self._load()

    def text(self, encoding: str | None = None) -> str:
        return self.content.decode(encoding or self.encoding or "utf-8-sig", "replace")

    def json(self) -> Any:
        return json.loads(self.text())

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise HttpResponseError(response=self)

    def _load(self) -> bytes:
        """Read everything, once; afterwards it stays readable."""
        if self._content is None:
            self._content = b"".join(self._stream())
        self._consumed = self._closed = True
        return self._content

    def _blocks(self) -> Iterator[bytes]:
        """The content in blocks: as often as one likes once it is loaded, else once."""
        if self._content is None:
            yield from self._stream()
        else:
            yield from _in_blocks(self._content)

    def _stream(self) -> Iterator[bytes]:
        if self._consumed:
            raise StreamConsumedError(self)
        if self._closed:
            raise StreamClosedError(self)
        self._consumed = True
        yield from _in_blocks(self._unread[: len(self._unread) // 2] if self._stop else self._unread)
        self._closed = True
        if self._stop:
            raise self._stop


class EmulatorResponse(Answer, HttpResponse):
    """A response of the sync transport."""

    def read(self) -> bytes:
        return self._load()

    def iter_raw(self, **_: Any) -> Iterator[bytes]:
        return self._stream()

    def iter_bytes(self, **_: Any) -> Iterator[bytes]:
        return self._blocks()

    def close(self) -> None:
        self._closed = True

    def __enter__(self) -> EmulatorResponse:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def stream_download(self, pipeline: object = None, **_: Any) -> Iterator[bytes]:
        """What legacy libraries call ``iter_bytes``."""
        return self._blocks()


class AsyncEmulatorResponse(Answer, AsyncHttpResponse):
    """A response of the aio transport."""

    async def read(self) -> bytes:
        return self._load()

    async def load_body(self) -> None:
        """What legacy libraries call ``read``."""
        self._load()

    async def iter_raw(self, **_: Any) -> AsyncIterator[bytes]:
        for block in self._stream():
            yield block

    async def iter_bytes(self, **_: Any) -> AsyncIterator[bytes]:
        for block in self._blocks():
            yield block

    def stream_download(self, pipeline: object = None, **_: Any) -> AsyncIterator[bytes]:
        """What legacy libraries call ``iter_bytes``."""
        return self.iter_bytes()

    async def close(self) -> None:
        self._closed = True

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _in_blocks(content: bytes) -> Iterator[bytes]:
    return (content[start : start + _BLOCK] for start in range(0, len(content), _BLOCK))


def _charset(content_type: str | None) -> str | None:
    message = Message()
    message["Content-Type"] = content_type or ""
    charset = message.get_param("charset")
    # A byte order mark is no part of the text.
    return "utf-8-sig" if str(charset).lower() == "utf-8" else charset and str(charset)
