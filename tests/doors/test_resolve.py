"""References in values: all of them are secrets afterwards, or there is an error; never the literal."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from colours import Colour
from loading import Loading, loading_from

from safekv.config import Config
from safekv.errors import InvalidArgument, LoadError
from safekv.testing import LocalKeyVault

VALUE = "planted-value"
URI = "@Microsoft.KeyVault(SecretUri=https://local.vault.azure.net/secrets/pw)"
PARTS = "@Microsoft.KeyVault(VaultName=shared;SecretName=pw)"


@pytest.fixture
def loading(colour: Colour, local: LocalKeyVault, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loading]:
    local.set_secret("pw", VALUE)
    local.set_secret("pw", f"{VALUE} shared", vault="shared")
    with loading_from(colour, local, monkeypatch) as loading:
        yield loading


def plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


TREE = {"a": URI, "b": {"c": [PARTS, {"d": "kv://local/pw"}], "n": 5}, "e": "https://local", "f": None, "g": (URI,)}


def test_values_in_dicts_and_lists(loading: Loading) -> None:
    config = loading.resolve(TREE)
    assert plain(config) == {
        "a": VALUE,
        "b": {"c": [f"{VALUE} shared", {"d": VALUE}], "n": 5},
        "e": "https://local",
        "f": None,
        "g": [VALUE],
    }
    assert loading.asked() == 2  # each secret once, for all who want it
    assert isinstance(config, Config)
    assert isinstance(config["b"], Config)
    assert VALUE not in repr(config)
    assert TREE["a"] == URI
    assert plain(loading.resolve({})) == {}


def test_nothing_unresolved_is_ever_left(loading: Loading) -> None:
    with pytest.raises(LoadError) as caught:
        loading.resolve({"a": "kv://local/absent", "b": {"c": ["kv://shared/gone", URI]}})
    assert list(caught.value.failures) == ["a", "b.c[0]"]
    assert VALUE not in str(caught.value)
    with pytest.raises(InvalidArgument, match=r"a: This is not.*\nb\.c: evil\.example\.com is not"):
        loading.resolve({"a": "@Microsoft.KeyVault(", "b": {"c": "kv://evil.example.com/pw"}, "d": URI})


def test_keys_that_read_the_same_are_told_apart(loading: Loading) -> None:
    assert plain(loading.resolve({"a.b": URI, "a": {"b": PARTS}})) == {"a.b": VALUE, "a": {"b": f"{VALUE} shared"}}


def test_files(loading: Loading, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"A={URI}\nB=x\n\nC=kv://shared/absent\n")
    with pytest.raises(LoadError) as caught:
        loading.resolve_file(tmp_path / ".env")
    assert list(caught.value.failures) == [f"{tmp_path / '.env'}:4 C"]
    (tmp_path / "app.json").write_text('{"db": {"password": "kv://shared/pw"}}')
    assert loading.resolve_file(tmp_path / "app.json")["db"]["password"] == f"{VALUE} shared"
    with pytest.raises(InvalidArgument, match="mapping is needed"):
        loading.resolve(["kv://local/pw"])


def test_an_environment_is_resolved_in_place(loading: Loading) -> None:
    environ = {"A": URI, "B": "plain", "C": PARTS}
    assert loading.resolve_environ(environ) == ["A", "C"]
    assert environ == {"A": VALUE, "B": "plain", "C": f"{VALUE} shared"}
    assert loading.resolve_environ(environ) == []


def test_an_environment_is_changed_completely_or_not_at_all(loading: Loading) -> None:
    before = {"A": URI, "B": "kv://local/absent", "C": PARTS}
    environ = dict(before)
    with pytest.raises(LoadError, match="B"):
        loading.resolve_environ(environ)
    assert environ == before
    loading.local.set_secret("absent", "a\0b")
    loading.local.advance(seconds=10)
    with pytest.raises(LoadError, match="has a NUL"):
        loading.resolve_environ(environ)
    assert environ == before


def test_the_process_environment(loading: Loading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_PASSWORD", URI)
    monkeypatch.delenv("APP_OTHER", raising=False)
    assert loading.resolve_environ() == ["APP_PASSWORD"]
    assert loading.load_environ({"APP_OTHER": "kv://shared/pw"}) == ["APP_OTHER"]
    assert (os.environ["APP_PASSWORD"], os.environ["APP_OTHER"]) == (VALUE, f"{VALUE} shared")
    monkeypatch.delenv("APP_OTHER")


def test_variables_by_name(loading: Loading) -> None:
    environ = {"KEPT": "x"}
    assert loading.load_environ({"DB_PASSWORD": "pw", "KEPT": "pw"}, environ=environ) == ["DB_PASSWORD"]
    assert environ == {"KEPT": "x", "DB_PASSWORD": VALUE}
    asked = loading.asked()
    assert loading.load_environ({"KEPT": "absent"}, environ=environ) == []
    assert loading.asked() == asked  # what is set already is not read
    assert loading.load_environ({"KEPT": "pw"}, optional=["KEPT"], environ=environ) == []
    assert loading.load_environ({"KEPT": "pw", "X": "absent"}, optional={"KEPT": "d", "X": "d"}, environ=environ) == [
        "X"
    ]
    assert loading.asked("/KEPT") == 0
    assert loading.load_environ({"KEPT": "pw"}, environ=environ, override=True) == ["KEPT"]
    assert loading.load_environ(["pw"], environ=environ) == ["PW"]
    assert loading.load_environ(["pw"], environ=environ) == []
    assert loading.load_environ(optional={"sentry-dsn": None, "level": "info"}, environ=environ) == ["LEVEL"]


def test_variables_by_prefix(loading: Loading) -> None:
    loading.local.set_secret("app1-db-host", "h")
    environ: dict[str, str] = {}
    assert loading.load_environ(prefix="app1-", environ=environ) == ["DB_HOST"]
    assert environ == {"DB_HOST": "h"}


def test_what_no_environment_can_have_is_refused(loading: Loading) -> None:
    environ: dict[str, str] = {}
    with pytest.raises(InvalidArgument, match="default of a must be a str"):
        loading.load_environ(optional={"a": 5}, environ=environ)
    with pytest.raises(LoadError, match="'A=B' cannot be a variable's name"):
        loading.load_environ({"A=B": "pw"}, environ=environ)
    assert environ == {}
