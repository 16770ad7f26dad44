"""What a call raises: for every answer of the service and every failure on the way, sync and aio."""

from __future__ import annotations

import copy
import json
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import azure.identity
import pytest
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    IncompleteReadError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.rest import HttpRequest
from colours import Colour, aio_colour, sync_colour
from doubles import TOKEN, AncientCredential, InfoCredential
from hypothesis import given, settings
from hypothesis import strategies as st

import safekv.errors as errors
from safekv.errors import SafeKVError
from safekv.errors._catalogue import ROWS, ServiceError
from safekv.testing import LocalKeyVault

BASES = {401: ClientAuthenticationError, 404: ResourceNotFoundError, 409: ResourceExistsError}


def raised(colour: Colour, call: Callable[[], Any]) -> Any:
    with pytest.raises(Exception) as caught:
        colour.run(call())
    return caught.value


def get(colour: Colour, local: LocalKeyVault, name: str = "greeting", **options: Any) -> Any:
    """What ``get_secret`` raises."""
    client = colour.client(local, retry_total=0)
    return raised(colour, lambda: client.get_secret(name, **options))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_every_answer_of_the_service(colour: Colour, local: LocalKeyVault, row: ServiceError) -> None:
    local.fail(operation="get_secret", error=row.id, count=None)
    error = get(colour, local)
    assert isinstance(error, getattr(errors, row.kind))
    base = BASES.get(row.status, HttpResponseError)
    assert isinstance(error, base)
    assert error.__context__ is None
    assert (error.status_code, error.code, error.inner_code) == (row.status, row.code, row.inner_code)
    assert (error.vault, error.operation) == ("local.vault.azure.net", "get_secret")
    assert error.guide_url == row.topic.guide
    assert error.hint
    assert error.remedies == () or all("{" not in remedy for remedy in error.remedies)
    if row.status != 429:  # that one is raised where the waiting is
        assert type(error.__cause__) is base
        assert error.request_id
        assert error.details["name"] == "greeting"
        assert error.reason == error.__cause__.reason
        assert not row.code or error.error.message == error.__cause__.error.message
        assert not row.code or error.response.json()["error"]["code"] == error.error.code == row.code
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 408, 409, 410, 412, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("body", [{}, {"status": 0, "html": True}, {"body": "x" * 1_000_000}, {"body": b"\xff\xfe{"}])
def test_answers_that_say_nothing(colour: Colour, local: LocalKeyVault, status: int, body: dict[str, Any]) -> None:
    local.fail(operation="get_secret", count=None, **{**body, "status": status})
    error = get(colour, local)
    assert isinstance(error, SafeKVError)
    assert isinstance(error, HttpResponseError)
    assert error.status_code == status
    assert error.hint
    assert len(pickle.dumps(error)) < 20_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PARTS = st.fixed_dictionaries({}, optional={"code": JSON, "message": JSON, "innererror": JSON, "details": JSON})
MUTATED = st.one_of(
    st.binary(max_size=100),
    st.integers(1, 100_000).map(lambda depth: b"[" * depth),
    st.integers(1, 2_000).map(
        lambda depth: b'{"error":{"code":"a","innererror":' + b"[" * depth + b"]" * depth + b"}}"
    ),
    JSON.map(lambda found: json.dumps(found).encode()),
    PARTS.map(lambda error: json.dumps({"error": error}).encode()),
    st.sampled_from(["Zugriff verweigert", "アクセスが拒否されました", "<html>"]).map(str.encode),
)


@settings(max_examples=40)
@given(status=st.sampled_from([400, 401, 403, 404, 409, 418, 429, 500, 503]), body=MUTATED)
def test_any_body_is_an_error_of_ours(status: int, body: bytes) -> None:
    for make in (sync_colour, aio_colour):
        with make() as colour:
            local = LocalKeyVault()
            local.set_secret("greeting", "hello")
            local.fail(operation="get_secret", status=status, body=body, count=None)
            error = get(colour, local)
            assert isinstance(error, SafeKVError), body
            assert isinstance(
                error, BASES.get(status, HttpResponseError) if not isinstance(error, DecodeError) else DecodeError
            )
            str(error), pickle.dumps(error)


# Pagers, pollers, raw requests, and keywords of the SDK


