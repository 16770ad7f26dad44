"""The token endpoints: what each kind of client needs, and what each refusal looks like."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from safekv._clock import VirtualClock
from safekv.emulator import Request, Response, read_token
from safekv.emulator.identity._identity import IdentityEndpoint, IdentitySettings

TENANT = "8a3f1c9e-0000-4000-8000-000000000007"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
START = 1_700_000_000


@pytest.fixture
def endpoint() -> IdentityEndpoint:
    return IdentityEndpoint(VirtualClock(START), IdentitySettings(tenant=TENANT, identity_header="header"))


def _app_service(endpoint: IdentityEndpoint, header: str = "header", **query: str) -> Response:
    query = {"api-version": "2019-08-01", "resource": "https://vault.azure.net", **query}
    return endpoint.handle(Request("GET", "127.0.0.1:80", "/msi/token", query, {"x-identity-header": header}))


def _imds(endpoint: IdentityEndpoint, path: str = "/metadata/identity/oauth2/token", **headers: str) -> Response:
    query = {"api-version": "2018-02-01", "resource": "https://vault.azure.net"}
    return endpoint.handle(Request("GET", "169.254.169.254:80", path, query, headers))


def _token(endpoint: IdentityEndpoint, method: str = "POST", **form: str) -> Response:
    form = {"grant_type": "client_credentials", "client_id": "app", "scope": "https://vault.azure.net/.default", **form}
    body = urlencode({name: value for name, value in form.items() if value}).encode()
    return endpoint.handle(Request(method, "127.0.0.1:8443", f"/{TENANT}/oauth2/v2.0/token", body=body))


def _document(response: Response) -> Any:
    return json.loads(response.body)


def _claims(response: Response) -> dict[str, Any]:
    assert response.status == 200, response
    claims = read_token(_document(response)["access_token"])
    assert claims is not None
    return claims


def test_app_service_answers_with_the_expiry_as_a_string_of_seconds(endpoint: IdentityEndpoint) -> None:
    document = _document(_app_service(endpoint))
    assert document["expires_on"] == str(START + 3600)
    assert document["token_type"] == "Bearer"
    assert document["resource"] == "https://vault.azure.net"


def test_a_token_says_for_whom_by_whom_and_until_when(endpoint: IdentityEndpoint) -> None:
    claims = _claims(_app_service(endpoint))
    assert (claims["aud"], claims["tid"]) == ("https://vault.azure.net", TENANT)
    assert (claims["iat"], claims["nbf"], claims["exp"]) == (START, START, START + 3600)
    assert claims["appid"] == endpoint.settings.client_id


def test_every_token_is_another_one(endpoint: IdentityEndpoint) -> None:
    tokens = {_document(_app_service(endpoint))["access_token"] for _ in range(3)}
    assert len(tokens) == 3


def test_a_user_assigned_identity_is_the_one_named(endpoint: IdentityEndpoint) -> None:
    response = _app_service(endpoint, client_id="mine")
    assert _claims(response)["appid"] == _document(response)["client_id"] == "mine"


def test_app_service_wants_its_header_and_a_resource(endpoint: IdentityEndpoint) -> None:
    assert _app_service(endpoint, header="other").status == 401
    assert _app_service(endpoint, header="").status == 401
    request = Request("GET", "127.0.0.1:80", "/msi/token", {}, {"x-identity-header": "header"})
    refused = endpoint.handle(request)
    assert refused.status == 400
    assert _document(refused)["statusCode"] == 400


@pytest.mark.parametrize("path", ["/metadata/identity/oauth2/token", "/metadata/identity/oauth2/token/"])
def test_imds_answers_with_strings_with_and_without_a_slash(endpoint: IdentityEndpoint, path: str) -> None:
    document = _document(_imds(endpoint, path, metadata="true"))
    assert document["expires_in"] == "3600"
    assert document["expires_on"] == str(START + 3600)
    assert document["not_before"] == str(START)


def test_imds_wants_the_metadata_header(endpoint: IdentityEndpoint) -> None:
    assert _document(_imds(endpoint)) == {
        "error": "invalid_request",
        "error_description": "Required metadata header not specified",
    }


def test_the_clock_decides_when_tokens_expire() -> None:
    clock = VirtualClock(START)
    endpoint = IdentityEndpoint(clock, IdentitySettings(token_lifetime=60))
    clock.advance(1000)
    assert _claims(_imds(endpoint, metadata="true"))["exp"] == START + 1060


def test_discovery_points_back_here(endpoint: IdentityEndpoint) -> None:
    path = f"/{TENANT}/v2.0/.well-known/openid-configuration"
    document = _document(endpoint.handle(Request("GET", "127.0.0.1:8443", path)))
    assert document["token_endpoint"] == f"https://127.0.0.1:8443/{TENANT}/oauth2/v2.0/token"
    assert document["authorization_endpoint"].startswith(f"https://127.0.0.1:8443/{TENANT}/")


def test_workload_identity_and_client_secret_get_tokens_of_the_tenant_in_the_path(endpoint: IdentityEndpoint) -> None:
    for form in (
        {"client_assertion": "a.b.c", "client_assertion_type": ASSERTION},
        {"client_secret": endpoint.settings.client_secret},
    ):
        response = _token(endpoint, **form)
        assert (_document(response)["expires_in"], _document(response)["token_type"]) == (3600, "Bearer")
        claims = _claims(response)
        assert (claims["tid"], claims["appid"], claims["aud"]) == (TENANT, "app", "https://vault.azure.net")


def test_a_wrong_client_secret_is_refused_as_entra_does(endpoint: IdentityEndpoint) -> None:
    refused = _token(endpoint, client_secret="guess")
    document = _document(refused)
    assert refused.status == 401
    assert document["error"] == "invalid_client"
    assert document["error_codes"] == [7000215]
    assert document["error_description"].startswith("AADSTS7000215: Invalid client secret provided. ")
    assert "guess" not in refused.body.decode()


@pytest.mark.parametrize(
    ("form", "status", "number"),
    [
        ({"scope": ""}, 400, 900144),
        ({"client_id": ""}, 400, 900144),
        ({"grant_type": ""}, 400, 900144),
        ({"grant_type": "password"}, 400, 70003),
        ({}, 401, 7000218),
        ({"client_assertion": "a.b.c"}, 401, 7000218),
        ({"client_secret": "emulator-client-secret", "claims": "nonsense"}, 400, 50045),
    ],
)
def test_refusals_have_entras_numbers(
    endpoint: IdentityEndpoint, form: dict[str, str], status: int, number: int
) -> None:
    refused = _token(endpoint, **form)
    assert (refused.status, _document(refused)["error_codes"]) == (status, [number])


def test_tokens_are_posted_for(endpoint: IdentityEndpoint) -> None:
    assert _document(_token(endpoint, method="GET"))["error_codes"] == [900561]


def test_a_claims_challenge_is_answered_in_the_token(endpoint: IdentityEndpoint) -> None:
    wanted = {"access_token": {"acrs": {"essential": True, "value": "c1"}, "xms_cc": {"values": ["CP1"]}}}
    response = _token(endpoint, client_secret=endpoint.settings.client_secret, claims=json.dumps(wanted))
    claims = _claims(response)
    assert claims["acrs"] == "c1"
    assert "xms_cc" in claims
    assert claims["nbf"] == START


def test_requests_are_counted_by_kind_and_refused_ones_too(endpoint: IdentityEndpoint) -> None:
    _app_service(endpoint)
    _app_service(endpoint, header="other")
    _imds(endpoint, metadata="true")
    _token(endpoint, client_secret="guess")
    _token(endpoint, client_assertion="a.b.c", client_assertion_type=ASSERTION)
    assert endpoint.requests == {"app-service": 2, "imds": 1, "client-secret": 1, "workload-identity": 1}


def test_other_paths_are_not_found(endpoint: IdentityEndpoint) -> None:
    assert endpoint.handle(Request("GET", "127.0.0.1:80", "/")).status == 404
    assert endpoint.handle(Request("GET", "127.0.0.1:80", "/secrets/a")).status == 404


def test_nothing_that_passes_for_secret_is_in_a_repr(endpoint: IdentityEndpoint) -> None:
    shown = repr(endpoint.settings) + repr(_app_service(endpoint))
    assert "emulator-client-secret" not in shown
    assert "eyJ" not in shown
    assert "identity_header" not in shown


def test_a_lifetime_is_positive() -> None:
    with pytest.raises(ValueError, match="token_lifetime is a number of seconds above 0, not 0"):
        IdentitySettings(token_lifetime=0)
