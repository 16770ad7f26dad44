"""Models: their fields name secrets, their types read them, and one error names whatever is wrong."""

from __future__ import annotations

import base64
import json
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as plain_field
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, NewType, Optional
from uuid import UUID

import pytest
from colours import Colour
from hypothesis import given
from hypothesis import strategies as st
from loading import Loading, loading_from
from typing_extensions import NotRequired, TypedDict

import safekv
from safekv.config._convert import parse, parser
from safekv.errors import InvalidArgument, LoadError, MalformedSecret
from safekv.testing import LocalKeyVault

pydantic = pytest.importorskip("pydantic")
VALUE = "planted-value"
UserId = NewType("UserId", int)


class Level(Enum):
    LOW = 1
    HIGH = "high"


@dataclass
class Database:
    host: str
    password: Annotated[safekv.Secret, safekv.field("db-pwd")]
    port: int = 5432


@dataclass(frozen=True)
class Everything:
    database: Database
    flag: bool
    ratio: float
    price: Decimal
    since: datetime
    day: date
    hour: time
    wait: timedelta
    key_id: UUID
    place: Path
    raw: bytes
    coded: Annotated[bytes, safekv.field(encoding="base64")]
    level: Level
    colour: Literal["red", "blue"]
    user: UserId
    tags: list[str]
    limits: dict[str, tuple[int, float]]
    masked: pydantic.SecretStr
    nothing: Optional[int]  # noqa: UP045  (as users write it)
    replica: Database | None = None
    fallback: Database = plain_field(default_factory=lambda: Database("here", safekv.Secret("x")))


class Typed(TypedDict):
    db_host: str
    port: Annotated[int, safekv.field("db--port")]
    dsn: NotRequired[str]


class PydanticDatabase(pydantic.BaseModel):
    host: str
    port: int = pydantic.Field(gt=0, alias="PORT")
    password: Annotated[pydantic.SecretStr, safekv.field("db-pwd")]


class Settings(pydantic.BaseModel):
    db: PydanticDatabase
    hosts: list[str] = []  # noqa: RUF012  (pydantic copies it)
    level: Level = Level.LOW
    url: pydantic.HttpUrl | None = None


TEXTS = {
    "database--host": "db.example.com",
    "database--db-pwd": VALUE,
    "flag": "Yes",
    "ratio": "0.5",
    "price": "19.90",
    "since": "2030-01-31T12:00:00Z",
    "day": "2030-01-31",
    "hour": "12:30:00",
    "wait": "90",
    "key-id": "12345678-1234-5678-1234-567812345678",
    "place": "/etc/app",
    "raw": "bytes",
    "coded": base64.b64encode(b"\x00\x01").decode(),
    "level": "1",
    "colour": "blue",
    "user": " 7\n",
    "tags": '["a", "b"]',
    "limits": '{"x": [1, 2]}',
    "masked": VALUE,
}


@pytest.fixture
def loading(colour: Colour, local: LocalKeyVault, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loading]:
    with loading_from(colour, local, monkeypatch) as loading:
        yield loading


