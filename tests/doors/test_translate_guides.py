"""Every case of Microsoft's two troubleshooting guides, by its heading: what a user sees, and where it is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import azure.identity
import pytest
from azure.core.rest import HttpRequest
from colours import Colour
from doubles import AncientCredential, InfoCredential

import safekv.errors as errors
from safekv import _events
from safekv._versions import FLOORS
from safekv.errors._explaining import explain
from safekv.errors._questions import QUESTIONS
from safekv.errors._topic import GUIDE, IDENTITY_GUIDE
from safekv.errors._topics import TOPICS
from safekv.testing import LocalKeyVault

PAGES = Path(__file__).resolve().parents[2] / "docs" / "troubleshooting"


def error_of(colour: Colour, local: LocalKeyVault, row: str | None = None, **options: Any) -> Any:
    """What ``get_secret`` raises when it is answered with this error."""
    if row:
        local.fail(operation="get_secret", error=row, count=None)
    client = colour.client(local, retry_total=0, **options)
    with pytest.raises(errors.SafeKVError) as caught:
        colour.run(client.get_secret("greeting"))
    return caught.value


def question(slug: str) -> str:
    """The page that answers a question of the guide on access policies."""
    title = next(each.title for each in QUESTIONS if each.slug == slug)
    text = (PAGES / f"{slug}.md").read_text("utf-8")
    assert text.startswith(f"# {title}\n")
    return text


# Troubleshooting guide for the Azure Key Vault SDKs


def test_authentication_issues(colour: Colour, local: LocalKeyVault) -> None:
    """All of them are one class, which is the SDK's as well."""
    for row in ("401_challenge", "401_audience", "401_issuer", "401_sigkey", "401_expired"):
        local.emulator.reset()
        local.set_secret("greeting", "hello")
        error = error_of(colour, local, row)
        assert isinstance(error, errors.AuthenticationFailed)
        assert error.guide_url.startswith(GUIDE)


def test_http_401_errors(colour: Colour, local: LocalKeyVault) -> None:
    """Silent ones are part of the flow; one that ends a call is an error, with the section's address."""
    assert colour.run(colour.client(local).get_secret("greeting")).value == "hello"
    assert [entry.status for entry in local.journal] == [401, 200]
    assert error_of(colour, local, "401_sigkey").guide_url == f"{GUIDE}#http-401-errors"


def test_frequent_http_401_errors_in_logs() -> None:
    found = explain("Response status: 401 AKV10000: Request is missing a Bearer or PoP token.")[0]
    assert "expected" in found.meaning
    assert found.guide_url == f"{GUIDE}#frequent-http-401-errors-in-logs"


def test_akv10032_invalid_issuer(colour: Colour, local: LocalKeyVault) -> None:
    error = error_of(colour, local, "401_issuer")
    assert isinstance(error, errors.WrongTenant)
    assert error.guide_url == f"{GUIDE}#akv10032-invalid-issuer"
    told = " ".join(error.remedies)
    for words in (
        "az login --tenant",
        "DefaultAzureCredential takes the first",
        "azure-identity 1.8.0",
        "secrets 4.4.0",
    ):
        assert words in told


def test_packages_without_tenant_discovery_are_refused() -> None:
    """The guide's minimum versions are below what safekv accepts at all, so there is nothing to warn of."""
    minimum = {
        "azure-identity": (1, 8, 0),
        "azure-keyvault-certificates": (4, 4, 0),
        "azure-keyvault-keys": (4, 5, 0),
        "azure-keyvault-secrets": (4, 4, 0),
    }
    for package, version in minimum.items():
        assert tuple(map(int, FLOORS[package].split("."))) > version


def test_http_403_errors(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation="get_secret", status=403, count=None, body={"error": {"code": "Forbidden", "message": "no"}})
    error = error_of(colour, local)
    assert isinstance(error, errors.AccessDenied)
    assert error.guide_url == f"{GUIDE}#http-403-errors"


@pytest.mark.parametrize("row", ["403_policy", "403_rbac", "403_key_ops"])
def test_operation_not_permitted(colour: Colour, local: LocalKeyVault, row: str) -> None:
    """First the permission, by policy and by role; then whether it is the identity that one expects."""
    error = error_of(colour, local, row)
    assert error.guide_url == f"{GUIDE}#operation-not-permitted"
    assert error.details["permission"]
    assert error.details["role"]
    assert any("azure.identity" in remedy for remedy in error.remedies)


def test_other_authentication_issues(colour: Colour, local: LocalKeyVault) -> None:
    credential = InfoCredential()
    credential.fails = 99
    credential.error = lambda: azure.identity.CredentialUnavailableError("not here")
    error = error_of(colour, local, credential=credential)
    assert isinstance(error, errors.CredentialUnavailable)
    assert error.guide_url.startswith(IDENTITY_GUIDE)


def test_tenant_authentication_issues(colour: Colour, local: LocalKeyVault) -> None:
    error = error_of(colour, local, credential=AncientCredential())
    assert isinstance(error, errors.CredentialTooOld)
    assert "AncientCredential.get_token failed" in error.message
    assert "1.8.0" in error.hint
    assert error.guide_url == f"{GUIDE}#tenant-authentication-issues"


