"""``safekv explain``: a code, a message, a body, a traceback; what it finds in them, and what it prints."""

from __future__ import annotations

import json
import traceback
from typing import Any

import pytest
from azure.core.exceptions import AzureError
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import safekv.errors
from safekv.cli import main
from safekv.errors import LoadError
from safekv.errors._briefly import WORDS
from safekv.errors._catalogue import ROWS, ServiceError, by_id
from safekv.errors._diagnosis import Answer, Asked, error_of
from safekv.errors._explaining import explain
from safekv.errors._topics import TOPICS

OID = "00000000-0000-0000-0000-00000000b001"
PLACES = {
    "appid": OID,
    "oid": OID,
    "tenant": OID,
    "vault": "my",
    "region": "westeurope",
    "name": "a",
    "ip": "192.0.2.1",
}
PASTED = {
    "AKV10032": "wrong-tenant",
    "ForbiddenByRbac": "missing-role",
    "ForbiddenByFirewall": "firewall",
    "429": "throttled",
    "HTTP 403": "access-denied",
    "status code: 503": "service-fault",
    "404": "not-found",
    "Throttled": "throttled",
    "SecretNotFound": "not-found",
    "KeyOperationForbidden": "key-operation",
    "MissingPermission": "missing-policy",
    "VaultNotFound": "vault-not-found",
    "missing-role": "missing-role",
    "AADSTS7000222: the provided client secret keys are expired": "credential-failed",
    "Failed to resolve 'my.vault.azure.net' ([Errno -2] Name or service not known)": "vault-not-found",
    "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED]": "untrusted-certificate",
    "get_token failed: request() got an unexpected keyword argument 'tenant_id'": "credential-too-old",
    "The challenge resource 'x' does not match the requested domain.": "challenge-mismatch",
    "RuntimeError: Event loop is closed": "event-loop-closed",
    "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)": "unreadable-answer",
    "('Connection aborted.', RemoteDisconnected('...'))": "connection-lost",
}


def run(*arguments: str, given: str = "") -> Any:
    return CliRunner().invoke(main, ["explain", *arguments], input=given)


@pytest.mark.parametrize(("text", "slug"), PASTED.items())
def test_codes_and_messages(text: str, slug: str) -> None:
    assert explain(text)[0].slug == slug


@pytest.mark.parametrize("row", [row for row in ROWS if row.message and row.plane != "arm"], ids=lambda row: row.id)
def test_every_message_of_the_service(row: ServiceError) -> None:
    for text in (row.message or "", row.body().decode(), f"HttpResponseError: ({row.code}) {row.message}"):
        assert explain(text)[0].slug == row.topic.slug


def failed_load() -> str:
    errors = [
        error_of(Answer(row.status, "", {}, row.body(**PLACES)), Asked("my.vault.azure.net", "get_secret"))
        for row in map(by_id, ("404_secret", "403_secret_disabled", "403_rbac", "401_issuer"))
    ]
    said = {str(number): f"s{number} of my.vault.azure.net" for number in range(len(errors))}
    error = LoadError.of("my.vault.azure.net", {str(number): each for number, each in enumerate(errors)}, said=said)
    try:
        raise error
    except LoadError:
        return traceback.format_exc()


def test_a_failed_load_is_explained_by_all_that_was_wrong() -> None:
    assert {each.slug for each in explain(failed_load())} == {
        "not-found",
        "secret-disabled",
        "missing-role",
        "wrong-tenant",
    }


@pytest.mark.parametrize("kind", [kind for kind in WORDS if not kind.endswith("Error")])
def test_the_words_of_a_failed_load_are_known(kind: str) -> None:
    error = getattr(safekv.errors, kind)("", vault="my.vault.azure.net")
    (found,) = explain(str(LoadError.of("my.vault.azure.net", {"DB": error}, said={"DB": "db of my.vault.azure.net"})))
    assert found.kind == kind


@pytest.mark.parametrize("name", ["LoadError", "InvalidArgument", "RingConflict", "MalformedSecret", "ClientClosed"])
def test_errors_of_safekvs_own_are_explained(name: str) -> None:
    done = run(name)
    assert done.exit_code == 0
    module = "safekv.envelope" if name == "RingConflict" else "safekv.errors"
    assert f"Raised as {module}.{name}." in done.stdout
    assert json.loads(run(name, "--json").stdout)[0]["kind"] == name


def test_the_error_that_ended_the_program_comes_first() -> None:
    told = (
        "Traceback (most recent call last):\n  ...\nsafekv.errors.InvalidArgument: 'HTTP 404' is no name.\nTry 'a'.\n"
    )
    assert "Raised as safekv.errors.InvalidArgument." in run("-", given=told).stdout
    assert "Raised as safekv.errors.MissingPermission." in run("-", given=failed_load()).stdout
    assert run("nothing of ours").exit_code == 1