def store(loading: Loading, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        loading.local.set_secret(name, text)


def failure(loading: Loading, model: Any, **kwargs: Any) -> LoadError:
    with pytest.raises(LoadError) as caught:
        loading.load_as(model, **kwargs)
    error = caught.value
    for each in (error, *error.failures.values()):
        assert VALUE not in f"{each}{each!r}{each.__cause__!r}{each.__context__!r}"
    assert VALUE.encode() not in pickle.dumps(error)
    return error


def test_a_dataclass_of_all_types(loading: Loading) -> None:
    store(loading, TEXTS)
    loading.local.fail(operation="list_properties_of_secrets", status=403, count=None)
    made = loading.load_as(Everything)
    assert made == Everything(
        database=Database("db.example.com", safekv.Secret(VALUE)),
        flag=True,
        ratio=0.5,
        price=Decimal("19.90"),
        since=datetime(2030, 1, 31, 12, tzinfo=timezone.utc),
        day=date(2030, 1, 31),
        hour=time(12, 30),
        wait=timedelta(seconds=90),
        key_id=UUID("12345678-1234-5678-1234-567812345678"),
        place=Path("/etc/app"),
        raw=b"bytes",
        coded=b"\x00\x01",
        level=Level.LOW,
        colour="blue",
        user=UserId(7),
        tags=["a", "b"],
        limits={"x": (1, 2.0)},
        masked=pydantic.SecretStr(VALUE),
        nothing=None,
        fallback=made.fallback,
    )
    assert made.fallback.host == "here"
    assert VALUE not in repr(made)
    assert loading.challenges() == 1


def test_an_optional_group_is_there_as_soon_as_one_of_it_is(loading: Loading) -> None:
    store(loading, {**TEXTS, "replica--host": "b", "fallback--host": "c", "fallback--db-pwd": "d"})
    error = failure(loading, Everything)
    assert list(error.failures) == ["replica.password"]
    store(loading, {"replica--db-pwd": "e"})
    made = loading.load_as(Everything)
    assert (made.replica.host, made.fallback.host, made.replica.port) == ("b", "c", 5432)


def test_a_prefix_and_a_reference(loading: Loading) -> None:
    @dataclass
    class Mail:
        host: str
        password: str = safekv.field("kv://shared/smtp")

    loading.local.set_secret("smtp", VALUE, vault="shared")
    store(loading, {"app1-mail--host": "mail"})
    mail = loading.load_as(Mail, prefix="app1-mail--")
    assert (mail.host, mail.password) == ("mail", VALUE)
    assert VALUE not in repr(mail)  # safekv.field keeps it out


def test_a_typed_dict(loading: Loading) -> None:
    store(loading, {"db-host": "h", "db--port": "5"})
    assert loading.load_as(Typed) == {"db_host": "h", "port": 5}
    store(loading, {"dsn": "x"})
    loading.local.advance(seconds=10)
    assert loading.load_as(Typed)["dsn"] == "x"


def test_a_pydantic_model(loading: Loading) -> None:
    store(
        loading,
        {"db--host": "h", "db--port": "5", "db--db-pwd": VALUE, "hosts": '["a"]', "level": "high", "url": "https://a/"},
    )
    made = loading.load_as(Settings)
    assert made.db.port == 5
    assert made.db.password.get_secret_value() == VALUE
    assert (made.hosts, made.level, str(made.url)) == (["a"], Level.HIGH, "https://a/")


def test_one_error_has_every_field_that_is_missing_forbidden_disabled_or_malformed(loading: Loading) -> None:
    store(loading, {**TEXTS, "flag": VALUE, "level": VALUE, "tags": f"[{VALUE}", "limits": f'{{"x": ["{VALUE}", 1]}}'})
    loading.local.set_secret("day", VALUE, enabled=False)
    loading.local.fail(operation="get_secret", path="/price", error="403_rbac", count=None)
    loading.local.fail(operation="get_secret", path="/ratio", status=404, count=None)
    loading.local.fail(operation="get_secret", path="/database--host", status=404, count=None)
    error = failure(loading, Everything)
    assert set(error.failures) == {"database.host", "flag", "ratio", "price", "day", "level", "tags", "limits"}
    text = str(error)
    for line in (
        "flag (flag of local.vault.azure.net): Its value is not of the type bool.\n",
        "  flag: Store true or false",
        "level (level of local.vault.azure.net): Its value is not one of 1, high.",
        "tags (tags of local.vault.azure.net): Its value is not JSON of the type list[str].\n",
        "  tags: Store JSON, ",
        "database.host (database--host of local.vault.azure.net): ",
    ):
        assert line in text
    assert isinstance(error.failures["flag"], MalformedSecret)


def test_what_a_model_refuses_is_told_without_its_value(loading: Loading) -> None:
    class Refusing(pydantic.BaseModel):
        a: Annotated[int, pydantic.Field(gt=10)]
        b: Literal["x"]
        c: str
        d: pydantic.HttpUrl

        @pydantic.field_validator("c")
        @classmethod
        def never(cls, value: str) -> str:
            raise ValueError(f"{value} is bad")

    class Outer(pydantic.BaseModel):
        inner: Refusing

    store(loading, {"a": "5", "b": VALUE, "c": VALUE, "d": VALUE})
    error = failure(loading, Refusing)
    assert set(error.failures) == {"b"}  # what has no type is told first
    store(loading, {"b": "x"})
    loading.local.advance(seconds=400)
    error = failure(loading, Refusing)
    assert set(error.failures) == {"a", "c", "d"}
    assert "a (a of local.vault.azure.net): Refusing does not take its value (greater_than)." in str(error)
    store(loading, {"inner--a": "11", "inner--b": "x", "inner--c": VALUE, "inner--d": "https://a/"})
    assert set(failure(loading, Outer).failures) == {"inner.c"}


def test_a_model_that_refuses_all_of_it(loading: Loading) -> None:
    @dataclass
    class Checked:
        c: str

        def __post_init__(self) -> None:
            raise RuntimeError(self.c)

    store(loading, {"c": VALUE})
    assert set(failure(loading, Checked).failures) == {"Checked"}


@dataclass
class Odd:
    a: complex
    b: str


@dataclass
class Loop:
    inner: Loop


@dataclass
class BadName:
    ok: str
    bad: Annotated[str, safekv.field("a.b")]
    evil: Annotated[str, safekv.field("kv://evil.example.com/a")]


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (dict, "dict is not a model"),
        (5, "int is not a model"),
        (Odd, r"a is of the type complex"),
        (Loop, "Loop has itself"),
        (BadName, "bad: 'a.b' is not a valid.*\nevil: evil.example.com is not a host"),
    ],
)
def test_models_that_cannot_be_are_refused_before_anything_is_sent(loading: Loading, model: Any, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        loading.load_as(model)
    assert loading.asked() == loading.challenges() == 0


def test_a_type_that_cannot_be_found_is_named(loading: Loading) -> None:
    @dataclass
    class Lost:
        a: Nowhere  # type: ignore[name-defined] # noqa: F821

    with pytest.raises(InvalidArgument, match="cannot be found: Nowhere"):
        loading.load_as(Lost)


def test_pydantic_takes_what_a_dataclass_takes(loading: Loading) -> None:
    class Model(pydantic.BaseModel):
        a: str = safekv.field("b")
        c: bytes = safekv.field(default=b"x", encoding="base64")

    store(loading, {"b": VALUE})
    made = loading.load_as(Model)
    assert (made.a, made.c) == (VALUE, b"x")
    assert VALUE not in repr(made)
    store(loading, {"c": "AAE="})
    loading.local.advance(seconds=10)
    assert loading.load_as(Model).c == b"\x00\x01"
    json.dumps(Model.model_json_schema())


@pytest.mark.parametrize("bad", [{"secret": ""}, {"secret": 5}, {"encoding": "hex"}])
def test_a_field_that_cannot_be_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        safekv.field(**bad)


def test_a_secret_is_not_shown() -> None:
    secret = safekv.Secret(VALUE)
    assert VALUE not in f"{secret}{secret!r}{[secret]}"
    assert secret.get_secret_value() == VALUE
    assert secret == safekv.Secret(VALUE)
    assert secret != VALUE
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(secret)


KINDS = {
    bool: st.booleans(),
    int: st.integers(-(10**20), 10**20),
    float: st.floats(allow_nan=False),
    Decimal: st.decimals(allow_nan=False),
    datetime: st.datetimes(timezones=st.just(timezone.utc)),
    date: st.dates(),
    UUID: st.uuids(),
    str: st.text(),
}


@given(st.sampled_from(list(KINDS)).flatmap(lambda kind: st.tuples(st.just(kind), KINDS[kind])))
def test_values_go_there_and_back(case: tuple[Any, Any]) -> None:
    kind, value = case
    text = value.isoformat() if isinstance(value, date) else str(value)
    assert parse(parser(kind), text, kind) == value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), JSON))
