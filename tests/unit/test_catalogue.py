"""The one table of the service's errors."""

from __future__ import annotations

import json

import pytest

from safekv.errors._catalogue import ROWS, ServiceError, by_id, match


def test_rows_are_unique() -> None:
    assert len({row.id for row in ROWS}) == len(ROWS)
    known = [(row.plane, row.status, row.code, row.inner_code, row.message) for row in ROWS]
    assert len(set(known)) == len(known)
    assert len(ROWS) >= 50


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_each_row(row: ServiceError) -> None:
    assert by_id(row.id) is row
    assert row.plane in ("vault", "mhsm", "arm")
    assert 400 <= row.status <= 599
    assert row.id.startswith((str(row.status), "arm_"))
    if row.code is None:
        assert row.body() == b""
        return
    error = json.loads(row.body())["error"]
    assert error["code"] == row.code
    assert error["message"] == row.message
    assert error.get("innererror", {}).get("code") == row.inner_code
    assert (row.status == 429) <= row.transient
    assert row.topic.transient == row.transient
    assert row.kind
    assert row.topic.repeat == (row.status < 500)


def test_places_are_filled_in() -> None:
    message = json.loads(by_id("404_secret_short").body(name='quote " and \\', surplus="x"))["error"]["message"]
    assert message == 'Secret not found: quote " and \\'
    assert b"<name>" in by_id("404_secret_short").body()
    assert b"<vault>" in by_id("403_rbac").body(name="n")


def test_an_unknown_id_is_named() -> None:
    with pytest.raises(KeyError, match="no_such_row"):
        by_id("no_such_row")


@pytest.mark.parametrize("row", [row for row in ROWS if row.message], ids=lambda row: row.id)
def test_an_answer_is_recognised(row: ServiceError) -> None:
    sent = json.loads(row.body(name="db-password", appid="1", oid="2", tenant="3", vault="v", region="r"))["error"]
    inner = sent.get("innererror", {}).get("code")
    assert match(row.status, sent["code"], inner, sent["message"]) is row
    assert match(row.status, "Other", inner, sent["message"]) is None
    assert match(418, sent["code"], inner, sent["message"]) is None
