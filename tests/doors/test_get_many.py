"""Many secrets at once: bounded, one cold start, one error that names everything."""

from __future__ import annotations

import asyncio
import pickle
import threading
from typing import Any

import azure.core.exceptions as azure_errors
import pytest
from caching import Cached
from colours import Colour
from doubles import InfoCredential

from safekv.connection.pipeline._call import ON_TOKEN
from safekv.emulator import AsyncEmulatorTransport, EmulatorTransport
from safekv.errors import InvalidArgument, LoadError, SafeKVError
from safekv.secrets import SecretClient
from safekv.testing import LocalKeyVault

NAMES = [f"s{number}" for number in range(40)]


@pytest.fixture
def cached(colour: Colour, local: LocalKeyVault) -> Any:
    for name in NAMES:
        local.set_secret(name, f"value of {name}")
    with Cached.made(colour, local) as cached:
        yield cached


def many(cached: Cached, *args: Any, **kwargs: Any) -> Any:
    return cached.colour.run(cached.client.get_many(*args, **kwargs))


def failure(cached: Cached, *args: Any, **kwargs: Any) -> LoadError:
    with pytest.raises(LoadError) as caught:
        many(cached, *args, **kwargs)
    return caught.value


def test_a_cold_start_is_one_401_and_one_token(cached: Cached) -> None:
    found = many(cached, NAMES)
    assert list(found) == NAMES
    assert [secret.value for secret in found.values()] == [f"value of {name}" for name in NAMES]
    statuses = [entry.status for entry in cached.local.journal]
    assert (statuses.count(401), statuses.count(200), len(statuses)) == (1, 40, 41)
    assert cached.local.credential().requests == 1
    many(cached, reversed(NAMES))
    assert cached.requests() == 40


def test_spellings_of_one_name_are_one_request(cached: Cached) -> None:
    found = many(cached, ["S1", "s1", "s1"], optional=["S1"])
    assert list(found) == ["S1", "s1"]
    assert cached.requests() == 1


def test_optional_ones_may_be_absent(cached: Cached) -> None:
    assert list(many(cached, ["s1"], optional=["s2", "absent"])) == ["s1", "s2"]
    assert list(many(cached, [], optional=["absent", "s3"])) == ["s3"]
    assert many(cached, []) == {}
    assert failure(cached, ["Absent"], optional=["absent"]).failures.keys() == {"Absent"}


def test_one_error_names_every_failure_and_what_to_do(cached: Cached) -> None:
    """PydS and AppC: the first failure only. AppC: 95 s later, and without its name."""
    cached.local.fail(path="/secrets/s5", operation="get_secret", error="403_rbac", count=None)
    cached.local.fail(path="/secrets/s7/", operation="get_secret", error="403_secret_disabled", count=None)
    before = cached.local.emulator.clock.monotonic()
    error = failure(cached, [*NAMES[:10], "absent"], optional=["absent-too"])
    assert list(error.failures) == ["s5", "s7", "absent"]
    assert isinstance(error, SafeKVError)
    assert error.vault == "local.vault.azure.net"
    assert not error.transient
    lines = str(error).splitlines()
    assert lines[0] == "3 secrets of local.vault.azure.net could not be read:"
    for line, name, said in zip(
        lines[1:4], error.failures, ("no permission", "it is disabled", "there is no such secret"), strict=True
    ):
        assert line == f"  {name}: {said}"
    assert lines[4] == "What to do:"
    for line, said in zip(lines[5:], ("Key Vault Secrets User", "Enable the version", "Check the name"), strict=True):
        assert said in line
    assert isinstance(error.failures["absent"], azure_errors.ResourceNotFoundError)
    assert cached.local.emulator.clock.monotonic() == before  # permanent errors are waited for by nobody
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert [type(each) for each in again.failures.values()] == [type(each) for each in error.failures.values()]


def test_an_optional_one_that_is_refused_is_a_failure(cached: Cached) -> None:
    cached.local.fail(path="/secrets/s5", operation="get_secret", error="403_rbac", count=None)
    assert failure(cached, ["s1"], optional=["s5"]).failures.keys() == {"s5"}


def test_no_value_is_in_the_error(cached: Cached) -> None:
    cached.local.set_secret("s1", "hunter2")
    error = failure(cached, ["s1", "absent"])
    assert "hunter2" not in str(error) + repr(error)
    assert b"hunter2" not in pickle.dumps(error)


def test_what_does_not_pickle_travels_as_text() -> None:
    class Odd(Exception):
        def __init__(self) -> None:
            super().__init__("odd")
            self.lock = threading.Lock()

    error = pickle.loads(pickle.dumps(LoadError.of("vault", {"a": Odd()})))
    assert error.message == "1 secret of vault could not be read:\n  a: odd"
    assert type(error.failures["a"]) is SafeKVError


def test_transient_failures_are_waited_out(cached: Cached) -> None:
    cached.local.fail(operation="get_secret", status=429, retry_after=1, count=5)
    assert len(many(cached, NAMES[:10])) == 10


def test_all_of_it_has_one_deadline(cached: Cached) -> None:
    cached.local.fail(operation="get_secret", status=503, count=None)
    before = cached.local.emulator.clock.monotonic()
    error = failure(cached, NAMES, timeout=3)
    assert set(error.failures) == set(NAMES)
    assert error.transient
    assert cached.local.emulator.clock.monotonic() - before <= 5


def test_once_it_cannot_succeed_the_rest_has_little_time_left(cached: Cached) -> None:
    cached.local.fail(operation="get_secret", path="s[1-9]", status=429, retry_after=20, count=None)
    before = cached.local.emulator.clock.monotonic()
    error = failure(cached, ["absent", "s1", "s2"], timeout=300, concurrency=1)
    assert set(error.failures) == {"absent", "s1", "s2"}
    assert cached.local.emulator.clock.monotonic() - before < 20


