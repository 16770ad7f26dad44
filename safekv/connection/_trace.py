"""The SDK's network trace (``logging_enable=True``) without what nobody is to see.

The SDK's own writes bodies and the ``Authorization`` header to the log: every secret that is
read, and the token. Here the log says that there was a body, how long it was, and no more.
Who needs to see everything gives ``logging_policy=NetworkTraceLoggingPolicy()`` of azure-core.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import HttpLoggingPolicy, NetworkTraceLoggingPolicy

from safekv import _events

_SHOWN = frozenset(
    name.lower()
    for name in (
        *HttpLoggingPolicy.DEFAULT_HEADERS_ALLOWLIST,
        "x-ms-keyvault-network-info",
        "x-ms-keyvault-region",
        "x-ms-keyvault-service-version",
    )
)


class RedactedTrace(NetworkTraceLoggingPolicy):
    """As the SDK's ``NetworkTraceLoggingPolicy``, in both colours, without bodies and tokens.

    It stands before the policy of azure-core that makes spans, and has that keep still while a hook makes them:
    one is enough, and azure-core's have the whole URL, with the object's name.
    """

    def on_request(self, request: PipelineRequest[Any]) -> None:
        if _events.traced():
            request.context.options.setdefault("tracing_options", {"enabled": False})
        http = request.http_request
        shown: Any = http
        if request.context.options.get("logging_enable", self.enable_http_logger):
            shown = SimpleNamespace(
                url=http.url, method=http.method, headers=_shown(http.headers), body=_length(http.content)
            )
        super().on_request(PipelineRequest(shown, request.context))

    def on_response(self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]) -> None:
        http = response.http_response
        shown: Any = http
        if response.context.get("logging_enable"):
            length = http.headers.get("Content-Length")
            body = f"(a body of {length} bytes, not shown)" if length else "(a body, not shown)"
            shown = SimpleNamespace(status_code=http.status_code, headers=_shown(http.headers), text=lambda: body)
        super().on_response(request, PipelineResponse(request.http_request, shown, response.context))


def _shown(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value if name.lower() in _SHOWN else "REDACTED" for name, value in headers.items()}


def _length(content: Any) -> str | None:
    if not content:
        return None
    return (
        f"(a body of {len(content)} bytes, not shown)" if isinstance(content, (str, bytes)) else "(a body, not shown)"
    )
