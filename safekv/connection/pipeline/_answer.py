"""What an error keeps of the answer that it is about: no request body, no token, no socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, MutableMapping
from contextlib import suppress
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.core.rest import AsyncHttpResponse, HttpResponse
from azure.core.utils import CaseInsensitiveDict

from safekv.connection.wire._transport import without_secrets
from safekv.errors._reading import MOST, without_tokens


class _Kept:
    """The parts that both colours share; their names are azure-core's."""

    is_closed = True
    is_stream_consumed = True
    encoding = "utf-8"
    # In azure-core's classes these are abstract properties; here they are what they look like.
    request: Any = None
    status_code: int = 0
    reason: str = ""
    headers: MutableMapping[str, str] = CaseInsensitiveDict()
    content_type: str | None = None
    content: bytes = b""

    def __init__(self, request: Any, response: Any, content: bytes) -> None:
        self.request = without_secrets(request)
        self.status_code = response.status_code
        self.reason = response.reason
        self.headers = CaseInsensitiveDict(dict(response.headers))
        self.content_type = self.headers.get("content-type")
        self.content = content

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.status_code} {self.reason}>"

    @property
    def url(self) -> str:
        return str(self.request.url)

    def text(self, encoding: str | None = None) -> str:
        return self.content.decode(encoding or self.encoding, "replace")

    def body(self) -> bytes:
        return self.content

    def json(self) -> Any:
        return json.loads(self.content)

    def raise_for_status(self) -> None:
        raise HttpResponseError(response=self)


class KeptAnswer(_Kept, HttpResponse):  # type: ignore[misc]  # attributes for properties
    """As ``azure.core.rest.HttpResponse``, read and closed."""

    def __enter__(self) -> KeptAnswer:
        return self

    def __exit__(self, *details: object) -> None:
        """It is closed."""

    def close(self) -> None:
        """It is closed."""

    def read(self) -> bytes:
        return self.content

    def iter_raw(self, **_: Any) -> Iterator[bytes]:
        yield self.content

    def iter_bytes(self, **_: Any) -> Iterator[bytes]:
        yield self.content


class AsyncKeptAnswer(_Kept, AsyncHttpResponse):  # type: ignore[misc]  # attributes for properties
    """As ``azure.core.rest.AsyncHttpResponse``, read and closed."""

    async def __aexit__(self, *details: object) -> None:
        """It is closed."""

    async def close(self) -> None:
        """It is closed."""

    async def read(self) -> bytes:
        return self.content

    async def iter_raw(self, **_: Any) -> AsyncIterator[bytes]:
        yield self.content

    async def iter_bytes(self, **_: Any) -> AsyncIterator[bytes]:
        yield self.content


def content_of(response: Any) -> bytes:
    """The body of an answer that has been read, whatever its transport; without what may be a token."""
    content: Any = None
    with suppress(Exception):
        content = response.content
    if content is None:
        with suppress(Exception):  # azure-core's older kind
            content = response.body()
    if not isinstance(content, bytes):
        return b""
    content = content[:MOST]
    return without_tokens(content.decode("utf-8", "replace")).encode() if b"eyJ" in content else content
