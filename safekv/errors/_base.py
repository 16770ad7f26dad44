"""What every error of safekv has: the fields, the text, and how it travels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class SafeKVError(Exception):
    """Base of all errors that safekv raises itself.

    :param message: what happened and to what; for an answer of the service, its own words.
    :param hint: what to do about it, in one sentence or two.
    :param guide_url: where Microsoft's troubleshooting guide says more.
    :param remedies: further things to do, the likeliest first; a command to copy begins with ``az ``.
    :param code: the service's error code (``Throttled``, ``Forbidden``).
    :param inner_code: the service's inner code (``ForbiddenByRbac``).
    :param vault: the vault's host name.
    :param operation: the SDK's name for what was asked (``get_secret``).
    :param request_id: ``x-ms-request-id`` of the answer, which is the audit log's CorrelationId.
    :param client_request_id: ``x-ms-client-request-id`` of all requests of the call: ours, or the caller's.
    :param retry_in: seconds after which trying again makes sense.
    :param transient: whether the same call may succeed later without anybody changing anything.
    :param status_code: the answer's HTTP status.
    :param details: what the answer says of caller and cause, as far as it does: ``permission``,
        ``action``, ``role``, ``oid``, ``appid``, ``tenant``, ``scope``, ``address``, ``region``, …
    """

    transient: bool = False
    status_code: int | None = None

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        guide_url: str | None = None,
        remedies: tuple[str, ...] = (),
        code: str | None = None,
        inner_code: str | None = None,
        vault: str | None = None,
        operation: str | None = None,
        request_id: str | None = None,
        client_request_id: str | None = None,
        retry_in: float | None = None,
        transient: bool | None = None,
        status_code: int | None = None,
        details: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.guide_url = guide_url
        self.remedies = remedies
        self.code = code
        self.inner_code = inner_code
        self.vault = vault
        self.operation = operation
        self.request_id = request_id
        self.client_request_id = client_request_id
        self.retry_in = retry_in
        if transient is not None:
            self.transient = transient
        # azure-core's HttpResponseError has just set it to None.
        self.status_code = type(self).status_code if status_code is None else status_code
        self.details = dict(details or {})
        self._forget_what_was_handled()

    def _forget_what_was_handled(self) -> None:
        """azure-core's errors keep the exception that was being handled: its frames hold requests."""
        if hasattr(self, "exc_traceback"):
            vars(self).update(exc_type=type(self), exc_value=None, exc_traceback=None, exc_msg=self.message)

    def __str__(self) -> str:
        command = next((each for each in self.remedies[:1] if each.startswith("az ")), None)
        return "\n".join(part for part in (self.message, self._where(), self.hint, command, self.guide_url) if part)

    def _where(self) -> str:
        """The vault, the operation and what identifies the answer, as far as they are known."""
        on = " on ".join(part for part in (self.operation, self.vault) if part)
        codes = " ".join(str(part) for part in (self.code, self.inner_code) if part)
        ours = self.client_request_id
        status = f"HTTP {self.status_code}" if self.status_code and codes else ""
        parts = (
            on,
            " ".join(part for part in (status, codes) if part),
            f"request {self.request_id}" if self.request_id else ours and f"client request {ours}",
        )
        text = ", ".join(part for part in parts if part)
        return f"[{text}]" if text else ""

    def __reduce__(self) -> tuple[Any, ...]:
        # azure-core's errors keep a traceback and a response, which must not travel.
        return _rebuild, (type(self), self.message, {name: getattr(self, name) for name in _TRAVELS})


_TRAVELS = (
    "hint",
    "guide_url",
    "remedies",
    "code",
    "inner_code",
    "vault",
    "operation",
    "request_id",
    "client_request_id",
    "retry_in",
    "transient",
    "status_code",
    "details",
)


def _rebuild(kind: type[SafeKVError], message: str, details: dict[str, Any]) -> SafeKVError:
    return kind(message, **details)