def test_an_error_in_the_middle_of_a_list_can_be_resumed(colour: Colour, local: LocalKeyVault) -> None:
    for number in range(30):
        local.set_secret(f"name-{number:02}", "value", vault="paged")
    local.fail(operation="list_properties_of_secrets", error="403_rbac", nth=2)
    client = colour.client(local, vault="paged")
    error = raised(colour, lambda: colour.items(client.list_properties_of_secrets()))
    assert type(error) is errors.MissingPermission
    assert error.operation == "list_properties_of_secrets"
    assert error.continuation_token
    pages = client.list_properties_of_secrets().by_page(continuation_token=error.continuation_token)
    rest = colour.run(anext(pages)) if colour.loop else next(pages)
    assert len(colour.items(rest)) == 5


def test_pollers_wait_while_it_is_not_there(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local)
    colour.delete(client, "greeting")
    statuses = [entry.status for entry in local.journal]
    assert 404 in statuses
    assert statuses[-1] == 200


def test_pollers_end_with_a_403(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local)
    local.fail(operation="get_deleted_secret", error="403_policy", count=None)
    colour.delete(client, "greeting")
    assert [entry.status for entry in local.journal][-1] == 403


def test_pollers_raise_anything_else(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local, retry_total=0)
    local.fail(operation="get_deleted_secret", error="403_firewall", count=None)
    with pytest.raises(errors.BlockedByFirewall):
        colour.delete(client, "greeting")


class Mine(HttpResponseError):
    """An application's own."""


def test_the_callers_error_map_counts(colour: Colour, local: LocalKeyVault) -> None:
    error = get(colour, local, "nothing", error_map={404: Mine})
    assert type(error) is Mine
    assert error.status_code == 404
    assert error.response.json()["error"]["code"] == "SecretNotFound"
    local.fail(operation="get_secret", error="403_rbac", count=None)
    assert type(get(colour, local, error_map={403: Mine})) is Mine
    assert type(get(colour, local, error_map={404: Mine})) is errors.MissingPermission
    assert type(get(colour, local, error_map={})) is errors.MissingPermission


def test_it_counts_for_throttling_as_well(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation="get_secret", status=429, count=None)
    error = get(colour, local, error_map={429: Mine})
    assert (type(error), error.status_code) == (Mine, 429)
    assert type(error.__cause__) is errors.VaultThrottled


def test_it_counts_for_lists_as_well(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation="list_properties_of_secrets", error="403_rbac", count=None)
    client = colour.client(local)
    for error_map, kind in (({403: Mine}, Mine), (None, errors.MissingPermission)):
        listed = client.list_properties_of_secrets(error_map=error_map)
        assert type(raised(colour, lambda listed=listed: colour.items(listed))) is kind


def test_a_raw_request_has_its_answer(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local)
    for stream in (False, True):
        response = colour.run(client.send_request(HttpRequest("GET", "/secrets/nothing"), stream=stream))
        assert response.status_code == 404
    assert raised(colour, lambda: client.get_secret("nothing")).code == "SecretNotFound"


@pytest.mark.parametrize("many", [True, False])
def test_policies_of_the_users_own_see_every_answer(colour: Colour, local: LocalKeyVault, many: bool) -> None:
    class Sees(SansIOHTTPPolicy[Any, Any]):
        def on_response(self, request: Any, response: Any) -> None:
            seen.append(response.http_response.status_code)

    seen: list[int] = []
    client = colour.client(local, per_call_policies=[Sees()] if many else Sees())
    assert type(raised(colour, lambda: client.get_secret("nothing"))) is errors.SecretNotFound
    assert seen == [404]


def test_a_pipeline_of_the_users_own_policies(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local, policies=[])
    assert type(raised(colour, lambda: client.get_secret("greeting"))) is errors.AuthenticationFailed
    assert colour.run(client.send_request(HttpRequest("GET", "/secrets/nothing"))).status_code == 401


def test_a_streamed_answer_is_read_for_its_error(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local)
    error = raised(colour, lambda: client._client.get_secret("nothing", "", stream=True))
    assert type(error) is errors.SecretNotFound


# What fails on the way

ON_THE_WAY = {
    "dns": (errors.VaultNotFound, ServiceRequestError, ServiceRequestError),
    "refused": (errors.CannotConnect, ServiceRequestError, ServiceRequestError),
    "bad-certificate": (errors.UntrustedCertificate, ServiceRequestError, ServiceRequestError),
    "reset-before": (errors.ConnectionLost, ServiceResponseError, ServiceRequestError),
    "reset-after": (errors.ConnectionLost, ServiceResponseError, ServiceRequestError),
    "black-hole": (errors.AnswerTimeout, ServiceResponseTimeoutError, ServiceResponseTimeoutError),
    "truncated": (errors.IncompleteAnswer, IncompleteReadError, IncompleteReadError),
}


