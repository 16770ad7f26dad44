"""A write whose outcome is unknown: how to find out whether it was done. No I/O.

Times are compared on the vault's own clock, as the ``Date`` of its answer tells it: this
machine's may be wrong by more than a write takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any

from azure.core.rest import HttpRequest

from safekv._clock import Clock
from safekv._operations import Operation, Repeat
from safekv.connection._reading import parsed

#: Dates and creation times are in whole seconds.
_SLACK = 2.0


class Verdict(Enum):
    """What an answer to the question tells."""

    DONE = "done"  # the first attempt did it
    NOT_DONE = "not done"  # it may be repeated
    UNCLEAR = "unclear"  # somebody may have been faster, or we may not look


class Doubt:
    """One write, its question, and what the answer means.

    :param request: the write.
    :param began: when the call began, on ``clock.monotonic()``.
    """

    def __init__(self, operation: Operation, request: HttpRequest, began: float, clock: Clock) -> None:
        self._operation = operation
        self._request = request
        self._began = began
        self._clock = clock

    @property
    def asks_first(self) -> bool:
        """Whether to ask before the write is repeated; else only if the repetition is told that it comes too late."""
        return self._operation.repeat is Repeat.READ_BACK

    def too_late(self, status: int) -> bool:
        """Whether this answer to a repetition may mean that the first attempt has done it."""
        return status in (404, 409) and not self.asks_first

    @property
    def can_ask(self) -> bool:
        """Whether there is anything to ask for: a backup does not tell its name."""
        return not self._operation.name.startswith("restore_")

    def question(self) -> HttpRequest:
        """A GET for what the write was to change."""
        if self._named:
            return HttpRequest("GET", self._request.url, headers=self._headers())
        base, _, query = self._request.url.partition("?")
        scheme, _, host, collection, name, *_ = base.split("/")
        if self._operation.name.startswith("delete_"):
            collection = f"deleted{collection}"
        elif self._operation.name.startswith("recover_"):
            collection = collection.removeprefix("deleted")
        return HttpRequest("GET", f"{scheme}//{host}/{collection}/{name}?{query}", headers=self._headers())

    def _headers(self) -> dict[str, str]:
        kept = ("x-ms-client-request-id", "User-Agent")
        own = {each: self._request.headers[each] for each in kept if each in self._request.headers}
        return {"Accept": "application/json", **own}

    def judge(self, status: int, body: Any, date: str | None) -> Verdict:
        """What the answer to the question means.

        :param body: of the answer, parsed.
        :param date: its ``Date`` header.
        """
        purging = self._operation.name.startswith("purge_")
        if status == 404:
            return Verdict.DONE if purging else Verdict.NOT_DONE
        if status != 200 or not isinstance(body, Mapping):
            return Verdict.UNCLEAR
        if purging:
            return Verdict.NOT_DONE
        if self._named:
            return Verdict.DONE if self._has_our_properties(body) else Verdict.NOT_DONE
        if self._operation.name.startswith("recover_"):
            return Verdict.DONE
        since = self._since(date)
        if self._operation.name.startswith("delete_"):
            return Verdict.DONE if _number(body.get("deletedDate")) >= since else Verdict.NOT_DONE
        if _number(_attributes(body).get("created")) < since:
            return Verdict.NOT_DONE  # nobody has written since we began
        return Verdict.DONE if self._is_ours(body) else Verdict.UNCLEAR

    @property
    def status(self) -> int | None:
        """The status that the write would have been answered with, if that differs from the question's."""
        if self._operation.name.startswith("purge_"):
            return 204
        return 201 if self._named else None

    @property
    def _named(self) -> bool:
        """Whether the write makes something under a GUID, so that what is found there tells whose it is."""
        return self._operation.name == "create_role_assignment"

    def _has_our_properties(self, found: Mapping[str, Any]) -> bool:
        sent, there = (each.get("properties") if isinstance(each, Mapping) else None for each in (self._sent(), found))
        if not isinstance(sent, Mapping) or not isinstance(there, Mapping):
            return False
        return all(_last_part(there.get(name)) == _last_part(value) for name, value in sent.items())

    def _sent(self) -> Any:
        return parsed(self._request.content)

    def _since(self, date: str | None) -> float:
        """When the call began, on the vault's clock."""
        return _moment(date, self._clock.time()) - (self._clock.monotonic() - self._began) - _SLACK

    def _is_ours(self, found: Mapping[str, Any]) -> bool:
        sent = self._sent()
        if not isinstance(sent, Mapping):
            return False
        attributes = {key: value for key, value in _attributes(sent).items() if value is not None}
        # What was not sent has to be absent as well: else somebody else's tags would pass for ours.
        plain = ("value", "contentType", "tags")
        return all((sent.get(name) or None) == (found.get(name) or None) for name in plain) and all(
            _attributes(found).get(name) == value for name, value in attributes.items()
        )


def _attributes(body: Mapping[str, Any]) -> Mapping[str, Any]:
    found = body.get("attributes")
    return found if isinstance(found, Mapping) else {}


def _last_part(value: Any) -> str:
    """Of an id, which the service may write with another beginning than it was given."""
    return str(value).lower().rpartition("/")[2]


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else float("-inf")


def _moment(date: str | None, default: float) -> float:
    try:
        return parsedate_to_datetime(date).timestamp() if date else default
    except (TypeError, ValueError, OverflowError):
        return default
