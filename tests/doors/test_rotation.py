"""Noticing that a secret has a new version, telling those who use it, and using it again."""

from __future__ import annotations

import json
from typing import Any

import azure.core.exceptions as azure_errors
import pytest
from azure.core.messaging import CloudEvent
from caching import Cached, events_of
from colours import Colour

from safekv.cache import RefreshFailed, SecretChange, WatchFailed
from safekv.errors import InvalidArgument
from safekv.testing import LocalKeyVault


@pytest.fixture
def cached(colour: Colour, local: LocalKeyVault) -> Any:
    with Cached.made(colour, local) as cached:
        yield cached


def lists(cached: Cached) -> int:
    return sum(entry.operation == "list_properties_of_secrets" for entry in cached.local.journal)


# Being told.


def test_a_change_is_told_with_names_and_versions_and_no_value(cached: Cached) -> None:
    changes: list[SecretChange] = []
    stop = cached.client.on_change(changes.append)
    old = cached.secret().properties.version
    cached.local.set_secret("greeting", "hunter2")
    cached.get(max_age=0)
    new = cached.secret().properties.version
    assert changes == [SecretChange("local.vault.azure.net", "greeting", old, new)]
    assert "hunter2" not in repr(changes)
    stop()
    cached.local.set_secret("greeting", "more")
    cached.get(max_age=0)
    assert len(changes) == 1


def test_a_change_is_told_by_the_refresh_and_after_a_write(cached: Cached) -> None:
    changes: list[SecretChange] = []
    cached.client.on_change(changes.append, names=["Greeting"])
    cached.get()
    cached.local.set_secret("greeting", "two")
    cached.local.set_secret("other", "x")
    cached.get("other")
    cached.local.set_secret("other", "y")
    cached.advance(250)
    for name in ("greeting", "other"):
        cached.get(name)
    cached.settle()
    assert [change.name for change in changes] == ["greeting"]
    cached.colour.run(cached.client.set_secret("greeting", "three"))
    cached.get()
    assert len(changes) == 2
    assert changes[0].new_version == changes[1].old_version
    cached.colour.delete(cached.client, "greeting")
    with pytest.raises(azure_errors.ResourceNotFoundError):
        cached.get()
    assert changes[-1].new_version is None


def test_a_callback_that_raises_is_reported_and_stops_nothing(cached: Cached, caplog: pytest.LogCaptureFixture) -> None:
    changes: list[SecretChange] = []

    def broken(change: SecretChange) -> None:
        raise RuntimeError("broken callback")

    cached.client.on_change(broken)
    cached.client.on_change(changes.append)
    cached.get()
    cached.local.set_secret("greeting", "two")
    cached.advance(250)
    cached.get()
    cached.settle()
    assert cached.get() == "two"
    assert len(changes) == 1
    assert "A callback failed on a change of secret greeting" in caplog.text
    assert "broken callback" in caplog.text


def test_a_coroutine_function_is_awaited_where_that_is_possible(
    cached: Cached, caplog: pytest.LogCaptureFixture
) -> None:
    changes: list[SecretChange] = []

    async def callback(change: SecretChange) -> None:
        changes.append(change)
        raise RuntimeError("after the fact")

    if cached.colour.loop is None:
        with pytest.raises(InvalidArgument, match="cannot await"):
            cached.client.on_change(callback)
        return
    cached.client.on_change(callback)
    cached.get()
    cached.local.set_secret("greeting", "two")
    assert cached.get(max_age=0) == "two"
    cached.settle()
    assert len(changes) == 1
    assert "after the fact" in caplog.text


def test_a_callback_may_read(cached: Cached) -> None:
    seen = []
    if cached.colour.loop is None:
        cached.client.on_change(lambda change: seen.append(cached.get(change.name)))
    else:

        async def read(change: SecretChange) -> None:
            seen.append((await cached.client.get_secret(change.name)).value)

        cached.client.on_change(read)
    cached.get()
    cached.local.set_secret("greeting", "two")
    cached.get(max_age=0)
    cached.settle()
    assert seen == ["two"]


def test_what_cannot_be_called_or_needs_a_cache(cached: Cached, colour: Colour, local: LocalKeyVault) -> None:
    with pytest.raises(InvalidArgument, match="callable"):
        cached.client.on_change("callback")
    with pytest.raises(InvalidArgument, match="names must be several"):
        cached.client.on_change(print, names="greeting")
    plain = colour.client(local)
    with pytest.raises(InvalidArgument, match="on_change needs a client with a cache"):
        plain.on_change(print)
    with pytest.raises(InvalidArgument, match="watch needs a client with a cache"):
        plain.watch()


# Watching.


def watch(cached: Cached, names: Any = None, **how: Any) -> Any:
    async def begin() -> Any:
        return cached.client.watch(names, **{"interval": 60, "jitter": 0, **how})

    return cached.colour.run(begin()) if cached.colour.loop else cached.client.watch(names, interval=60, jitter=0)


