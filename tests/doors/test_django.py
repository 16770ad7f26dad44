"""Secrets in Django's settings, with a real Django."""

from __future__ import annotations

import json
import pickle
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest

pytest.importorskip("django")

import django.apps
import django.conf
from django.core.exceptions import ImproperlyConfigured
from django.template.defaultfilters import pprint
from django.views.debug import ExceptionReporter
from hypothesis import given, settings
from hypothesis import strategies as st

from safekv.errors import InvalidArgument, LoadError
from safekv.integrations import _loaded
from safekv.integrations import django as integration
from safekv.integrations._loaded import redacted, remember
from safekv.integrations.django import Env, ExceptionReporterFilter, load_settings
from safekv.testing import LocalKeyVault

VALUE = "planted-value"


@pytest.fixture(autouse=True)
def nothing_loaded_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_loaded, "_LOADED", _loaded._Loaded())


@pytest.fixture
def vault(local: LocalKeyVault, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalKeyVault]:
    for name in ("django-secret-key", "db-password", "app1-db-url", "app1-debug"):
        local.set_secret(name, VALUE)
    local.set_secret("app1-db-url", f"postgres://me:{VALUE}@db.example.com:5432/shop?sslmode=require")
    local.set_secret("app1-debug", "off")
    with local:
        monkeypatch.setenv("AZURE_KEY_VAULT_URL", local.url())
        yield local


def module() -> dict[str, Any]:
    return {
        "DEBUG": False,
        "DATABASES": {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "shop"}},
        "CACHES": {"default": {"LOCATION": ["kv://local/db-password"]}},
        "EMAIL_HOST_PASSWORD": "@Microsoft.KeyVault(VaultName=local;SecretName=db-password)",
        "os": sys,
        "lower": "kv://local/never-asked-for",
    }


def test_settings_are_filled_in_at_once_where_they_are(vault: LocalKeyVault) -> None:
    settings = module()
    databases = settings["DATABASES"]
    names = {"SECRET_KEY": "django_secret_key", "DATABASES.default.PASSWORD": "db-password"}
    filled = load_settings(settings, names)
    assert sorted(filled) == [
        "CACHES.default.LOCATION[0]",
        "DATABASES.default.PASSWORD",
        "EMAIL_HOST_PASSWORD",
        "SECRET_KEY",
    ]
    assert settings["SECRET_KEY"] == settings["EMAIL_HOST_PASSWORD"] == VALUE
    assert settings["CACHES"]["default"]["LOCATION"] == [VALUE]
    assert settings["DATABASES"] is databases  # a dict that Django may add to
    assert databases["default"]["PASSWORD"] == VALUE
    assert settings["lower"] == "kv://local/never-asked-for"
    assert len(vault.journal) == 3  # the 401 and two secrets


def test_all_settings_that_cannot_be_had_are_one_error_and_nothing_changes(vault: LocalKeyVault) -> None:
    settings = module()
    with pytest.raises(LoadError) as caught:
        load_settings(settings, {"SECRET_KEY": "gone", "DATABASES.default.PASSWORD": "gone-too"}, prefix="x-")
    assert set(caught.value.failures) == {"SECRET_KEY", "DATABASES.default.PASSWORD"}
    assert "SECRET_KEY (x-gone of local.vault.azure.net)" in str(caught.value)
    assert settings == module()


def test_what_cannot_be_a_setting_is_told_before_anything_is_sent(vault: LocalKeyVault) -> None:
    settings = {**module(), "TUPLE": ("kv://local/a",), "BAD": "kv://", "HOSTS": ["kv://evil.example.com/a"]}
    names = {"secret_key": "a", "EMAIL.X": "a", "KEY": "a b", "DATABASES.other.PASSWORD": "a"}
    with pytest.raises(InvalidArgument) as caught:
        load_settings(settings, names)
    said = str(caught.value)
    for name in ("'secret_key'", "EMAIL.X", "KEY", "DATABASES.other", "TUPLE", "BAD", "HOSTS[0]"):
        assert name in said
    with pytest.raises(InvalidArgument, match="globals"):
        load_settings(settings, ["SECRET_KEY"])
    assert not vault.journal