@pytest.mark.parametrize(("network", "kinds"), ON_THE_WAY.items())
def test_failures_of_the_network(colour: Colour, local: LocalKeyVault, network: str, kinds: Any) -> None:
    ours, sync, aio = kinds
    local.fail(operation="get_secret", network=network, count=None)
    error = get(colour, local, read_timeout=2)
    assert isinstance(error, ours)
    assert type(error.__cause__) is (aio if colour.loop else sync)
    assert isinstance(error, type(error.__cause__))
    assert str(error.__cause__) in error.message or network == "truncated"
    assert (error.vault, error.operation, error.transient) == (
        "local.vault.azure.net",
        "get_secret",
        network != "bad-certificate",
    )
    assert "local" in error.hint or network not in ("dns",) or "vault.azure.net" in error.hint
    assert not isinstance(error, ServiceRequestError) or not isinstance(error, ServiceResponseError) or colour.loop


def test_a_reset_is_no_unsent_request_in_the_sync_door(local: LocalKeyVault) -> None:
    """Who repeats what was not sent would do a write twice."""
    with sync_colour() as colour:
        local.fail(operation="get_secret", network="reset-after")
        error = get(colour, local)
    assert type(error) is errors.ConnectionLost
    assert not isinstance(error, ServiceRequestError)


def test_a_name_that_belongs_to_somebody_else(colour: Colour, local: LocalKeyVault) -> None:
    """The token's issuer cannot be found; that says nothing of the vault."""
    credential = InfoCredential()
    credential.fails = 99
    credential.error = lambda: ServiceRequestError(
        "Failed to resolve 'login.microsoftonline.com'", error=__import__("socket").gaierror(-2, "Name not known")
    )
    client = colour.client(local, credential=credential, retry_total=0)
    error = raised(colour, lambda: client.get_secret("greeting"))
    assert type(error) is errors.CannotConnect
    assert "login.microsoftonline.com" in error.details["host"]


def test_a_page_of_a_proxy_instead_of_an_answer(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation="get_secret", html=True, count=None)
    error = get(colour, local)
    assert type(error) is errors.UnreadableAnswer
    assert isinstance(error, json.JSONDecodeError)
    assert "HTTPS_PROXY" in error.hint


@pytest.mark.parametrize("body", [b'{"value": "a planted value"', b'["a planted value"]', b'"a planted value"'])
def test_half_a_value_is_in_no_error(colour: Colour, local: LocalKeyVault, body: bytes) -> None:
    """json's own error keeps the text that it could not read."""
    local.fail(operation="get_secret", status=200, body=body, count=None)
    error = get(colour, local)
    assert type(error) is errors.UnreadableAnswer
    everything = "".join(traceback.format_exception(error)) + repr(vars(error)) + repr(vars(error.__cause__ or error))
    assert "planted" not in everything
    assert b"planted" not in pickle.dumps(error)


CREDENTIALS: dict[str, tuple[Callable[[], Exception], Any, str]] = {
    "refused": (
        lambda: ClientAuthenticationError("AADSTS7000215: bad secret"),
        errors.AuthenticationFailed,
        "its value",
    ),
    "unavailable": (
        lambda: azure.identity.CredentialUnavailableError("no managed identity"),
        azure.identity.CredentialUnavailableError,
        "az login",
    ),
    "chain": (
        lambda: ClientAuthenticationError(
            "DefaultAzureCredential failed to retrieve a token from the included credentials."
        ),
        errors.CredentialUnavailable,
        "az login",
    ),
    "tenant": (
        lambda: ClientAuthenticationError(
            "The current credential is not configured to acquire tokens for tenant 11111111-2222. To enable ... "
            "additionally_allowed_tenants"
        ),
        errors.WrongTenant,
        "additionally_allowed_tenants=['11111111-2222']",
    ),
}


@pytest.mark.parametrize(("make", "kind", "advice"), CREDENTIALS.values(), ids=CREDENTIALS)
def test_failures_of_the_credential(
    colour: Colour, local: LocalKeyVault, make: Callable[[], Exception], kind: Any, advice: str
) -> None:
    credential = InfoCredential()
    credential.fails, credential.error = 99, make
    client = colour.client(local, credential=credential)
    error = raised(colour, lambda: client.get_secret("greeting"))
    assert isinstance(error, kind)
    assert isinstance(error, errors.AuthenticationFailed)
    assert advice in error.hint
    assert str(make()) in error.message
    assert error.vault == "local.vault.azure.net"
    assert type(pickle.loads(pickle.dumps(error))) is type(error)


