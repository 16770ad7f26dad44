"""The outermost policy of the pipeline: what leaves it is an error that says what to do.

It sees what no wrapper around a method sees: each request of a pager and of a poller. What
to raise is decided by a :class:`Translation`, which both colours share.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy, ContentDecodePolicy, HTTPPolicy

from safekv import _events
from safekv._clock import SYSTEM_CLOCK
from safekv._identifiers import not_emulated
from safekv._operations import operation_of
from safekv.connection import _emulation
from safekv.connection._identity import RAW
from safekv.connection.pipeline._answer import AsyncKeptAnswer, KeptAnswer, content_of
from safekv.connection.pipeline._reading import client_request_id
from safekv.connection.pipeline._telling import Telling
from safekv.errors import SafeKVError, VaultNotFound, VaultThrottled
from safekv.errors._diagnosis import Answer, Asked, error_of
from safekv.errors._failures import not_key_vaults, original, translated

_COLLECTIONS = {f"{prefix}{name}": name for name in ("secrets", "keys", "certificates") for prefix in ("", "deleted")}
#: What every operation of the SDK raises for a status unless ``error_map=`` says otherwise.
_SDKS_OWN: Mapping[int, type[HttpResponseError]] = {
    401: ClientAuthenticationError,
    404: ResourceNotFoundError,
    409: ResourceExistsError,
}
_FRAMES = 9


class Translate(HTTPPolicy[Any, Any]):
    """Raises ``safekv.errors`` for answers of 400 and up, and for what fails on the way."""

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        if not _events.hooks:
            return self._send(request)
        with Telling(request) as telling:
            return telling.answered(self._send(request))

    def _send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        translation = Translation(request)
        try:
            response = self.next.send(request)
        except Exception as error:
            problem = translation.of_failure(error)
            if problem is None:
                raise
        else:
            if translation.is_good(response):
                return response
            if translation.streamed:
                response.http_response.read()
            problem = translation.of_answer(response, KeptAnswer)
        raise problem  # here, so that it does not lead to the other as its context


class AsyncTranslate(AsyncHTTPPolicy[Any, Any]):
    """As ``Translate``."""

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        if not _events.hooks:
            return await self._send(request)
        with Telling(request) as telling:
            return telling.answered(await self._send(request))

    async def _send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        translation = Translation(request)
        try:
            response = await self.next.send(request)
        except Exception as error:
            problem = translation.of_failure(error)
            if problem is None:
                raise
        else:
            if translation.is_good(response):
                return response
            if translation.streamed:
                await response.http_response.read()
            problem = translation.of_answer(response, AsyncKeptAnswer)
        raise problem  # here, so that it does not lead to the other as its context


class Translation:
    """What to raise in one call's place. Takes the private keyword of raw requests out of its options."""

    __slots__ = ("_raw", "_request", "streamed")

    def __init__(self, request: PipelineRequest[Any]) -> None:
        self._request = request
        self._raw = bool(request.context.options.pop(RAW, False))
        self.streamed = bool(request.context.options.get("stream", False))
        if self._raw:
            request.context[RAW] = True

    def is_good(self, response: PipelineResponse[Any, Any]) -> bool:
        """Whether the SDK is to have this answer: it asked for any, or this is one that it understands."""
        status = response.http_response.status_code
        if self._raw or _callers_own(status) is not _NOT_GIVEN:
            return True
        decoded = response.context.get(ContentDecodePolicy.CONTEXT_NAME, _UNDECODED)
        return status < 400 and (status != 200 or decoded is _UNDECODED or isinstance(decoded, Mapping))

    def of_answer(self, response: PipelineResponse[Any, Any], keep: type[Any]) -> SafeKVError:
        """The error for an answer, with what the SDK would have raised as its cause.

        :param keep: the class for what is kept of the answer.
        """
        http = response.http_response
        if http.status_code < 400:
            problem = not_key_vaults(http.headers.get("content-type"), http.status_code, self._asked())
            problem.client_request_id = client_request_id(self._request)
            return problem
        kept = keep(self._request.http_request, http, content_of(http))
        answer = Answer(kept.status_code, kept.reason, kept.headers, kept.content)
        problem = error_of(answer, self._asked(), retry_in=self._retry_in(kept.headers))
        cause = _as_the_sdk(kept, problem.message)
        vars(problem).update(response=kept, reason=kept.reason, error=cause.error)
        problem.client_request_id = client_request_id(self._request)
        problem.__cause__ = cause
        return problem

    def of_failure(self, error: Exception) -> Exception | None:
        """The error for an exception on the way; None if it is not for us to translate."""
        problem = translated(error, self._asked())
        if problem is None:
            return None
        problem.client_request_id = client_request_id(self._request)
        problem.__cause__ = original(error.__cause__ if problem is error else error)
        if isinstance(problem, VaultNotFound):
            _advise_here(problem)
        problem.__context__ = problem.__traceback__ = None
        kind = _callers_own(problem.status_code) if isinstance(problem, VaultThrottled) else _NOT_GIVEN
        if isinstance(kind, type) and issubclass(kind, HttpResponseError):  # the waiting is over, and so is the answer
            own = kind(problem.message)
            own.status_code, own.__cause__ = problem.status_code, problem
            return own
        return problem

    def _asked(self) -> Asked:
        http = self._request.http_request
        parts = urlsplit(http.url)
        collection, _, rest = parts.path.strip("/").partition("/")
        facts = {}
        if collection in _COLLECTIONS:
            facts["collection"] = _COLLECTIONS[collection]
            name = unquote(rest.partition("/")[0])
            if name and name != "restore":
                facts["name"] = name
        return Asked(parts.netloc, operation_of(http.method, parts.path).name, facts)

    def _retry_in(self, headers: Mapping[str, str]) -> float | None:
        from safekv.resilience._retry_after import retry_after

        clock = getattr(self._request.context.transport, "clock", SYSTEM_CLOCK)
        return retry_after(headers, clock.time())


_UNDECODED = object()
_NOT_GIVEN = object()


def _advise_here(problem: VaultNotFound) -> None:
    """What Azure's users are advised is of no use where the vaults are an emulator's."""
    host = problem.vault or ""
    here = _emulation.lacking(host) or not_emulated(host)
    if here:
        problem.hint, problem.remedies, problem.guide_url = here, (), None


def _as_the_sdk(kept: Any, message: str) -> HttpResponseError:
    """The error that the SDK makes of this answer."""
    kind = _SDKS_OWN.get(kept.status_code, HttpResponseError)
    try:
        error = kind(response=kept)
    except RecursionError:  # a body of brackets
        error = kind(message)
    error.exc_value = error.exc_traceback = None  # what the application is handling is not ours to keep
    return error


def _callers_own(status: int | None) -> Any:
    """What the operation that waits for this answer was given in ``error_map=`` for its status.

    The SDK's operations take that keyword out before the pipeline sees it, into a local
    variable. There is no other way to honour it, and where there is none nothing is lost:
    what is raised then is a subclass of what the SDK raises without the keyword.
    """
    if status is None or status < 400:
        return _NOT_GIVEN
    frame = sys._getframe(2).f_back
    for _ in range(_FRAMES):
        if frame is None:
            break
        if frame.f_globals.get("__name__", "").startswith("azure.keyvault."):
            found = frame.f_locals.get("error_map")
            if isinstance(found, Mapping):
                kind = found.get(status)
                return _NOT_GIVEN if kind is _SDKS_OWN.get(status) else kind
        frame = frame.f_back
    return _NOT_GIVEN