def test_an_environment_has_secrets_too(vault: LocalKeyVault) -> None:
    environ = {"PORT": "80", "REFERENCE": "kv://local/db-password", "APP1_DEBUG": "on", "HOSTS": "a, b"}
    names = ["db-password", "app1-db-url", "app1-debug"]
    env = Env(names, optional={"absent": None, "level": "info"}, environ=environ)
    assert env["DB_PASSWORD"] == env["REFERENCE"] == env("DB_PASSWORD") == VALUE
    assert "ABSENT" not in env
    assert (env("LEVEL"), env.int("PORT"), env.float("PORT"), env.list("HOSTS")) == ("info", 80, 80.0, ["a", "b"])
    assert env.bool("APP1_DEBUG") is True  # the variable stays
    assert "/secrets/app1-debug/" not in {entry.path for entry in vault.journal}
    assert repr(env) == f"<safekv.Env of {len(env)} variables>"
    with pytest.raises(TypeError):
        pickle.dumps(env)
    assert env.database("APP1_DB_URL") == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "shop",
        "USER": "me",
        "PASSWORD": VALUE,
        "HOST": "db.example.com",
        "PORT": "5432",
        "OPTIONS": {"sslmode": "require"},
    }
    over = Env(prefix="app1-", override=True, environ={"DEBUG": "kv://local/not-read", "X": "1"})
    assert over.bool("DEBUG") is False
    assert (over("X"), Env(environ={"A": "1"})("A")) == ("1", "1")


def test_what_is_wrong_with_a_variable_is_djangos_error_without_its_value(vault: LocalKeyVault) -> None:
    env = Env(
        environ={"A": VALUE, "J": '{"a": [1]}', "L": "[1]", "S": "sqlite:///db.sqlite3", "P": f"postgres://{VALUE}:x"}
    )
    assert (env.json("J"), env.json("L"), env.database("S")["NAME"]) == ({"a": [1]}, [1], "db.sqlite3")
    for read in (env.bool, env.int, env.float, env.json, env.database):
        with pytest.raises(ImproperlyConfigured, match="A: ") as caught:
            read("A")
        assert VALUE not in str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
    with pytest.raises(ImproperlyConfigured, match="P: ") as caught:
        env.database("P")
    assert VALUE not in str(caught.value)
    with pytest.raises(ImproperlyConfigured, match="NOTHING is not set"):
        env("NOTHING")
    assert env.json("NOTHING", None) is None


def test_everything_wrong_with_an_environment_is_one_error(vault: LocalKeyVault) -> None:
    with pytest.raises(LoadError) as caught:
        Env({"A": "gone"}, environ={"B": "kv://local/gone-too"})
    assert set(caught.value.failures) == {"A", "B"}
    with pytest.raises(InvalidArgument, match="B"):
        Env({"A": "gone"}, environ={"B": "kv://"})


def test_error_pages_show_nothing_that_was_loaded(vault: LocalKeyVault) -> None:
    if not django.conf.settings.configured:
        django.conf.settings.configure(
            DEBUG=True,
            SECRET_KEY="for-this-test",
            ALLOWED_HOSTS=["testserver"],
            DEFAULT_EXCEPTION_REPORTER_FILTER="safekv.integrations.django.ExceptionReporterFilter",
        )
    django.apps.apps.populate([])
    settings = {
        "BROKER": {"dsn": "kv://local/app1-db-url"},
        "LIST": ["kv://local/db-password"],
        "SHORT": "kv://local/app1-debug",
    }
    load_settings(settings)
    for name, value in settings.items():
        setattr(django.conf.settings, name, value)
    try:
        where, plain = settings["BROKER"]["dsn"], settings["LIST"][0]
        raise ValueError(f"{len(where)} {len(plain)}")
    except ValueError:
        reporter = ExceptionReporter(None, *sys.exc_info())
    page, text = reporter.get_traceback_html(), reporter.get_traceback_text()
    assert isinstance(reporter.filter, ExceptionReporterFilter)
    assert "BROKER" in text
    assert VALUE not in page
    assert VALUE not in text
    shown = reporter.filter.get_safe_settings()
    assert shown["BROKER"] == {"dsn": reporter.filter.cleansed_substitute}
    assert shown["SHORT"] == reporter.filter.cleansed_substitute
    assert (
        integration.ExceptionReporterFilter().cleanse_setting("URL", f"amqp://u:{VALUE}@h")
        == "amqp://u:********************@h"
    )