def test_an_exception_of_the_credentials_own_stays_what_it_is(colour: Colour, local: LocalKeyVault) -> None:
    class Own(ClientAuthenticationError):
        pass

    credential = InfoCredential()
    credential.fails, credential.error = 99, lambda: Own("mine")
    client = colour.client(local, credential=credential)
    assert type(raised(colour, lambda: client.get_secret("greeting"))) is Own


def test_a_credential_of_a_time_before_tenants(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local, credential=AncientCredential())
    error = raised(colour, lambda: client.get_secret("greeting"))
    assert type(error) is errors.CredentialTooOld
    assert isinstance(error, TypeError)
    assert (error.vault, error.operation) == ("local.vault.azure.net", "get_secret")


class Raises(SansIOHTTPPolicy[Any, Any]):
    """Stands for what comes out of the SDK's own policies."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def on_request(self, request: Any) -> None:
        raise self.error


def lost_token() -> Exception:
    try:
        return AssertionError((lambda token: token.token)(None))
    except AttributeError as error:
        return error


PYTHONS = {
    "challenge": (
        ValueError("The challenge resource 'vault.azure.net' does not match the requested domain. Pass `verify_..."),
        errors.ChallengeMismatch,
        ValueError,
    ),
    "scope": (ValueError("The challenge contains invalid scope 'x'."), errors.ChallengeMismatch, ValueError),
    "loop": (RuntimeError("Event loop is closed"), errors.EventLoopClosed, RuntimeError),
    "token": (lost_token(), errors.TokenLost, AttributeError),
    "tenant": (
        TypeError("request() got an unexpected keyword argument 'tenant_id'"),
        errors.CredentialTooOld,
        TypeError,
    ),
    "json": (json.JSONDecodeError("Expecting value", "planted", 0), errors.UnreadableAnswer, json.JSONDecodeError),
    "decode": (DecodeError("JSON is invalid"), errors.UnreadableAnswer, DecodeError),
}


@pytest.mark.parametrize(("error", "kind", "was"), PYTHONS.values(), ids=PYTHONS)
def test_what_is_no_error_of_azures(colour: Colour, local: LocalKeyVault, error: Any, kind: Any, was: Any) -> None:
    client = colour.client(local, per_call_policies=[Raises(error)])
    caught = raised(colour, lambda: client.get_secret("greeting"))
    assert type(caught) is kind
    assert isinstance(caught, was)
    assert caught.guide_url
    assert "planted" not in "".join(traceback.format_exception(caught))


@pytest.mark.parametrize("error", [ValueError("mine"), RuntimeError("mine"), KeyError("mine"), AzureError("mine")])
def test_what_is_none_of_our_business(colour: Colour, local: LocalKeyVault, error: Exception) -> None:
    client = colour.client(local, per_call_policies=[Raises(error)])
    assert raised(colour, lambda: client.get_secret("greeting")) is error


def test_an_alias_of_a_vault(colour: Colour, local: LocalKeyVault) -> None:
    """The guide's case, made by the SDK itself."""
    transport = copy.copy(local.transport(colour.name))
    send = transport.send

    def answered_by_the_vault(request: HttpRequest, **options: Any) -> Any:
        request = HttpRequest(request.method, request.url.replace("my-alias.example.com", "local.vault.azure.net"))
        return send(request, **options)

    transport.send = answered_by_the_vault
    client = colour.client_class("https://my-alias.example.com", local.credential(), transport=transport)
    error = raised(colour, lambda: client.get_secret("greeting"))
    assert isinstance(error, errors.ChallengeMismatch)
    assert "public name" in error.hint
    assert error.guide_url.endswith("#incorrect-challenge-resource")


def test_a_retry_after_is_told(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation="get_secret", status=429, retry_after=7, count=None)
    error = get(colour, local)
    assert isinstance(error, errors.VaultThrottled)
    assert error.retry_in == 7


def test_errors_lead_to_no_request(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local, credential=InfoCredential(), retry_total=0)
    local.fail(operation="set_secret", error="403_policy")
    local.fail(operation="set_secret", network="reset-after")
    for _ in range(2):
        error = raised(colour, lambda: client.set_secret("greeting", "a planted value"))
        seen: list[Any] = []
        pending: list[Any] = [error]
        while pending:
            current = pending.pop()
            seen.append(current)
            pending += [each for each in (current.__cause__, current.__context__) if each is not None]
            response = getattr(current, "response", None)
            kept = repr(vars(current)) + (repr(dict(response.request.headers)) + response.text() if response else "")
            assert TOKEN not in kept
            assert "planted" not in kept
            assert response is None or not response.request.content
        assert len(seen) >= 2
