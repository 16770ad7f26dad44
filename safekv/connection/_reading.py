"""What a request and a response say, whatever they are made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_LONGEST_ID = 100  # characters of what somebody else has chosen


def path_of(url: str) -> str:
    """Of ``https://host/path?query``; ``urlsplit`` costs ten times as much."""
    parts = url.partition("?")[0].split("/", 3)
    return "/" + parts[3] if len(parts) > 3 else "/"


def client_request_id(request: Any) -> str | None:
    """What the SDK's policy, or the caller, has put into the header of a pipeline's request."""
    given = request.http_request.headers.get("x-ms-client-request-id")
    return str(given)[:_LONGEST_ID] if given else None


def text_of(http: Any) -> str | None:
    """The body of a response, if it has been read."""
    try:
        text: str = http.text()
        return text
    except Exception:  # a stream that nobody has read, a body in no encoding: then it says nothing
        return None


def error_in(http: Any) -> tuple[str | None, str | None, str] | None:
    """Code, inner code and message of an error of the service."""
    body = parsed(text_of(http))
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return None
    inner = error.get("innererror")
    inner_code = inner.get("code") if isinstance(inner, Mapping) else None
    return error.get("code"), inner_code, str(error.get("message", ""))


def parsed(content: Any) -> Any:
    """``content`` as JSON; None if it is none."""
    try:
        return json.loads(content)
    except (TypeError, ValueError, RecursionError):  # the last for a body of brackets
        return None