def a_round(cached: Cached, seconds: float = 61) -> None:
    cached.advance(seconds)
    cached.settle()


def stop(cached: Cached, watching: Any) -> None:
    async def end() -> None:
        watching.stop()

    cached.colour.run(end()) if cached.colour.loop else watching.stop()
    cached.settle()


def test_a_watch_reads_what_changes(cached: Cached) -> None:
    changes: list[SecretChange] = []
    cached.client.on_change(changes.append)
    cached.get()
    watching = watch(cached)
    a_round(cached)
    assert not changes
    cached.local.set_secret("greeting", "two")
    cached.advance(30)
    cached.settle()
    assert not changes
    a_round(cached, 31)
    assert len(changes) == 1
    assert cached.get() == "two"
    stop(cached, watching)
    before = len(cached.local.journal)
    a_round(cached, 600)
    assert len(cached.local.journal) == before


def many(cached: Cached, count: int) -> list[str]:
    names = [f"s{number}" for number in range(count)]
    for name in names:
        cached.local.set_secret(name, "one")
    cached.colour.run(cached.client.get_many(names))
    return names


def test_it_lists_when_that_is_cheaper(cached: Cached) -> None:
    """40 secrets are 2 pages: 2 requests instead of 40."""
    names = many(cached, 40)
    changes: list[SecretChange] = []
    cached.client.on_change(changes.append)
    watching = watch(cached, names)
    a_round(cached, 120)  # they were read in the second in which they were written, so they are read once more
    before, listed = cached.requests(), lists(cached)
    a_round(cached)
    assert (cached.requests() - before, lists(cached) - listed) == (0, 2)
    cached.local.set_secret("s7", "two")
    a_round(cached)
    assert [change.name for change in changes] == ["s7"]
    assert cached.requests() - before == 1
    cached.local.set_secret("s8", "two", enabled=False)
    with events_of() as events:
        a_round(cached)
    assert [type(event) for event in events] == [RefreshFailed]
    stop(cached, watching)


def test_it_reads_when_that_is_cheaper(cached: Cached) -> None:
    """3 of 120 secrets: 3 requests instead of 5 pages."""
    many(cached, 120)
    watching = watch(cached, ["s1", "s2", "S3"])
    a_round(cached)
    before, listed = cached.requests(), lists(cached)
    assert listed <= 3
    a_round(cached)
    assert (cached.requests() - before, lists(cached) - listed) == (3, 0)
    stop(cached, watching)


def test_it_needs_no_permission_to_list(cached: Cached) -> None:
    """PydS: a get-only identity cannot use it."""
    names = many(cached, 40)
    cached.local.fail(operation="list_properties_of_secrets", error="403_rbac", count=None)
    watching = watch(cached, names)
    cached.local.set_secret("s7", "two")
    with events_of() as events:
        a_round(cached)
        a_round(cached)
    assert cached.get("s7") == "two"
    assert lists(cached) == 1
    assert not [event for event in events if isinstance(event, (WatchFailed, RefreshFailed))]
    stop(cached, watching)


def test_a_list_that_fails_is_told_and_tried_again(cached: Cached, caplog: pytest.LogCaptureFixture) -> None:
    names = many(cached, 40)
    watching = watch(cached, names)
    cached.local.fail(operation="list_properties_of_secrets", status=503, count=4)
    with events_of() as events:
        a_round(cached)
    assert [type(event) for event in events if not hasattr(event, "lane")] == [WatchFailed]
    assert "could not be listed" in caplog.text
    cached.local.set_secret("s7", "two")
    a_round(cached)
    assert cached.get("s7") == "two"
    stop(cached, watching)


def test_leaving_with_ends_it(cached: Cached) -> None:
    cached.get()
    if cached.colour.loop is None:
        with cached.client.watch(["greeting"], interval=60):
            a_round(cached)
    else:

        async def main() -> None:
            async with cached.client.watch(["greeting"], interval=60):
                cached.local.advance(seconds=61)
                await cached.local.aio_settle()

        cached.colour.run(main())
    before = cached.requests()
    assert before == 2
    a_round(cached)
    assert cached.requests() == before


@pytest.mark.parametrize("how", [{"interval": 0}, {"interval": "5"}, {"names": "greeting"}])
def test_bad_input_to_a_watch(cached: Cached, how: Any) -> None:
    async def begin() -> None:
        cached.client.watch(**how)

    with pytest.raises(InvalidArgument):
        cached.colour.run(begin()) if cached.colour.loop else cached.client.watch(**how)


# A consumer that says that it is bad.


class Refused(Exception):
    """What a database says to an old password."""


def consumer(cached: Cached, good: str) -> Any:
    calls: list[str] = []

    def use(secret: Any) -> str:
        calls.append(secret.value)
        if secret.value != good:
            raise Refused(len(calls))
        return f"connected after {len(calls)}"

    async def ause(secret: Any) -> str:
        return use(secret)

    chosen: Any = use if cached.colour.loop is None else ause
    chosen.calls = calls
    return chosen


