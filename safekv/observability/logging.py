"""Events as records of the standard library's ``logging``, with their fields as the record's ``extra``.

::

    import logging
    from safekv.observability import JsonFormatter, log_events

    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logging.getLogger("safekv.events").addHandler(handler)
    stop = log_events()

A record has ``event`` (``CallFinished``), ``vault``, and what the event has of ``operation``,
``status``, ``error``, ``attempts``, ``duration`` (seconds), ``client_request_id``, ``request_id`` and
so on; see ``safekv.events``. None of them is a value or a token. Names of objects are left out
unless they are asked for.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime, timezone
from typing import Any

from safekv import _events
from safekv.cache import RefreshFailed, ServedStale

__all__ = ["JsonFormatter", "log_events"]

#: What a record would call otherwise: ``name`` is the logger's, and a duration is a duration.
_RENAMED = {"name": "object_name", "seconds": "duration", "elapsed": "duration"}
_WARNINGS = (_events.Throttled, _events.GaveUp, RefreshFailed, ServedStale)
_DETAILS = (_events.CallStarted, _events.RequestFinished)


def log_events(
    logger: str | logging.Logger = "safekv.events", *, names: bool = False, calls: int = logging.INFO
) -> Callable[[], None]:
    """One record for each event from now on; the answer ends that.

    Failed calls, 429s, failed refreshes and what opens a breaker are warnings. Requests and the beginnings
    of calls are for DEBUG, for they are many.

    :param names: say the names of objects, as ``object_name``.
    :param calls: the level of calls that went well, and of what else is no trouble.
    """
    log = logging.getLogger(logger) if isinstance(logger, str) else logger

    def hook(event: _events.Event) -> None:
        level = _level(event, calls)
        if log.isEnabledFor(level):
            extra = _extra(event, names)
            log.log(level, "%s", _text(extra), extra=extra)

    return _events.subscribe(hook, names=names)


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: ``time``, ``level``, ``logger``, ``message``, and an event's fields.

    What other libraries put into a record's ``extra`` is not in it.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name in _FIELDS}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def _level(event: _events.Event, calls: int) -> int:
    if isinstance(event, _DETAILS) or (isinstance(event, _events.Waiting) and event.reason == "queue"):
        return logging.DEBUG
    failed = getattr(event, "error", None) is not None or (getattr(event, "status", None) or 0) >= 400
    if failed or isinstance(event, _WARNINGS) or getattr(event, "state", None) == "open":
        return logging.WARNING
    return calls


def _extra(event: _events.Event, names: bool) -> dict[str, Any]:
    extra: dict[str, Any] = {"event": type(event).__name__}
    for field in fields(event):
        if field.name != "name" or names:
            extra[_RENAMED.get(field.name, field.name)] = getattr(event, field.name)
    return extra


def _text(extra: dict[str, Any]) -> str:
    """The event for whoever reads the message alone."""
    about = (f"{name}={value}" for name, value in extra.items() if name != "event" and value is not None)
    return f"{extra['event']} {' '.join(about)}"


def _every(kind: type) -> set[str]:
    own = {_RENAMED.get(field.name, field.name) for field in fields(kind)}
    return own.union(*map(_every, kind.__subclasses__()))


_FIELDS = frozenset({"event", *_every(_events.Event)})
