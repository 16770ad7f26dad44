"""Tokens on their way through the SDK's own authentication: asked for once, dropped when refused, shown to nobody."""

from __future__ import annotations

import base64
import json
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from colours import Colour
from doubles import TOKEN, AncientCredential, AsyncCredential, InfoCredential, TokenCredential, sent

from safekv.errors import CredentialTooOld
from safekv.secrets import SecretClient
from safekv.testing import LocalKeyVault

CLAIMS = json.dumps({"access_token": {"acrs": {"essential": True, "value": "c1"}}})


def credentials(colour: Colour) -> list[Any]:
    both = [InfoCredential(), TokenCredential()]
    return both if colour.loop is None else [*both, AsyncCredential()]


def get(colour: Colour, client: Any) -> Any:
    return colour.run(client.get_secret("greeting")).value


def test_every_kind_of_credential_works_and_is_asked_once(colour: Colour, local: LocalKeyVault) -> None:
    for number, credential in enumerate(credentials(colour)):
        vault = f"vault-{number}"
        local.set_secret("greeting", "hello", vault=vault)
        client = colour.client(local, vault=vault, credential=credential)
        assert [get(colour, client) for _ in range(3)] == ["hello"] * 3
        (asked,) = credential.asked
        assert asked["scopes"] == ("https://vault.azure.net/.default",)
        assert asked["tenant_id"] == local.emulator.settings.tenant
        assert asked["enable_cae"] is True


def test_many_clients_one_token(colour: Colour, local: LocalKeyVault) -> None:
    credential = InfoCredential()
    for number in range(5):
        local.set_secret("greeting", "hello", vault=f"vault-{number}")
        assert get(colour, colour.client(local, vault=f"vault-{number}", credential=credential)) == "hello"
        assert get(colour, colour.client(local, vault=f"vault-{number}", credential=credential, timeout=9)) == "hello"
    assert len(credential.asked) == 1


def test_both_doors_one_token(local: LocalKeyVault, colour: Colour) -> None:
    credential = local.credential()
    assert get(colour, colour.client(local)) == "hello"
    assert SecretClient(local.url(), credential, transport=local.transport()).get_secret("greeting").value == "hello"
    assert credential.requests == 1


def test_a_token_that_the_vault_refuses_is_replaced(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local)
    get(colour, client)
    local.advance(seconds=2)
    local.emulator.revoke_tokens()
    local.advance(seconds=2)
    assert get(colour, client) == "hello"
    assert local.credential().requests == 2
    assert [entry.status for entry in sent(local)] == [200, 401, 200]


def test_a_token_that_expires_at_the_vault_is_replaced(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local)
    get(colour, client)
    local.advance(seconds=7200)
    assert get(colour, client) == "hello"
    assert local.credential().requests == 2


def test_a_claims_challenge_is_answered_once_for_all(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local)
    get(colour, client)
    local.emulator.require_claims(CLAIMS)
    assert get(colour, client) == "hello"
    assert get(colour, colour.client(local, timeout=9)) == "hello"
    assert local.credential().requests == 2


def test_a_revocation_after_a_claims_challenge(colour: Colour, local: LocalKeyVault) -> None:
    """The token with claims is as old as the one that was refused, and must not come out of the cache."""
    local.emulator.require_claims(CLAIMS)
    client = colour.client(local)
    assert get(colour, client) == "hello"
    tokens = client._lease.connection.tokens.cache
    (plain,) = (key for key in tokens._entries if key.claims is None)
    tokens.store(plain, local.credential().get_token_info(*plain.scopes, options={"claims": CLAIMS}))  # its refresh
    local.advance(seconds=2)
    local.emulator.revoke_tokens()
    local.advance(seconds=2)
    assert get(colour, colour.client(local, timeout=9)) == "hello"


def test_a_401_without_end_is_an_error_of_authentication(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation="get_secret", error="401_issuer", count=None)
    client = colour.client(local)
    for _ in range(2):
        with pytest.raises(ClientAuthenticationError, match="AKV10032"):
            get(colour, client)
    local.emulator.clear_faults()
    assert get(colour, client) == "hello"