def test_a_rotated_credential_is_read_once_more_and_used_again(cached: Cached) -> None:
    cached.get()
    cached.local.set_secret("greeting", "two")
    use = consumer(cached, "two")
    assert cached.colour.run(cached.client.with_secret("greeting", use, retry_on=Refused)) == "connected after 2"
    assert use.calls == ["hello", "two"]
    assert cached.requests() == 2
    assert cached.colour.run(cached.client.with_secret("greeting", use, retry_on=Refused)) == "connected after 3"


def test_a_credential_that_is_bad_all_the_same_is_not_used_again(cached: Cached) -> None:
    use = consumer(cached, "never")
    with pytest.raises(Refused):
        cached.colour.run(cached.client.with_secret("greeting", use, retry_on=Refused))
    assert use.calls == ["hello"]
    cached.local.set_secret("greeting", "two")
    with pytest.raises(Refused):
        cached.colour.run(cached.client.with_secret("greeting", use, retry_on=(Refused, OSError)))
    assert use.calls == ["hello", "hello", "two"]


def test_other_errors_are_not_ours(cached: Cached) -> None:
    with pytest.raises(Refused):
        cached.colour.run(cached.client.with_secret("greeting", consumer(cached, "x"), retry_on=OSError))
    assert cached.requests() == 1


def test_if_the_vault_cannot_be_read_the_consumers_error_is_raised(cached: Cached) -> None:
    cached.get()
    cached.local.fail(operation="get_secret", network="refused", count=None)
    with pytest.raises(Refused) as caught:
        cached.colour.run(cached.client.with_secret("greeting", consumer(cached, "x"), retry_on=Refused))
    assert isinstance(caught.value.__cause__, azure_errors.ServiceRequestError)


def test_a_plain_function_will_do_in_aio_too(colour: Colour, local: LocalKeyVault) -> None:
    plain = colour.client(local)
    assert colour.run(plain.with_secret("greeting", lambda secret: secret.value, retry_on=Refused)) == "hello"


# Event Grid.


def event(name: str = "greeting", version: str = "v2", vault: str = "local", **changes: Any) -> dict[str, Any]:
    data = {
        "Id": f"https://{vault}.vault.azure.net/secrets/{name}/{version}",
        "VaultName": vault,
        "ObjectType": "Secret",
        "ObjectName": name,
        "Version": version,
        "NBF": None,
        "EXP": None,
    }
    return {
        "id": "1",
        "source": "/subscriptions/x",
        "type": "Microsoft.KeyVault.SecretNewVersionCreated",
        "specversion": "1.0",
        "data": data,
        **changes,
    }


class GridEvent:
    """As azure-eventgrid parses it."""

    def __init__(self, event: dict[str, Any]) -> None:
        self.event_type = event["type"]
        self.data = {"Id": "", **{key: value for key, value in event["data"].items() if key != "Id"}}


@pytest.mark.parametrize(
    "made",
    [
        lambda it: it,
        json.dumps,
        lambda it: json.dumps(it).encode(),
        lambda it: [it],
        CloudEvent.from_dict,
        GridEvent,
        lambda it: {"eventType": it["type"], "data": {key.lower(): value for key, value in it["data"].items()}},
    ],
    ids=["dict", "text", "bytes", "list", "CloudEvent", "EventGridEvent", "Event Grid schema"],
)
def test_an_event_of_a_new_version_invalidates(cached: Cached, made: Any) -> None:
    cached.get()
    cached.local.set_secret("greeting", "two")
    assert cached.client.handle_event(made(event("Greeting"))) is True
    assert cached.get() == "two"
    version = cached.secret().properties.version
    assert cached.client.handle_event(made(event(version=version))) is False  # we have that
    assert cached.get() == "two"
    assert cached.requests() == 2


@pytest.mark.parametrize(
    "other",
    [
        event(vault="another"),
        event(type="Microsoft.KeyVault.SecretNearExpiry"),
        event(type="Microsoft.KeyVault.KeyNewVersionCreated"),
        event(data={}),
    ],
)
def test_other_events_change_nothing(cached: Cached, other: Any) -> None:
    cached.get()
    assert cached.client.handle_event(other) is False
    cached.get()
    assert cached.requests() == 1


@pytest.mark.parametrize("wrong", [None, 5, "text", b"\xff", {}, [], {"type": "x"}, [event(), event()]])
def test_what_is_no_event(cached: Cached, wrong: Any) -> None:
    with pytest.raises(InvalidArgument, match="handle_event was given"):
        cached.client.handle_event(wrong)


def test_without_a_cache_an_event_says_whether_it_concerns_us(colour: Colour, local: LocalKeyVault) -> None:
    assert colour.client(local).handle_event(event()) is True
