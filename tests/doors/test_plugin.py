"""The fixtures and markers that come with the package, in a project of their own."""

from __future__ import annotations

import pytest

APPLICATION = """
    from safekv.secrets import SecretClient

    def password():
        return SecretClient().get_secret("db-password").value

    async def password_later():
        from safekv.secrets.aio import SecretClient
        return (await SecretClient().get_secret("db-password")).value
"""


def run(pytester: pytest.Pytester, *args: str, **files: str) -> pytest.RunResult:
    pytester.makepyfile(application=APPLICATION, **files)
    return pytester.runpytest("-p", "no:cacheprovider", "--strict-markers", "-W", "error", *args)


def test_an_application_without_a_change(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_it="""
        import asyncio, pytest, application

        @pytest.mark.vault_secret("db-password", "s3cret")
        def test_password(keyvault):
            assert application.password() == "s3cret"
            assert asyncio.run(application.password_later()) == "s3cret"

        def test_alone(keyvault):
            from azure.core.exceptions import ResourceNotFoundError
            with pytest.raises(ResourceNotFoundError):
                application.password()
        """,
    )
    result.assert_outcomes(passed=2)


def test_versions_and_other_vaults(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_it="""
        import pytest
        from safekv import Vault

        pytestmark = pytest.mark.vault_secret("shared", "of the module")

        @pytest.mark.vault_secret("name", ["old", "new"])
        @pytest.mark.vault_secret("shared", "of the test")
        @pytest.mark.vault_secret("name", "elsewhere", vault="other", content_type="text", tags={"a": "b"})
        def test_it(keyvault):
            client = keyvault.client
            assert client.get_secret("name").value == "new"
            assert len(list(client.list_properties_of_secret_versions("name"))) == 2
            assert client.get_secret("shared").value == "of the test"
            there = Vault("other").secrets.get_secret("name")
            assert (there.value, there.properties.content_type) == ("elsewhere", "text")
            assert there.properties.tags == {"a": "b"}
        """,
    )
    result.assert_outcomes(passed=1)


def test_failures(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_it="""
        import pytest, application
        from azure.core.exceptions import HttpResponseError

        @pytest.mark.vault_secret("db-password", "s3cret")
        @pytest.mark.vault_failure("get_secret", status=429, retry_after=1, count=2)
        def test_throttled(keyvault):
            before = keyvault.emulator.clock.time()
            assert application.password() == "s3cret"
            assert before + 2 <= keyvault.emulator.clock.time() <= before + 4
            assert [entry.status for entry in keyvault.journal if entry.bearer] == [429, 429, 200]

        @pytest.mark.vault_failure(operation="get_secret", error="403_rbac", count=None)
        def test_forbidden(keyvault):
            with pytest.raises(HttpResponseError, match="ForbiddenByRbac"):
                application.password()
        """,
    )
    result.assert_outcomes(passed=2)


def test_the_environment_is_as_it_was(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_KEY_VAULT_URL", "https://before.vault.azure.net")
    result = run(
        pytester,
        test_it="""
        import os

        def test_inside(keyvault):
            assert os.environ["AZURE_KEY_VAULT_URL"] == keyvault.url()

        def test_outside():
            assert os.environ["AZURE_KEY_VAULT_URL"] == "https://before.vault.azure.net"
        """,
    )
    result.assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("vault_secret('name')", "takes a name and a value"),
        ("vault_secret()", "takes a name and a value"),
        ("vault_failure('no_such_operation', status=429)", "no_such_operation"),
        ("vault_failure('get_secret')", "something to do"),
        ("vault_failure('get_secret', stauts=429)", "stauts"),
    ],
)
def test_markers_that_make_no_sense(pytester: pytest.Pytester, marker: str, message: str) -> None:
    result = run(
        pytester,
        test_it=f"""
        import pytest

        @pytest.mark.{marker}
        def test_it(keyvault):
            pass
        """,
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*{message}*"])


def test_they_are_documented(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--markers")
    result.stdout.fnmatch_lines(["*vault_secret(name, value*", "*vault_failure(operation*"])
    result = run(pytester, "--fixtures", test_it="")
    result.stdout.fnmatch_lines(["keyvault*"])
