"""What an answer to the question "was it written?" means, whatever it contains."""

from __future__ import annotations

import json
from email.utils import formatdate
from typing import Any

import pytest
from azure.core.rest import HttpRequest
from hypothesis import given
from hypothesis import strategies as st

from safekv._clock import VirtualClock
from safekv._operations import operation_of
from safekv.connection._doubt import Doubt, Verdict

HOST = "https://my-vault.vault.azure.net"
ASSIGNMENT = "/keys/app/providers/Microsoft.Authorization/roleAssignments/0123"
NOW = 1_800_000_000.0
BEGAN = NOW - 10


def doubt(method: str, path: str, **body: Any) -> Doubt:
    """A write that began 10 s ago, on a machine whose clock is an hour behind the vault's."""
    clock = VirtualClock(NOW - 3_600)
    request = HttpRequest(method, f"{HOST}{path}?api-version=7.5", json=body or None)
    it = Doubt(operation_of(method, path), request, clock.monotonic(), clock)
    clock.advance(10)
    return it


@pytest.mark.parametrize(
    ("method", "path", "asked"),
    [
        ("PUT", "/secrets/a", "/secrets/a"),
        ("DELETE", "/secrets/keys", "/deletedsecrets/keys"),
        ("DELETE", "/keys/secrets", "/deletedkeys/secrets"),
        ("DELETE", "/certificates/a", "/deletedcertificates/a"),
        ("DELETE", "/deletedsecrets/a", "/deletedsecrets/a"),
        ("POST", "/deletedsecrets/deletedsecrets/recover", "/secrets/deletedsecrets"),
        ("POST", "/deletedkeys/recover/recover", "/keys/recover"),
        ("PUT", ASSIGNMENT, ASSIGNMENT),
    ],
)
def test_what_is_asked(method: str, path: str, asked: str) -> None:
    question = doubt(method, path).question()
    assert (question.method, question.url) == ("GET", f"{HOST}{asked}?api-version=7.5")
    assert "Authorization" not in question.headers


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, {"properties": {"principalId": "AB", "roleDefinitionId": "x/1", "scope": "/"}}, Verdict.DONE),
        (200, {"properties": {"principalId": "ab", "roleDefinitionId": "/p/x/1"}}, Verdict.DONE),
        (200, {"properties": {"principalId": "ab", "roleDefinitionId": "x/2"}}, Verdict.NOT_DONE),
        (200, {"properties": {"principalId": "cd", "roleDefinitionId": "x/1", "scope": "/"}}, Verdict.NOT_DONE),
        (200, {"properties": None}, Verdict.NOT_DONE),
        (200, {}, Verdict.NOT_DONE),
        (404, {"error": {}}, Verdict.NOT_DONE),
        (403, {"error": {}}, Verdict.UNCLEAR),
        (200, None, Verdict.UNCLEAR),
    ],
)
def test_a_role_assignment_is_ours_if_it_says_what_we_said(status: int, body: Any, verdict: Verdict) -> None:
    it = doubt("PUT", ASSIGNMENT, properties={"principalId": "ab", "roleDefinitionId": "x/1"})
    assert it.judge(status, body, None) is verdict
    assert (it.status, it.asks_first, it.too_late(409)) == (201, False, True)


def secret(value: str = "mine", created: float = BEGAN + 1, **more: Any) -> dict[str, Any]:
    return {"value": value, "attributes": {"created": int(created), "enabled": True}, **more}


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, secret(), Verdict.DONE),
        (200, secret(created=BEGAN - 60), Verdict.NOT_DONE),
        (200, secret("other", created=BEGAN - 60), Verdict.NOT_DONE),
        (200, secret("other"), Verdict.UNCLEAR),
        (404, {}, Verdict.NOT_DONE),
        (403, {}, Verdict.UNCLEAR),
        (200, None, Verdict.UNCLEAR),
        (200, [], Verdict.UNCLEAR),
    ],
)
def test_a_secret(status: int, body: Any, verdict: Verdict) -> None:
    assert doubt("PUT", "/secrets/a", value="mine").judge(status, body, formatdate(NOW, usegmt=True)) is verdict


@pytest.mark.parametrize(
    ("sent", "found", "verdict"),
    [
        ({"tags": {"a": "b"}}, {"tags": {"a": "b"}}, Verdict.DONE),
        ({"tags": {"a": "b"}}, {}, Verdict.UNCLEAR),
        ({}, {"tags": {"a": "b"}}, Verdict.UNCLEAR),
        ({"tags": {}}, {"tags": {"a": "b"}}, Verdict.UNCLEAR),
        ({}, {"contentType": "other"}, Verdict.UNCLEAR),
        ({"contentType": "text"}, {"contentType": "other"}, Verdict.UNCLEAR),
        ({"attributes": {"enabled": False}}, {}, Verdict.UNCLEAR),
        ({"attributes": {"enabled": True, "exp": None}}, {}, Verdict.DONE),
    ],
)
def test_ours_is_what_has_all_that_we_sent(sent: dict[str, Any], found: dict[str, Any], verdict: Verdict) -> None:
    it = doubt("PUT", "/secrets/a", value="mine", **sent)
    assert it.judge(200, secret(**found), formatdate(NOW, usegmt=True)) is verdict


@pytest.mark.parametrize(("deleted", "verdict"), [(BEGAN + 1, Verdict.DONE), (BEGAN - 60, Verdict.NOT_DONE)])
def test_deleting(deleted: float, verdict: Verdict) -> None:
    it = doubt("DELETE", "/secrets/a")
    assert it.judge(200, {"deletedDate": int(deleted)}, formatdate(NOW, usegmt=True)) is verdict
    assert it.judge(404, {}, None) is Verdict.NOT_DONE


def test_recovering_and_purging() -> None:
    assert doubt("POST", "/deletedsecrets/a/recover").judge(200, {}, None) is Verdict.DONE
    assert doubt("POST", "/deletedsecrets/a/recover").judge(404, {}, None) is Verdict.NOT_DONE
    assert doubt("DELETE", "/deletedsecrets/a").judge(404, {}, None) is Verdict.DONE
    assert doubt("DELETE", "/deletedsecrets/a").judge(200, {}, None) is Verdict.NOT_DONE


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["value", "attributes", "created", "deletedDate", "tags"]), inner)
    ),
    max_leaves=8,
)


@given(st.sampled_from([200, 400, 403, 404, 409]), ANY, st.none() | st.text(), st.sampled_from(["PUT", "DELETE"]))
def test_whatever_comes_back(status: int, body: Any, date: str | None, method: str) -> None:
    it = doubt(method, "/secrets/a", value="mine")
    verdict = it.judge(status, body, date)
    if method == "PUT" and verdict is Verdict.DONE:
        assert body["value"] == "mine"
    json.dumps(body)