def test_incorrect_challenge_resource(colour: Colour) -> None:
    """A stand-in for the vault that asks for tokens of another domain; the last word is the SDK's keyword."""
    local = LocalKeyVault()
    transport = local.transport(colour.name)
    local.set_secret("greeting", "hello", vault="elsewhere")
    send = transport.send

    def redirected(request: Any, **options: Any) -> Any:
        url = request.url.replace("alias.example.com", "elsewhere.vault.azure.net")
        return send(HttpRequest(request.method, url, headers=request.headers), **options)

    transport.send = redirected
    client = colour.client_class("https://alias.example.com", local.credential(), transport=transport)
    with pytest.raises(ValueError, match="does not match the requested domain") as caught:
        colour.run(client.get_secret("greeting"))
    assert isinstance(caught.value, errors.ChallengeMismatch)
    assert caught.value.guide_url == f"{GUIDE}#incorrect-challenge-resource"
    assert "verify_challenge_resource=False" in (caught.value.hint or "")
    trusting = colour.client_class(
        "https://alias.example.com", local.credential(), transport=transport, verify_challenge_resource=False
    )
    assert colour.run(trusting.get_secret("greeting")).value == "hello"


def test_other_service_errors(colour: Colour, local: LocalKeyVault) -> None:
    error = error_of(colour, local, "400_value")
    assert isinstance(error, errors.InvalidRequest)
    assert error.hint
    local.emulator.reset()
    local.set_secret("greeting", "hello")
    local.fail(operation="get_secret", status=500, count=None)
    assert error_of(colour, local).guide_url == f"{GUIDE}#other-service-errors"


def test_http_429_too_many_requests(colour: Colour, local: LocalKeyVault) -> None:
    error = error_of(colour, local, "429")
    assert isinstance(error, errors.VaultThrottled)
    assert error.guide_url == f"{GUIDE}#http-429-too-many-requests"
    for number, words in enumerate(("One client", "One credential", "App Configuration", "Wrap and unwrap")):
        assert words in error.remedies[number]
    assert "safekv" in error.remedies[0] + error.remedies[1]


def test_support() -> None:
    """Whoever asks for help has the vault, the operation and the request id in the error's text."""
    text = str(errors.SecretNotFound("gone", vault="my.vault.azure.net", operation="get_secret", request_id="42"))
    assert text == "gone\n[get_secret on my.vault.azure.net, request 42]"


# Troubleshooting Azure key vault access policy issues


def test_how_can_i_identify_how_and_when_key_vaults_are_accessed() -> None:
    assert "AuditEvent" in question("who-accesses-the-vault")


def test_how_can_i_monitor_vault_availability_service_latency_periods_or_other_performance_metrics() -> None:
    assert "ServiceApiLatency" in question("vault-metrics")


def test_how_can_i_assign_access_control_per_key_vault_object() -> None:
    assert "--scope <vault id>/secrets/<name>" in question("access-per-object")


def test_how_can_i_provide_key_vault_authenticate_using_access_control_policy() -> None:
    text = question("how-to-authenticate")
    assert "managed identity" in text
    assert "AZURE_CLIENT_ID" in text


def test_how_can_i_give_the_ad_group_access_to_the_key_vault(colour: Colour, local: LocalKeyVault) -> None:
    assert "az keyvault set-policy" in question("group-access")
    assert any("through a group" in remedy for remedy in error_of(colour, local, "403_policy").remedies)


def test_how_can_i_redeploy_key_vault_with_arm_template_without_deleting_existing_access_policies(
    colour: Colour, local: LocalKeyVault
) -> None:
    assert "replaces all access policies" in question("redeploy-keeps-policies")
    assert any("template" in remedy for remedy in error_of(colour, local, "403_policy").remedies)


@pytest.mark.parametrize(("status", "slug"), [(401, "authentication"), (403, "access-denied"), (429, "throttled")])
def test_recommended_troubleshooting_steps_for_following_error_types(status: int, slug: str) -> None:
    assert f"({slug}.md)" in question("steps-by-error")
    assert explain(f"HTTP {status}")[0].slug == slug
    assert TOPICS[slug].hint


def test_what_are_the_best_practices_i_should_implement_when_key_vault_is_getting_throttled() -> None:
    assert "#how-to-throttle-your-app-in-response-to-service-limits" in question("throttling-practices")


def test_several_credential_objects_for_one_vault_draw_one_warning_and_one_event(colour: Colour) -> None:
    """The guide's second remedy for 429: "use a single instance of DefaultAzureCredential"."""
    seen: list[Any] = []
    stop = _events.subscribe(seen.append)
    try:
        colour.client_class("https://my-vault.vault.azure.net", InfoCredential())
        with pytest.warns(errors.ManyCredentialsWarning) as warned:
            colour.client_class("https://my-vault.vault.azure.net", InfoCredential())
        colour.client_class("https://my-vault.vault.azure.net", InfoCredential())
    finally:
        stop()
    assert seen == [_events.ManyCredentials("my-vault.vault.azure.net")]
    assert len(warned) == 1
    assert "use one object" in str(warned[0].message)
    assert f"{GUIDE}#http-429-too-many-requests" in str(warned[0].message)
