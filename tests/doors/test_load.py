"""Secrets as configuration: complete in a few round trips, or one error that names everything."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

import pytest
from colours import Colour
from loading import Loading, loading_from

import safekv
import safekv.aio
from safekv.config import Reference
from safekv.errors import InvalidArgument, LoadError, SecretNotFound, VaultNotFound
from safekv.events import CallFinished
from safekv.testing import LocalKeyVault

VALUE = "planted-value"


@pytest.fixture
def loading(colour: Colour, local: LocalKeyVault, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loading]:
    for name in ("db--host", "db--port", "api-key"):
        local.set_secret(name, f"{VALUE} of {name}")
    with loading_from(colour, local, monkeypatch) as loading:
        yield loading


def values(config: Mapping[str, Any]) -> dict[str, Any]:
    return {key: values(value) if isinstance(value, Mapping) else value for key, value in config.items()}


def failure(loading: Loading, *args: Any, **kwargs: Any) -> LoadError:
    with pytest.raises(LoadError) as caught:
        loading.load(*args, **kwargs)
    assert VALUE not in f"{caught.value}{caught.value!r}"
    assert VALUE.encode() not in pickle.dumps(caught.value)
    return caught.value


def test_known_names_are_read_directly(loading: Loading) -> None:
    loading.local.fail(operation="list_properties_of_secrets", status=403, count=None)  # no permission is needed
    config = loading.load(["db--host", "api_key"])
    assert values(config) == {"db--host": f"{VALUE} of db--host", "api_key": f"{VALUE} of api-key"}
    assert (loading.asked(), loading.challenges()) == (2, 1)


def test_keys_of_a_mapping_are_the_applications(loading: Loading) -> None:
    config = loading.load({"DATABASE_HOST": "DB__HOST", "key": "api-key", "again": "api-key"})
    assert list(config) == ["DATABASE_HOST", "key", "again"]
    assert config["again"] == config["key"] == f"{VALUE} of api-key"
    assert loading.asked() == 2  # what two keys want is read once


def test_optional_ones_are_absent_or_have_their_default(loading: Loading) -> None:
    assert values(loading.load(["greeting"], optional=["sentry-dsn"])) == {"greeting": "hello"}
    config = loading.load(["greeting"], optional={"sentry-dsn": None, "api-key": "x"})
    assert values(config) == {"greeting": "hello", "sentry-dsn": None, "api-key": f"{VALUE} of api-key"}
    assert values(loading.load({"dsn": "sentry-dsn"}, optional={"dsn": 5})) == {"dsn": 5}
    assert values(loading.load(optional=["sentry-dsn"])) == {}


def test_a_prefix_with_names_needs_no_list(loading: Loading) -> None:
    assert values(loading.load(["host", "port"], prefix="db--")) == {
        "host": f"{VALUE} of db--host",
        "port": f"{VALUE} of db--port",
    }
    assert loading.asked() == 2


def test_groups(loading: Loading) -> None:
    config = loading.load(["db--host", "db--port", "greeting"], nest="--")
    assert values(config) == {
        "db": {"host": f"{VALUE} of db--host", "port": f"{VALUE} of db--port"},
        "greeting": "hello",
    }
    assert isinstance(config["db"], safekv.Config)


def test_a_prefix_alone_lists_and_reads_what_is_enabled_and_valid_now(loading: Loading) -> None:
    now = loading.local.emulator.clock.time()
    for name, attributes in {
        "App1-one": {},
        "app1-disabled": {"enabled": False},
        "app1-expired": {"expires_on": int(now) - 10},
        "app1-future": {"not_before": int(now) + 1000},
        "app1-valid": {"not_before": int(now) - 10, "expires_on": int(now) + 1000},
        "app2-one": {},
    }.items():
        loading.local.set_secret(name, name, **attributes)
    assert values(loading.load(prefix="app1-")) == {"one": "App1-one", "valid": "app1-valid"}
    assert loading.asked("/secrets/") == 2
    assert list(loading.load(prefix="APP1_", as_env=True)) == ["ONE", "VALID"]
    assert list(loading.load(prefix="app1-", optional={"Extra": 1, "one": 2})) == ["one", "valid", "Extra"]


def test_tags_select(loading: Loading) -> None:
    for name, tags in {"a": {"env": "prod", "team": "x"}, "b": {"env": "test"}, "c": {}}.items():
        loading.local.set_secret(name, name, tags=tags)
    assert values(loading.load(tags={"env": "prod"})) == {"a": "a"}
    assert values(loading.load(prefix="b", tags={"env": "prod"})) == {}
    assert len(loading.load(prefix="")) == 7


def test_many_pages(loading: Loading) -> None:
    for number in range(60):
        loading.local.set_secret(f"many-{number}", str(number))
    assert len(loading.load(prefix="many-")) == 60


def test_what_is_deleted_after_it_was_listed_is_not_there(loading: Loading) -> None:
    loading.local.fail(operation="get_secret", path="db--port", status=404, count=None)
    assert list(loading.load(prefix="db--")) == ["host"]


def test_a_list_that_is_refused_is_one_error(loading: Loading) -> None:
    loading.local.fail(operation="list_properties_of_secrets", error="403_rbac", count=None)
    error = failure(loading, prefix="app1-", tags={"env": "prod"})
    assert list(error.failures) == ["app1-* with env=prod"]
    assert "app1-* with env=prod (the list of local.vault.azure.net): no permission\n" in str(error)


def test_a_list_has_the_time_of_the_call(loading: Loading) -> None:
    for number in range(60):
        loading.local.set_secret(f"many-{number}", "x")
    loading.local.fail(operation="list_properties_of_secrets", delay=3, count=None)
    before = loading.local.emulator.clock.monotonic()
    error = failure(loading, prefix="many-", timeout=5)
    assert "not complete in time" in str(error) or error.transient
    assert loading.local.emulator.clock.monotonic() - before <= 7


def test_values_of_several_vaults_in_one_call(loading: Loading) -> None:
    loading.local.set_secret("smtp", "one", "two", vault="shared")
    (first, _) = [each.properties.version for each in _versions(loading.local, "smtp")]
    config = loading.load(
        {
            "now": "kv://shared/smtp",
            "then": f"@Microsoft.KeyVault(SecretUri=https://shared.vault.azure.net/secrets/smtp/{first})",
            "here": "greeting",
        }
    )
    assert values(config) == {"now": "two", "then": "one", "here": "hello"}
    assert config.origins["then"] == Reference("https://shared.vault.azure.net", "smtp", first)
    assert config.origins["here"].vault == "https://local.vault.azure.net"
    assert list(loading.load(["kv://shared/smtp"])) == ["smtp"]


def _versions(local: LocalKeyVault, name: str) -> list[Any]:
    client = local.vault("shared").secrets
    listed = sorted(client.list_properties_of_secret_versions(name), key=lambda each: each.created_on)
    secrets = [client.get_secret(name, each.version) for each in listed]
    return sorted(secrets, key=lambda each: each.value)  # "one", "two"


def test_references_need_no_vault_of_the_calls_own(loading: Loading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_KEY_VAULT_URL")
    assert values(loading.load({"a": "kv://local/greeting"})) == {"a": "hello"}
    with pytest.raises(InvalidArgument, match="No vault is given"):
        loading.load(["greeting"])


def test_one_error_names_all_settings_of_all_vaults(loading: Loading) -> None:
    loading.local.set_secret("off", VALUE, enabled=False, vault="shared")
    loading.local.fail(operation="get_secret", path="api-key", error="403_rbac", count=None)
    error = failure(loading, {"A": "absent", "B": "kv://shared/off", "C": "api-key", "D": "db--host"})
    assert list(error.failures) == ["A", "B", "C"]
    text = str(error)
    assert "A (absent of local.vault.azure.net): " in text
    assert "B (off of shared.vault.azure.net): " in text
    assert "Key Vault Secrets User" in text
    assert isinstance(error.failures["A"], SecretNotFound)
    assert not error.transient


def test_an_unreachable_vault_is_waited_for_as_long_as_the_call_says(loading: Loading) -> None:
    loading.local.fail(operation="get_secret", status=503, count=None)
    before = loading.local.emulator.clock.monotonic()
    error = failure(loading, ["greeting", "api-key"], timeout=4)
    assert error.transient
    assert set(error.failures) == {"greeting", "api-key"}
    assert loading.local.emulator.clock.monotonic() - before <= 6


@pytest.mark.parametrize("how", [{"status": 503}, {"network": "refused"}, {"network": "black-hole"}])
def test_a_vault_that_comes_back_in_time_is_waited_for(loading: Loading, how: Any) -> None:
    """Longer than a single call tries, and than its breaker lets any through."""
    for number in range(40):
        loading.local.set_secret(f"n{number}", VALUE)
    loading.local.fail(operation="get_secret", **how, count=25)
    told: list[tuple[int, int]] = []
    names = [f"n{number}" for number in range(40)]
    config = loading.load(names, optional=["none"], timeout=3_000, progress=lambda *each: told.append(each))
    assert set(config) == set(names)
    assert told[-1] == (41, 41)


def test_no_such_vault_is_not_waited_for(loading: Loading) -> None:
    loading.local.fail(operation="get_secret", network="dns", count=None)
    clock = loading.local.emulator.clock
    before = clock.monotonic()
    error = failure(loading, ["greeting"], timeout=300)
    assert isinstance(error.failures["greeting"], VaultNotFound)
    assert clock.monotonic() - before < 10


def test_no_such_vault_ends_its_part_at_once_and_is_told_once(loading: Loading) -> None:
    names = {f"N{number}": f"kv://nowhere/n{number}" for number in range(12)}
    error = failure(loading, {**names, "A": "greeting", "B": "absent"}, timeout=300)
    assert list(error.failures) == [*names, "B"]
    assert all(isinstance(error.failures[name], VaultNotFound) for name in names)
    lines = str(error).splitlines()
    assert lines[:3] == [
        "13 settings could not be read:",
        "  nowhere.vault.azure.net (N0, N1, N2, N3, N4, N5, N6, N7 and 4 more): DNS knows no such vault",
        "  B (absent of local.vault.azure.net): there is no such secret",
    ]
    assert sum("Make it: local.vault('nowhere')" in line for line in lines) == 1


def test_no_such_vault_is_asked_by_one_call_alone(loading: Loading, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setenv("AZURE_KEY_VAULT_URL", "https://nowhere.vault.azure.net")
    stop = safekv.subscribe(lambda event: isinstance(event, CallFinished) and calls.append(event))
    failure(loading, [f"n{number}" for number in range(40)], timeout=300)
    stop()
    assert len(calls) == 1


@pytest.mark.parametrize("how", [{"error": "403_firewall"}, {"error": "403_private"}])
def test_what_is_wrong_with_the_whole_vault_is_found_out_once(loading: Loading, how: Any) -> None:
    loading.local.fail(operation="get_secret", **how, count=None)
    names = [f"n{number}" for number in range(60)]
    error = failure(loading, names)
    assert list(error.failures) == names
    assert loading.asked() <= 17  # those that were under way
    assert len(str(error).splitlines()) == 4


def test_a_vault_that_was_left_alone_is_told_by_what_it_failed_with(loading: Loading) -> None:
    loading.local.fail(operation="get_secret", status=503, count=None)
    error = failure(loading, [f"n{number}" for number in range(12)], timeout=20)
    assert "several times in a row" not in str(error)
    assert "local.vault.azure.net (n0, n1, n2, n3, n4, n5, n6, n7 and 4 more): it failed (HTTP 503)" in str(error)
    assert error.transient
    again = failure(loading, ["n0", "n1"], timeout=0.2)  # nothing is known but that it is left alone
    assert (
        str(again)
        .splitlines()[1]
        .endswith("(n0, n1): it is left alone for a while, having failed several times in a row")
    )


def test_what_to_do_is_said_once_and_apart(loading: Loading) -> None:
    loading.local.set_secret("off", VALUE, enabled=False)
    lines = str(failure(loading, {"A": "gone-1", "B": "gone-2", "C": "off"})).splitlines()
    assert lines[:5] == [
        "3 settings could not be read:",
        "  A (gone-1 of local.vault.azure.net): there is no such secret",
        "  B (gone-2 of local.vault.azure.net): there is no such secret",
        "  C (off of local.vault.azure.net): it is disabled",
        "What to do:",
    ]
    assert lines[5].startswith("  there is no such secret: Check the name, ")
    assert lines[6].startswith("  it is disabled: Enable the version, ")
    assert len(lines) == 7
    assert "go.microsoft.com" not in "".join(lines)


def test_a_result_is_read_only_and_shows_no_value(loading: Loading) -> None:
    config = loading.load(["db--host", "greeting"], nest="--")
    for text in (repr(config), str(config), f"{config}", repr(config["db"]), repr(config.origins)):
        assert VALUE not in text
        assert "hello" not in text
    assert repr(config) == "<safekv.Config db, greeting>"
    with pytest.raises(TypeError):
        config["x"] = 1
    with pytest.raises(AttributeError):
        config.origins = {}
    with pytest.raises(AttributeError):
        del config.origins
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(config)
    assert copy.deepcopy(config) is copy.copy(config) is config
    with pytest.raises(KeyError):
        config["absent"]


def test_nothing_is_left_open_unless_the_application_has_it_open(loading: Loading, registry: Any) -> None:
    from safekv.connection import _registry

    loading.load(["greeting"])
    assert len(_registry.current()) == 0
    client = loading.client()
    loading.load(["greeting"], vault=client)
    assert loading.asked("greeting") == 2
    loading.load(["greeting"])
    assert loading.asked("greeting") == 2  # its cache is the client's
    assert len(_registry.current()) == 1


def test_a_client_brings_its_identity_along(loading: Loading) -> None:
    loading.local.set_secret("smtp", "one", vault="shared")
    client = loading.client(credential=loading.local.credential())
    assert len(loading.load(["greeting", "kv://shared/smtp"], vault=client)) == 2
    with pytest.raises(InvalidArgument, match="credential of its own"):
        loading.load(["greeting"], vault=client, credential=object())


def test_a_vault_object(local: LocalKeyVault) -> None:
    local.set_secret("smtp", "one", vault="shared")
    config = safekv.load(["greeting", "kv://shared/smtp"], vault=local.vault())
    assert values(config) == {"greeting": "hello", "smtp": "one"}


BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "not told what to load"),
    ({"names": "db"}, "names must be several names"),
    ({"names": ["a.b", "ok", "c d"]}, "'a.b' is not a valid.*\n'c d' is not"),
    ({"names": [None]}, "None is not a valid"),
    ({"names": [["a"]]}, "not a valid"),
    ({"names": {"A": "a.b"}}, "A: 'a.b' is not"),
    ({"names": {"": "ab"}}, "cannot be a key"),
    ({"names": ["db-host", "db_host"]}, "are one secret"),
    ({"names": ["DB", "db"]}, "are one secret"),
    ({"names": ["db"], "optional": ["Db"]}, "are one secret"),
    ({"names": ["greeting", "kv://other/greeting"]}, "Two secrets would have the key 'greeting'|are one secret"),
    ({"names": ["a"], "tags": {"env": "prod"}}, "goes without names"),
    ({"names": ["a"], "timeout": 0}, "timeout=0"),
    ({"names": ["a"], "nest": ""}, "nest=''"),
    ({"names": ["a"], "nest": "--", "as_env": True}, "has no groups"),
    ({"names": ["a"], "vault": 5}, "vault must be a URL"),
    ({"names": ["a"], "optional": "b"}, "optional must be several"),
    ({"prefix": 5}, "prefix must be"),
    ({"prefix": "a/b"}, "not a valid prefix"),
    ({"prefix": "a", "tags": {"env": 5}}, "tags must be"),
    ({"names": ["kv://evil.example.com/db"]}, "not a host of Key Vault's"),
    ({"names": {"A": "@Microsoft.KeyVault(SecretUri=https://evil.example.com/secrets/db)"}}, "A: evil.example.com is"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_input_is_refused_before_anything_is_sent(loading: Loading, arguments: Any, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message) as caught:
        loading.load(**arguments)
    assert caught.value.hint
    assert loading.asked() == loading.challenges() == 0


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["db", "db--host"], "would be a value and a group"),
        (["db--host", "db"], "would be a value and a group"),
        (["--host"], "a part is empty"),
        (["db--host", "DB--port"], "spell 'db' differently"),
    ],
)
def test_ambiguous_groups_are_refused(loading: Loading, names: list[str], message: str) -> None:
    for name in names:
        loading.local.set_secret(name, "x")
    with pytest.raises(InvalidArgument, match=message):
        loading.load(names, nest="--")


def test_the_twins_take_the_same() -> None:
    for name in safekv.aio.__all__:
        ours, theirs = (inspect.signature(getattr(module, name)) for module in (safekv, safekv.aio))
        assert list(ours.parameters.values()) == [
            each.replace(annotation=ours.parameters[each.name].annotation) for each in theirs.parameters.values()
        ]


def test_expired_secrets_that_are_asked_for_by_name_are_the_services_affair(loading: Loading) -> None:
    past = int(datetime(2020, 1, 1, tzinfo=timezone.utc).timestamp())
    loading.local.set_secret("old", "x", expires_on=past)
    assert loading.load(["old"])["old"] == "x"
