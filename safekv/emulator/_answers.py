"""What every answer has in common: the service's headers, its error bodies, its Retry-After."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate
from http import HTTPStatus

from safekv.emulator._messages import Request, Response
from safekv.emulator._settings import EmulatorSettings
from safekv.errors._catalogue import ServiceError, by_id

_LONGEST_ECHO = 128
LAST_SECOND = 253_402_300_799  # of the year 9999
_COMMON = {
    "Cache-Control": "no-cache",
    "Pragma": "no-cache",
    "Expires": "-1",
    "x-ms-keyvault-network-info": "conn_type=Ipv4;addr=127.0.0.1;act_addr_fam=InterNetwork;",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=31536000;includeSubDomains",
}


class Refused(Exception):
    """The service says no, with the error of this row of the catalogue."""

    def __init__(self, row_id: str, **places: str) -> None:
        super().__init__(row_id)
        self.row_id = row_id
        self.places = places


def error(row: ServiceError, places: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Response:
    """The answer that this row describes, with its places filled in."""
    body = row.body(**places)
    kind = {"Content-Type": "application/json; charset=utf-8"} if body else {}
    return Response(row.status, {**kind, **(headers or {})}, body)


def reworded(row_id: str, changes: Mapping[str, str]) -> ServiceError:
    """A row with other values in the place of its examples."""
    row = by_id(row_id)
    message = row.message or ""
    for example, value in changes.items():
        message = message.replace(example, value)
    return replace(row, message=message)


def bare(status: int) -> Response:
    """An answer of a status for which no real body is known."""
    if status < 400:
        return Response(status)
    phrase = next((known.phrase for known in HTTPStatus if known == status), "Error")
    return Response.json(status, {"error": {"code": phrase.replace(" ", ""), "message": phrase}})


def with_service_headers(
    response: Response, request: Request, settings: EmulatorSettings, request_id: str, now: float
) -> Response:
    """``now``: seconds since 1970, on the emulator's clock."""
    headers = {
        **_COMMON,
        "Date": formatdate(min(max(now, 0), LAST_SECOND), usegmt=True),
        **response.headers,
        "x-ms-keyvault-region": settings.region,
        "x-ms-keyvault-service-version": settings.service_version,
        "x-ms-request-id": request_id,
    }
    client_request_id = request.headers.get("x-ms-client-request-id")
    if client_request_id and is_plain(client_request_id):
        headers["x-ms-client-request-id"] = client_request_id
    return replace(response, headers=headers)


def with_arm_headers(response: Response, request: Request, request_id: str, now: float) -> Response:
    """The same for an answer of the control plane."""
    headers = {
        "Cache-Control": "no-cache",
        "Pragma": "no-cache",
        "Expires": "-1",
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
        "X-Content-Type-Options": "nosniff",
        "Date": formatdate(min(max(now, 0), LAST_SECOND), usegmt=True),
        **response.headers,
        "x-ms-request-id": request_id,
        "x-ms-correlation-request-id": request_id,
    }
    client_request_id = request.headers.get("x-ms-client-request-id")
    if client_request_id and is_plain(client_request_id):
        headers["x-ms-client-request-id"] = client_request_id
    return replace(response, headers=headers)


def is_plain(text: str) -> bool:
    """Whether a client's text can be put into a header: short, printable ASCII."""
    return len(text) <= _LONGEST_ECHO and text.isascii() and text.isprintable()


def retry_after_header(style: str, seconds: float, now: float) -> dict[str, str]:
    """``Retry-After`` in one of ``RETRY_AFTER_STYLES``; ``now`` is seconds since 1970."""
    if style == "http-date":
        return {"Retry-After": formatdate(min(max(now + seconds, 0), LAST_SECOND), usegmt=True)}
    if style == "seconds":
        return {"Retry-After": str(math.ceil(seconds))}
    return {style: str(math.ceil(seconds * 1000))}
