"""What the service itself would answer: authentication, throttling, then the operation."""

from __future__ import annotations

import re

from safekv.emulator import _answers, _enforcement, _local_access
from safekv.emulator._auth import Authentication
from safekv.emulator._call import Call
from safekv.emulator._messages import Response
from safekv.emulator._vault import Surroundings
from safekv.errors._catalogue import by_id

_LATEST_API_VERSION = "2026-04-01"
_API_VERSION = re.compile(
    r"(2016-10-01|7\.[0-6]|2025-07-01|2026-04-01)(-preview(\.\d+)?)?|2025-06-01-preview", re.ASCII
)


class Service:
    """A service without faults."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.authentication = Authentication(surroundings)

    def answer(self, call: Call) -> Response:
        call.vault.settle(call.now)
        return self._unauthorised(call) or self._throttled(call) or self._forbidden(call) or _performed(call)

    def _unauthorised(self, call: Call) -> Response | None:
        return self.authentication.refuse(call.vault, call.token, call.now)

    def _throttled(self, call: Call) -> Response | None:
        limits, route = call.vault.limits, call.target.route
        limit_class, weight = route.charge(call) if route else ("other", 1)
        wait = call.vault.throttle.refuse(limits, limit_class, call.now, weight)
        if wait is None:
            return None
        style = limits.retry_after
        return _answers.error(by_id("429"), {}, _answers.retry_after_header(style, wait, call.now) if style else None)

    def _forbidden(self, call: Call) -> Response | None:
        if not call.vault.enforce or call.operation is None or call.target.refused is not None:
            return None
        payload = self.authentication.payload(call.token)
        if call.vault.hsm:
            return _local_access.refuse(call, _enforcement.identity_of(payload))
        return _enforcement.refuse(call.vault, payload, call.operation, call.name, call.now)


def _performed(call: Call) -> Response:
    route, refused = call.target.route, call.target.refused
    try:
        if refused is not None:
            raise refused
        assert route is not None  # a target without a route is a refused one
        if route.versioned:
            _check_api_version(call.query.get("api-version", ""))
        return route.handler(call)
    except _answers.Refused as problem:
        return _answers.error(by_id(problem.row_id), problem.places)


def _check_api_version(given: str) -> None:
    if not _API_VERSION.fullmatch(given):
        raise _answers.Refused("400_api_version", version=given, latest=_LATEST_API_VERSION)