class Opaque:
    def __init__(self, content: Any) -> None:
        self.content = content

    def __repr__(self) -> str:
        return f"<holds {self.content!r}>"


class Bad:
    def __repr__(self) -> str:
        raise RuntimeError(VALUE)


@dataclass
class Connection:
    dsn: str


ODD = 'it\'s "a\\b" p\xe4ss\nwith a long tail of words that pprint would break into lines ' + VALUE


@pytest.mark.parametrize(
    "made",
    [
        str.encode,
        lambda text: bytearray(b"x" + text.encode()),
        lambda text: {text},
        lambda text: {text: 1},
        lambda text: {(1, text): 1},
        lambda text: {text.encode(): [1]},
        lambda text: Connection(f"host=h password={text} x"),
        lambda text: [Opaque({"a": f"\"{text}'"})],
        lambda text: OrderedDict(a=text),
        lambda text: json.dumps({"a": text}),
        lambda text: f"postgres://u:{quote(text, safe='')}@h",
        lambda _: Bad(),
    ],
)
@pytest.mark.parametrize("text", [f"{VALUE}-long", ODD], ids=["plain", "odd"])
def test_an_error_page_shows_it_in_no_other_guise(made: Any, text: str) -> None:
    remember([text])
    shown = pprint(redacted(made(text), "****"))
    assert "****" in shown or "RuntimeError" in shown
    assert VALUE not in shown
    assert "tail of" not in shown


@given(st.text(min_size=8), st.text(), st.text(), st.sampled_from([repr, json.dumps, lambda text: repr(text.encode())]))
@settings(max_examples=200, deadline=None)
def test_whatever_quotes_and_escapes_it_has(value: str, before: str, after: str, guise: Callable[[str], str]) -> None:
    remember([value])
    assert "\0<gone>\0" in redacted(guise(before + value + after), "\0<gone>\0")


def test_so_with_what_is_made_of_it(vault: LocalKeyVault) -> None:
    vault.set_secret("db-url", "postgres://me:p%40ss-planted@db.example.com/shop")
    vault.set_secret("list", "first-planted, second-planted")
    vault.set_secret("json", '{"a": [{"b": "third-planted"}], "c": 12345678, "deep": ' + "[" * 50 + "]" * 50 + "}")
    vault.set_secret("number", "12345678901")
    env = Env(["db-url", "list", "json", "number"], environ={"X": "postgres://me:not-loaded@h/shop"})
    url, password = env["DB_URL"], env.database("DB_URL")["PASSWORD"]
    assert password == "p@ss-planted"
    for made in (
        url,
        f"x {password}",
        env.list("LIST"),
        env.json("JSON")["a"],
        env.int("NUMBER"),
        {"n": env["NUMBER"]},
    ):
        shown = pprint(redacted(made, "****"))
        assert "****" in shown
        assert "planted" not in shown
        assert "12345678901" not in shown
    engine = env.database("DB_URL")["ENGINE"]
    assert redacted([engine, env.database("X"), 5, None, True], "****") == [engine, env.database("X"), 5, None, True]


def test_short_ones_are_left_out_where_they_are_all_of_a_text() -> None:
    remember(["zq7"])
    assert pprint(redacted(["zq7", "azq7b", {"zq7"}, b"zq7"], "*")) == "['*', 'azq7b', {*}, *]"


def test_what_is_too_deep_to_look_at_is_not_shown() -> None:
    deep: Any = "x"
    for _ in range(9):
        deep = [deep]
    assert "x" not in str(redacted(deep, "*"))
    assert redacted(7, "*") == 7
