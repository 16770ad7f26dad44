"""Events as log records: levels, fields, JSON, and what is left out."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from safekv import _events
from safekv.cache import SecretRead, ServedStale
from safekv.observability import JsonFormatter, log_events

HOST = "my.vault.azure.net"
FINE = _events.CallFinished(HOST, "get_secret", "GET", 200, None, 1, 0.25, "ours", "theirs", "db-password")
GONE = _events.CallFinished(HOST, "get_secret", "GET", 404, "SecretNotFound", 1, 0.25, "ours", "theirs", "db-password")


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def kept() -> Iterator[Kept]:
    kept, logger = Kept(), logging.getLogger("safekv.events")
    logger.addHandler(kept)
    logger.setLevel(logging.DEBUG)
    yield kept
    logger.removeHandler(kept)
    logger.setLevel(logging.NOTSET)


def tell(*events: _events.Event, **options: bool) -> None:
    stop = log_events(**options)
    for event in events:
        _events.emit(event)
    stop()
    _events.emit(FINE)  # nobody listens any more


def test_one_event_is_one_record_with_its_fields(kept: Kept) -> None:
    tell(FINE)
    (record,) = kept.records
    said = vars(record)
    assert (record.levelname, said["event"], said["vault"], said["operation"]) == (
        "INFO",
        "CallFinished",
        HOST,
        "get_secret",
    )
    assert (said["status"], said["attempts"], said["duration"]) == (200, 1, 0.25)
    assert (said["client_request_id"], said["request_id"]) == ("ours", "theirs")
    assert record.getMessage().startswith(f"CallFinished vault={HOST} operation=get_secret")


@pytest.mark.parametrize(
    ("event", "level"),
    [
        (FINE, "INFO"),
        (GONE, "WARNING"),
        (_events.CallStarted(HOST, "get_secret", "GET"), "DEBUG"),
        (_events.Throttled(HOST, "get_secret", "secrets", None, 1), "WARNING"),
        (_events.Waiting(HOST, "get_secret", "secrets", 1.0, "queue", 1), "DEBUG"),
        (_events.BreakerChanged(HOST, "open", 5.0), "WARNING"),
        (_events.BreakerChanged(HOST, "closed", 0.0), "INFO"),
        (_events.TokenFetched(HOST, "AzureCliCredential", "CredentialUnavailableError", 1.0), "WARNING"),
        (ServedStale(HOST, "db-password", "1", 400.0, "VaultUnavailable"), "WARNING"),
    ],
)
def test_levels(kept: Kept, event: _events.Event, level: str) -> None:
    tell(event)
    assert [record.levelname for record in kept.records] == [level]


def test_names_are_said_to_those_who_ask(kept: Kept) -> None:
    events = (FINE, SecretRead(HOST, "db-password", "1", False))
    tell(*events)
    assert "db-password" not in repr([vars(record) for record in kept.records])
    tell(*events, names=True)
    assert [vars(record)["object_name"] for record in kept.records[2:]] == ["db-password"] * 2


def test_json_lines(kept: Kept) -> None:
    tell(GONE)
    line = json.loads(JsonFormatter().format(kept.records[0]))
    assert (line["level"], line["logger"], line["event"], line["error"]) == (
        "WARNING",
        "safekv.events",
        "CallFinished",
        "SecretNotFound",
    )
    assert line["time"].endswith("+00:00")
    other = logging.LogRecord("other", logging.INFO, "", 1, "hello %s", ("you",), None)
    other.password = "not in it"
    plain = json.loads(JsonFormatter().format(other))
    assert plain.pop("time")
    assert plain == {"level": "INFO", "logger": "other", "message": "hello you"}


def test_what_is_not_wanted_is_not_made(kept: Kept) -> None:
    logging.getLogger("safekv.events").setLevel(logging.WARNING)
    tell(FINE, GONE)
    assert [record.levelname for record in kept.records] == ["WARNING"]