def test_json_goes_there_and_back(value: dict[str, Any]) -> None:
    assert parse(parser(dict[str, Any]), json.dumps(value), dict[str, Any]) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (list[int], '["1"]'),
        (list[int], "[true]"),
        (list[bool], "[1]"),
        (list[str], "{}"),
        (tuple[int, str], "[1]"),
        (dict[str, list[int]], '{"a": 1}'),
        (list[int], "null"),
        (list[int], "[" * 100_000),
        (int, "9" * 5_000),
        (Decimal, "1,5"),
        (bytes, None),
    ],
)
def test_what_is_nearly_a_value_is_malformed(kind: Any, text: str | None) -> None:
    with pytest.raises(MalformedSecret):
        parse(parser(kind, "base64" if text is None else "utf-8"), text or "no base64!", kind)


def test_json_has_what_its_texts_mean() -> None:
    assert parse(parser(list[datetime | None]), '["2030-01-31T12:00:00Z", null]', list[datetime | None]) == [
        datetime(2030, 1, 31, 12, tzinfo=timezone.utc),
        None,
    ]
    assert parse(parser(set[Level]), '["high"]', set[Level]) == {Level.HIGH}
    assert parse(parser(list[Any]), "[null, {}]", list[Any]) == [None, {}]


ANY_KIND = st.sampled_from(
    [*KINDS, bytes, time, timedelta, Level, list[int], dict[str, list[bool]], set[str], tuple[int]]
)


@given(ANY_KIND, st.text(max_size=40))
def test_any_text_is_a_value_or_malformed(kind: Any, text: str) -> None:
    try:
        parse(parser(kind), text, kind)
    except MalformedSecret as error:
        assert error.__context__ is None  # noqa: PT017  (it would have the text)