def test_one_that_is_too_old_is_told_so(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local, credential=AncientCredential())
    with pytest.raises(CredentialTooOld, match=r"TROUBLESHOOTING\.md#tenant-authentication-issues") as caught:
        get(colour, client)
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, ClientAuthenticationError)


def test_after_an_error_the_next_call_asks_again(colour: Colour, local: LocalKeyVault) -> None:
    credential = InfoCredential()
    credential.fails = 1
    client = colour.client(local, credential=credential)
    with pytest.raises(ClientAuthenticationError, match="no token today"):
        get(colour, client)
    assert get(colour, client) == "hello"


def test_everybody_who_waits_gets_the_error(colour: Colour, local: LocalKeyVault) -> None:
    credential = InfoCredential(delay=0.1)
    client = colour.client(local, credential=credential)
    get(colour, client)
    tokens = client._lease.connection.tokens
    tokens.refused(f"Bearer {TOKEN}-1")
    credential.fails = 1
    answers = colour.together(8, lambda _: tokens.get_token_info("scope"))
    assert {type(answer) for answer in answers} == {ClientAuthenticationError}
    assert len(credential.asked) == 2


def test_a_network_error_of_the_credential_is_repeated_for_reads(colour: Colour, local: LocalKeyVault) -> None:
    credential = InfoCredential()
    credential.fails = 2
    credential.error = lambda: ServiceRequestError("the identity endpoint is away")
    assert get(colour, colour.client(local, credential=credential)) == "hello"


def test_tokens_expire_on_the_clock_of_the_machine(colour: Colour, local: LocalKeyVault) -> None:
    """A token of a few seconds' life is no endless loop of requests for the next."""
    credential = InfoCredential(lifetime=5)
    client = colour.client(local, credential=credential)
    for _ in range(5):
        get(colour, client)
    assert len(credential.asked) == 1


@pytest.fixture
def everything(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """All that anybody logged since, at any level, with its arguments and tracebacks."""
    caplog.set_level(logging.DEBUG)
    return lambda: caplog.text + "".join(f"{record.__dict__}" for record in caplog.records)


def test_no_token_and_no_value_in_any_log(colour: Colour, local: LocalKeyVault, everything: Callable[[], str]) -> None:
    credential = InfoCredential()
    client = colour.client(local, credential=credential)
    local.fail(operation="get_secret", status=429)
    local.fail(operation="get_secret", network="reset-after")
    local.fail(operation="get_secret", status=503)
    get(colour, client)
    colour.run(client.set_secret("new", "s3cret-value"))
    local.emulator.revoke_tokens()
    colour.run(client.get_secret("new"))
    for bad in (
        lambda: client.set_secret("under_score", "s3cret-value"),
        lambda: client.set_secret("new", b"s3cret-value"),
    ):
        with pytest.raises(ValueError, match="secret"):
            colour.run(bad())
    text = everything()
    assert "get_secret on local.vault.azure.net: throttled; attempt 2 in" in text
    for hidden in (TOKEN, "s3cret-value", "hello", base64.b64encode(b"s3cret").decode()):
        assert hidden not in text


def test_no_token_in_any_text_of_ours(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local, credential=InfoCredential())
    get(colour, client)
    connection = client._lease.connection
    for it in (client, connection, connection.tokens, connection.tokens.cache, client._lease, local, local.journal):
        assert TOKEN not in f"{it!r}{it}"
    assert TOKEN not in repr(list(local.journal))


def test_an_access_token_of_the_older_kind_keeps_its_moment(local: LocalKeyVault) -> None:
    client = SecretClient(local.url(), TokenCredential(), transport=local.transport())
    token = client._lease.connection.tokens.get_token("scope")
    assert isinstance(token, AccessToken)
    assert token.expires_on == pytest.approx(time.time() + 3600, abs=5)
