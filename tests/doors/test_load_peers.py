"""What other loaders do when something is wrong, measured, and what this one does instead: one test for each.

AppC is azure-appconfiguration-provider 2.5.0, PydS the AzureKeyVaultSettingsSource of pydantic-settings 2.16.3.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from colours import Colour
from loading import Loading, loading_from

import safekv
from safekv.errors import AccessDenied, LoadError, SafeKVWarning, SecretNotFound, VaultThrottled
from safekv.testing import LocalKeyVault

pydantic = pytest.importorskip("pydantic")
pydantic_settings = pytest.importorskip("pydantic_settings")
VALUE = "planted-value"
NAMES = [f"s{number}" for number in range(100)]


@pytest.fixture
def loading(colour: Colour, local: LocalKeyVault, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loading]:
    for name in ("api-key", "db--host", "db--password"):
        local.set_secret(name, VALUE)
    with loading_from(colour, local, monkeypatch) as loading:
        yield loading


@pytest.fixture
def vault(local: LocalKeyVault, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalKeyVault]:
    for name in ("api-key", "db--host", "db--password"):
        local.set_secret(name, VALUE)
    with local:
        monkeypatch.setenv("AZURE_KEY_VAULT_URL", local.url())
        yield local


def failed(loading: Loading, *args: Any, **kwargs: Any) -> tuple[LoadError, float]:
    """The error, and the seconds that it took."""
    clock = loading.local.emulator.clock
    before = clock.monotonic()
    with pytest.raises(LoadError) as caught:
        loading.load(*args, **kwargs)
    return caught.value, clock.monotonic() - before


# App Configuration's provider


def test_a_reference_to_a_missing_secret_fails_at_once_with_its_settings_name(loading: Loading) -> None:
    """AppC: 95.3 s, and the message does not name the setting."""
    error, seconds = failed(loading, {"DATABASE_URL": "kv://local/gone", "KEY": "api-key"})
    assert seconds == 0
    assert isinstance(error.failures["DATABASE_URL"], SecretNotFound)
    assert "DATABASE_URL (gone of local.vault.azure.net)" in str(error)


def test_a_403_fails_at_once(loading: Loading) -> None:
    """AppC: 95.3 s."""
    loading.local.fail(operation="get_secret", error="403_rbac", count=None)
    error, seconds = failed(loading, {"KEY": "api-key"})
    assert seconds == 0
    assert isinstance(error.failures["KEY"], AccessDenied)


def test_a_connection_error_is_retried(loading: Loading) -> None:
    """AppC: transient errors are not retried, and permanent ones are."""
    loading.local.fail(operation="get_secret", network="refused", count=2)
    assert loading.load(["api-key"])["api-key"] == VALUE


def test_with_little_time_a_missing_secret_still_fails_at_once(loading: Loading) -> None:
    """AppC: startup_timeout=0 takes 5.0 s."""
    assert failed(loading, ["gone"], timeout=0.5)[1] == 0


def test_a_vault_that_throttles_for_ever_is_given_up_in_time_and_by_name(loading: Loading) -> None:
    """AppC: 18.1 s of 20, then a TimeoutError."""
    loading.local.fail(operation="get_secret", status=429, retry_after=1, count=None)
    error, seconds = failed(loading, ["api-key", "db--host"], timeout=20)
    assert seconds <= 20
    assert set(error.failures) == {"api-key", "db--host"}
    assert isinstance(error.failures["api-key"], VaultThrottled)
    assert error.transient


def test_a_secret_that_is_empty_is_empty(loading: Loading) -> None:
    """AppC: ValueError("No Secret Client found…")."""
    loading.local.set_secret("empty", "")
    assert loading.load(["empty"])["empty"] == ""


def _rotated(loading: Loading, *args: Any, fail: Any = None, **kwargs: Any) -> Any:
    config = loading.watch(*args, **kwargs, interval=10, jitter=0)
    for name in ("api-key", "db--host", "db--password"):
        loading.local.set_secret(name, "new")
    if fail:
        loading.local.fail(**fail)
    for _ in range(2):
        loading.local.advance(seconds=11)
        if loading.colour.loop is None:
            loading.local.settle()
        else:
            loading.colour.run(_settled(loading.local))
    loading.colour.run(config.stop())
    return dict(config)


async def _settled(local: LocalKeyVault) -> None:
    await local.aio_settle()


def test_b1_a_refresh_reaches_the_keys_that_the_application_reads(loading: Loading) -> None:
    """AppC with trim_prefixes: {'pw': 'old', 'app/pw': 'new'}."""
    assert _rotated(loading, prefix="db--") == {"host": "new", "password": "new"}


def test_b2_a_refresh_reaches_all_settings_of_a_secret(loading: Loading) -> None:
    """AppC: {'a': 'new', 'b': 'old'}."""
    assert _rotated(loading, {"a": "api-key", "b": "api-key"}) == {"a": "new", "b": "new"}


def test_b3_a_403_in_one_refresh_leaves_nothing_old_for_ever(loading: Loading) -> None:
    """AppC: {k0: new, k1..k3: old} over three further refreshes."""
    fail = {"operation": "get_secret", "path": "/api-key", "error": "403_rbac", "count": 1}
    names = ["api-key", "db--host", "db--password"]
    assert _rotated(loading, names, fail=fail) == dict.fromkeys(names, "new")


def test_many_are_read_at_once_in_as_many_requests(loading: Loading) -> None:
    """Plain loop 105 requests, PydS 104, AppC 102, all one after the other."""
    for name in NAMES:
        loading.local.set_secret(name, "x")
    loading.load(NAMES)
    assert (loading.asked(), loading.challenges()) == (100, 1)


# pydantic-settings


class Database(pydantic.BaseModel):
    host: str
    password: pydantic.SecretStr


class Settings(pydantic_settings.BaseSettings):
    model_config = pydantic_settings.SettingsConfigDict(hide_input_in_errors=True)

    api_key: pydantic.SecretStr
    level: str = "info"
    db: Database

    @classmethod
    def settings_customise_sources(cls, settings_cls: Any, init_settings: Any, env_settings: Any, **_: Any) -> Any:
        return init_settings, env_settings, safekv.SettingsSource(settings_cls, timeout=10)


def asked(local: LocalKeyVault) -> list[str]:
    return sorted(entry.path.split("/")[2] for entry in local.journal if entry.status not in (401,))


def test_settings_are_read_flat_and_nested_without_a_list(vault: LocalKeyVault) -> None:
    """PydS: a list and one GET for each secret of the vault: 1,043 requests for two fields of 1,002 secrets."""
    for name in NAMES:
        vault.set_secret(name, "unrelated")
    vault.fail(operation="list_properties_of_secrets", status=403, count=None)
    made = Settings()
    assert (made.api_key.get_secret_value(), made.db.host, made.level) == (VALUE, VALUE, "info")
    assert asked(vault) == ["api-key", "db--host", "db--password", "level"]


def test_one_nested_model_is_three_requests(vault: LocalKeyVault) -> None:
    class Nested(Settings):
        api_key: str = "here"
        level: str = "info"

    Nested(api_key="x", level="y")
    assert len(vault.journal) == 3  # one of them is the 401


def test_what_a_higher_source_has_is_not_asked_for(vault: LocalKeyVault, monkeypatch: pytest.MonkeyPatch) -> None:
    """PydS: the vault is listed and read all the same."""
    monkeypatch.setenv("API_KEY", "env")
    made = Settings(db={"host": "init"}, level="x")
    assert (made.api_key.get_secret_value(), made.db.host, made.db.password.get_secret_value()) == (
        "env",
        "init",
        VALUE,
    )
    assert asked(vault) == ["db--password"]
    Settings(db=Database(host="a", password="b"), level="x")
    assert asked(vault) == ["db--password"]


def test_a_required_field_that_is_missing_shows_no_value(vault: LocalKeyVault) -> None:
    """PydS: input_value={'db_password': 'hunter2-REAL'}, even with SecretStr."""

    class More(Settings):
        absent: str

    with pytest.raises(pydantic.ValidationError) as caught:
        More()
    assert VALUE not in str(caught.value)
    assert "absent" in str(caught.value)


def test_settings_that_would_show_values_are_warned_about(vault: LocalKeyVault) -> None:
    class Shown(Settings):
        model_config = pydantic_settings.SettingsConfigDict(hide_input_in_errors=False)

    with pytest.warns(SafeKVWarning, match="hide_input_in_errors=True"):
        Shown()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Settings()


def test_all_fields_that_are_refused_are_named_though_they_have_defaults(vault: LocalKeyVault) -> None:
    """PydS: SettingsError for the first."""
    vault.fail(operation="get_secret", path="/level", error="403_rbac", count=None)
    vault.set_secret("db--host", VALUE, enabled=False)
    with pytest.raises(LoadError) as caught:
        Settings()
    assert set(caught.value.failures) == {"level", "db.host"}


def test_a_deleted_secret_leaves_its_fields_default(vault: LocalKeyVault) -> None:
    """PydS: it is listed, then gone, and a SettingsError, though the field has a default."""
    vault.set_secret("level", "debug")
    vault.client.begin_delete_secret("level").wait()
    assert Settings().level == "info"


def test_an_unrelated_secret_that_is_refused_does_not_matter(vault: LocalKeyVault) -> None:
    """PydS: the whole Settings() fails with a raw HttpResponseError."""
    vault.set_secret("other", "x", enabled=False)
    vault.fail(operation="get_secret", path="/other", error="403_rbac", count=None)
    assert Settings().db.host == VALUE


def test_names_that_look_alike_are_two_secrets(vault: LocalKeyVault) -> None:
    """PydS with snake_case_conversion: sqlServer and sql-server, and one silently wins."""

    class Alike(Settings):
        sqlServer: str
        sql_server: str
        renamed: Annotated[list[int], safekv.field("numbers"), pydantic.Field(alias="theirs")]

    vault.set_secret("sqlServer", "one")
    vault.set_secret("sql-server", "two")
    vault.set_secret("numbers", "[1, 2]")
    made = Alike()
    assert (made.sqlServer, made.sql_server, made.renamed) == ("one", "two", [1, 2])
    vault.set_secret("numbers", VALUE)
    vault.advance(seconds=400)
    with pytest.raises(LoadError, match="renamed") as caught:
        Alike()
    assert VALUE not in str(caught.value)