def test_every_topic_can_be_asked_for() -> None:
    for slug in TOPICS:
        assert explain(slug)[0].slug == slug


def pasted_traceback(row: str) -> str:
    answer = by_id(row)
    error = error_of(
        Answer(answer.status, "Reason", {}, answer.body(**PLACES)),
        Asked("my.vault.azure.net", "get_secret", {"collection": "secrets", "name": "a"}),
    )
    try:
        raise error from AzureError(error.message)
    except AzureError as raised:
        return "".join(traceback.format_exception(raised))


def test_a_traceback_is_filled_in() -> None:
    found = explain(pasted_traceback("403_rbac"))
    assert [each.slug for each in found] == ["missing-role"]
    assert found[0].facts["oid"] == OID
    assert found[0].facts["operation"] == "get_secret"
    assert "'Key Vault Secrets User'" in found[0].remedies[0]
    assert OID in found[0].remedies[0]


def test_the_sdks_own_traceback_is_filled_in_too() -> None:
    text = (
        '  File "azure/keyvault/secrets/_client.py", line 91, in set_secret\n'
        "azure.core.exceptions.HttpResponseError: (Forbidden) Caller is not authorized to perform action on resource.\n"
        "Code: Forbidden\nInner error: {\n    \"code\": \"ForbiddenByRbac\"\n}\n"
    )  # fmt: skip
    assert "'Key Vault Secrets Officer'" in explain(text)[0].remedies[0]


def test_a_message_on_one_line() -> None:
    text = repr(json.loads(by_id("403_firewall").body(**PLACES))["error"]["message"])
    assert explain(text)[0].facts["address"] == "192.0.2.1"


def test_the_command() -> None:
    done = run("ForbiddenByFirewall")
    assert done.exit_code == 0
    assert "Raised as safekv.errors.BlockedByFirewall" in done.output
    assert "$ az keyvault network-rule add --name <vault> --ip-address <address>" in done.output
    assert TOPICS["firewall"].guide in done.output


def test_standard_input() -> None:
    done = run("-", given="x" * 500_000 + pasted_traceback("403_policy"))
    assert done.exit_code == 0
    assert f"az keyvault set-policy --name my --object-id {OID} --secret-permissions get" in done.output


def test_json() -> None:
    found = json.loads(run("--json", "429").output)
    assert found[0]["slug"] == "throttled"
    assert found[0]["transient"] is True
    assert set(found[0]) >= {"kind", "title", "meaning", "hint", "remedies", "guide_url", "facts"}
    assert json.loads(run("--json", "nothing known").output) == []


def test_a_line_number_is_no_status() -> None:
    text = '  File "app.py", line 421, in <module>\nValueError: no'
    assert explain(text) == []
    assert explain(text.replace("no", "no: 429"))[0].slug == "throttled"


def test_what_is_not_known() -> None:
    done = run("nothing", "known")
    assert done.exit_code == 1
    assert "ForbiddenByRbac" in done.stderr
    assert run().exit_code == 2


def test_a_token_is_not_repeated() -> None:
    token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.e30.c2ln"
    text = f"Authorization: Bearer {token}\nAKV10046: Unable to resolve the key. EncodedJwtHeader: '{token}'."
    assert "eyJ" not in run(text).output + run("--json", text).output


@given(st.text(max_size=200) | st.sampled_from(["\x1b[2J", "HTTP 999"]).map(lambda text: text * 3))
def test_anything_can_be_pasted(text: str) -> None:
    for each in explain(text + " 403"):
        assert each.hint
        assert "\x1b" not in json.dumps(each._asdict())


@pytest.mark.parametrize("host", ["127.0.0.1:8443", "localhost", "[::1]:8443", "10.0.0.4"])
def test_an_address_is_not_taken_for_a_vaults_name(host: str) -> None:
    """``--vault-name 127`` is no command to copy."""
    body = json.dumps({"error": {"code": "SecretNotFound", "message": "A secret with (name/id) a was not found."}})
    error = error_of(
        Answer(404, None, {}, body.encode()), Asked(host, "get_secret", {"collection": "secrets", "name": "a"})
    )
    assert any("--vault-name <vault>" in remedy for remedy in error.remedies)


def test_who_lists_secrets_of_a_managed_hsm_is_told_what_it_has() -> None:
    body = json.dumps({"error": {"code": "BadParameter", "message": "Method GET does not allow operation 'secrets'"}})
    error = error_of(Answer(400, None, {}, body.encode()), Asked("my-hsm.managedhsm.azure.net", "get_secret"))
    assert "keys alone" in (error.hint or "")