def test_no_token_is_no_token_for_any(cached: Cached) -> None:
    cached.local.fail(operation="get_secret", status=401, count=None)
    error = failure(cached, NAMES)
    assert set(error.failures) == set(NAMES)
    assert len({id(each) for each in error.failures.values()}) == len(NAMES)
    assert len(cached.local.journal) <= 4 * 16  # a token that is refused is found out by those that are under way


def test_a_credential_that_gives_none_is_asked_once(colour: Colour, local: LocalKeyVault) -> None:
    credential = InfoCredential()
    credential.fails = 100
    client = colour.client(local, credential=credential)
    with pytest.raises(LoadError) as caught:
        colour.run(client.get_many(NAMES))
    assert set(caught.value.failures) == set(NAMES)
    assert len(credential.asked) == len(local.journal) == 1


class Meeting(EmulatorTransport):
    """Answers requests that have a token when so many of them have come."""

    def __init__(self, local: LocalKeyVault, many: int) -> None:
        super().__init__(local.emulator)
        self._barrier = threading.Barrier(many)

    def send(self, request: Any, **options: Any) -> Any:
        if "Authorization" in request.headers:
            self._barrier.wait(10)
        return super().send(request, **options)


class AsyncMeeting(AsyncEmulatorTransport):
    def __init__(self, local: LocalKeyVault, many: int) -> None:
        super().__init__(local.emulator)
        self._missing = many
        self._met = asyncio.Event()

    async def send(self, request: Any, **options: Any) -> Any:
        if "Authorization" in request.headers:
            self._missing -= 1
            if not self._missing:
                self._met.set()
            await asyncio.wait_for(self._met.wait(), 10)
        return await super().send(request, **options)


def test_the_rest_goes_out_as_soon_as_the_first_has_a_token(colour: Colour, local: LocalKeyVault) -> None:
    """A cold start of n is the 401, the token, and as many round trips as n takes; none for the first alone."""
    for name in NAMES[:8]:
        local.set_secret(name, "x")

    async def made() -> Any:  # on Python 3.10 an Event too belongs to a loop
        return AsyncMeeting(local, 8)

    transport = Meeting(local, 8) if colour.loop is None else colour.run(made())
    client = colour.client(local, transport=transport)
    assert len(colour.run(client.get_many(NAMES[:8]))) == 8
    assert [entry.status for entry in local.journal] == [401] + [200] * 8


class Asking(InfoCredential):
    """A credential that asks a vault itself, say for its own secret."""

    def __init__(self, other: Any) -> None:
        super().__init__()
        self._other = other
        self.released: list[bool] = []

    def get_token_info(self, *scopes: str, options: Any = None) -> Any:
        told: list[bool] = []
        before = ON_TOKEN.get()
        if before is not None:
            ON_TOKEN.set(lambda: (told.append(True), before()))
        self._other.get_secret("s1", max_age=0)
        self.released.append(bool(told))
        return super().get_token_info(*scopes, options=options)


def test_a_token_of_another_vault_releases_nobody(colour: Colour, local: LocalKeyVault) -> None:
    for name in NAMES[:3]:
        local.set_secret(name, "x")
    local.vault("other")
    transport = EmulatorTransport(local.emulator)
    other = SecretClient("https://other.vault.azure.net", InfoCredential(), transport=transport)
    other.set_secret("s1", "x")
    credential = Asking(other)
    client = colour.client(local, credential=credential)
    assert len(colour.run(client.get_many(NAMES[:3]))) == 3
    assert credential.released == [False]
    other.close()


def test_at_most_so_many_at_once(colour: Colour, local: LocalKeyVault) -> None:
    lock, now, most = threading.Lock(), [0], [0]
    names = [f"s{number}" for number in range(12)]

    def enter(by: int) -> None:
        with lock:
            now[0] += by
            most[0] = max(most[0], now[0])

    for name in names:
        local.set_secret(name, "x")
    with Cached.made(colour, local) as cached:
        original = cached.client._read_vault

        def read(*args: Any, **kwargs: Any) -> Any:
            enter(1)
            try:
                return original(*args, **kwargs)
            finally:
                enter(-1)

        async def aread(*args: Any, **kwargs: Any) -> Any:
            enter(1)
            try:
                return await original(*args, **kwargs)
            finally:
                enter(-1)

        cached.client._read_vault = read if colour.loop is None else aread
        assert len(many(cached, names, concurrency=3)) == 12
        assert most[0] <= 3
        cached.client.invalidate()
        assert len(many(cached, names, concurrency=100)) == 12
        del cached.client._read_vault


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"names": "db-password"}, "names must be several names, not str"),
        ({"names": 5}, "names must be several names, not int"),
        ({"names": [], "optional": "x"}, "optional must be several names"),
        ({"names": ["a_b", "ok", "c d"]}, "'a_b' is not a valid secret name.*\n'c d' is not a valid secret name"),
        ({"names": [None]}, "None is not a valid secret name"),
        ({"names": ["a"], "timeout": 0}, "timeout=0"),
        ({"names": ["a"], "timeout": "5"}, "timeout='5'"),
        ({"names": ["a"], "concurrency": 0}, "concurrency=0"),
        ({"names": ["a"], "concurrency": 1.5}, r"concurrency=1\.5"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(cached: Cached, arguments: Any, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        many(cached, **arguments)
    assert cached.requests() == 0


def test_without_a_cache(colour: Colour, local: LocalKeyVault) -> None:
    with Cached.made(colour, local, cache=None) as plain:
        assert many(plain, ["greeting"], optional=["absent"])["greeting"].value == "hello"
