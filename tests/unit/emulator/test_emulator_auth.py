"""The challenge, and which tokens are turned away."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from emulator_wire import RESOURCE, START, Answer, Wire, token

from safekv.emulator import EmulatorSettings, make_token

TENANT = EmulatorSettings().tenant
OTHER = "11111111-2222-3333-4444-555555555555"
CHALLENGE = f'Bearer authorization="https://login.microsoftonline.com/{TENANT}", resource="https://vault.azure.net"'


@pytest.fixture
def wire() -> Wire:
    wire = Wire()
    wire.vault.set_secret("name", "v")
    return wire


def refused(answer: Answer, text: str) -> None:
    assert (answer.status, answer.code) == (401, "Unauthorized")
    assert answer.message.startswith(text)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer authorization=")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/secrets/name"), ("PUT", "/secrets/bad_name"), ("POST", "/secrets/restore"), ("GET", "/nowhere")],
)
def test_without_a_token_there_is_nothing_but_the_challenge(wire: Wire, method: str, path: str) -> None:
    wire.token = None
    wire.api_version = None
    answer = wire.ask(method, path)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == CHALLENGE
    assert answer.json == {
        "error": {"code": "Unauthorized", "message": "AKV10000: Request is missing a Bearer or PoP token."}
    }


def test_the_challenge_of_an_hsm_has_no_body() -> None:
    wire = Wire(hsm=True)
    wire.token = None
    answer = wire.get("/keys")
    assert (answer.status, answer.json, answer.headers.get("Content-Type")) == (401, None, None)
    assert answer.headers["WWW-Authenticate"].endswith('resource="https://managedhsm.azure.net"')
    assert wire.vault.authority == "my.managedhsm.azure.net"


def test_resource_and_tenant_are_the_vaults(wire: Wire) -> None:
    vault = wire.emulator.add_vault("other", authority="127.0.0.1:8443", resource="https://0.0.1:8443", tenant=OTHER)
    wire.vault, wire.token = vault, None
    assert wire.get("/secrets").headers["WWW-Authenticate"] == (
        f'Bearer authorization="https://login.microsoftonline.com/{OTHER}", resource="https://0.0.1:8443"'
    )
    wire.token = "any"
    assert wire.put("/secrets/a", {"value": "v"}).json["id"].startswith("https://127.0.0.1:8443/secrets/a/")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc", "PoP abc", "abc"])
def test_what_is_no_bearer_token(wire: Wire, header: str) -> None:
    from safekv.emulator import Request, Response

    request = Request("GET", "my.vault.azure.net", "/secrets", {"api-version": "7.6"}, {"authorization": header})
    reply = wire.emulator.handle(request)
    assert isinstance(reply, Response)
    assert reply.status == 401


def test_any_token_is_let_in(wire: Wire) -> None:
    for text in ("x", "a.b.c", "a.b.", make_token({"aud": RESOURCE}), make_token({})[:-3]):
        wire.token = text
        assert wire.get("/secrets/name").status == 200, text


def test_strict_tokens_refuses_those_that_are_not_ours() -> None:
    wire = Wire(EmulatorSettings(strict_tokens=True))
    refused(wire.get("/secrets"), "AKV10046: Unable to resolve the key used for signature validation.")
    wire.token = token(wire)
    assert wire.get("/secrets").status == 200


@pytest.mark.parametrize(
    ("claims", "text"),
    [
        ({"exp": START - 1}, "[TokenExpired]"),
        ({"exp": START}, "[TokenExpired]"),
        (
            {"aud": "https://management.azure.com/"},
            "AKV10022: Invalid audience. Expected https://vault.azure.net, found: https://management.azure.com/.",
        ),
        ({"aud": ["https://vault.azure.net"]}, "AKV10022"),
        ({"aud": None}, "AKV10022"),
    ],
)
def test_tokens_of_ours_that_do_not_fit(wire: Wire, claims: dict[str, Any], text: str) -> None:
    wire.token = token(wire, **claims)
    refused(wire.get("/secrets"), text)
    lenient = Wire(EmulatorSettings(check_tokens=False))
    lenient.token = wire.token
    assert lenient.get("/secrets").status == 200


def test_a_token_expires_on_the_clock(wire: Wire) -> None:
    wire.token = token(wire, exp=START + 100)
    assert wire.get("/secrets").status == 200
    wire.advance(100)
    assert wire.get("/secrets").status == 401


def test_a_resource_may_end_in_a_slash(wire: Wire) -> None:
    wire.token = token(wire, aud=f"{RESOURCE}/")
    assert wire.get("/secrets").status == 200


def test_the_tenant_matters_once_the_vault_has_moved(wire: Wire) -> None:
    wire.token = token(wire, tid=OTHER)
    assert wire.get("/secrets").status == 200
    wire.token = token(wire)
    wire.vault.tenant = OTHER
    answer = wire.get("/secrets")
    refused(answer, f"AKV10032: Invalid issuer. Expected one of https://sts.windows.net/{OTHER}/, found")
    assert f"https://sts.windows.net/{TENANT}/" in answer.message
    assert f'authorization="https://login.microsoftonline.com/{OTHER}"' in answer.headers["WWW-Authenticate"]
    wire.token = token(wire)
    assert wire.get("/secrets").status == 200


def test_check_issuer_asks_for_the_tenant_from_the_start() -> None:
    wire = Wire(EmulatorSettings(check_issuer=True))
    wire.token = token(wire, tid=OTHER)
    refused(wire.get("/secrets"), "AKV10032")


@pytest.mark.parametrize("tenant", ["", 'a"b', "a b", "a\n"])
def test_a_tenant_that_would_break_the_header(wire: Wire, tenant: str) -> None:
    with pytest.raises(ValueError, match="a tenant is a GUID or a domain"):
        wire.vault.tenant = tenant


def test_revoked_tokens(wire: Wire) -> None:
    foreign, ours, unseen = "foreign", token(wire, uti="1"), token(wire, uti="2")
    for wire.token in (foreign, ours):
        assert wire.get("/secrets").status == 200
    wire.advance(1)
    wire.emulator.revoke_tokens()
    for wire.token in (foreign, ours, unseen):
        refused(wire.get("/secrets"), "[TokenExpired]")
    for fresh in ("another", token(wire, uti="3")):  # issued in the very second of the revocation
        wire.token = fresh
        assert wire.get("/secrets").status == 200
    wire.emulator.reset()
    wire.token = foreign
    assert wire.get("/secrets").status == 200


def test_required_claims(wire: Wire) -> None:
    request = '{"access_token": {"acrs": {"essential": true, "value": "c1"}, "xms_cc": {"values": ["cp1", "cp2"]}}}'
    wire.emulator.require_claims(request)
    for text in (
        "foreign",
        token(wire),
        token(wire, acrs="c1"),
        token(wire, acrs="c2", xms_cc=["cp1"]),
        token(wire, acrs="c1", xms_cc="cp3"),
    ):
        wire.token = text
        answer = wire.get("/secrets")
        header = answer.headers["WWW-Authenticate"]
        assert answer.status == 401
        assert header.startswith(CHALLENGE + ', error="insufficient_claims", claims="')
        assert base64.b64decode(header.rsplit('"', 2)[1]).decode() == request
    for fitting in ("cp2", ["cp1", "cp2"]):
        wire.token = token(wire, acrs="c1", xms_cc=fitting)
        assert wire.get("/secrets").status == 200
    wire.emulator.require_claims(None)
    wire.token = "foreign"
    assert wire.get("/secrets").status == 200


def test_claims_about_the_time_of_issue(wire: Wire) -> None:
    rule = {"essential": True, "value": str(int(START) + 10)}
    wire.emulator.require_claims(json.dumps({"access_token": {"nbf": rule}}))
    wire.token = token(wire, nbf=int(START))
    assert wire.get("/secrets").status == 401
    wire.token = token(wire, nbf=int(START) + 10)
    assert wire.get("/secrets").status == 200


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", '{"access_token": {}}', '{"access_token": []}', "[" * 100_000])
def test_bad_claims_requests(wire: Wire, text: str) -> None:
    if text:
        with pytest.raises(ValueError, match="a claims request is JSON with claims under access_token, such as"):
            wire.emulator.require_claims(text)


def test_only_so_many_tokens_are_remembered(wire: Wire) -> None:
    for number in range(10_050):
        wire.token = str(number)
        wire.get("/secrets/x")
    assert len(wire.emulator._service.authentication._seen) == 10_000
