"""Reading through the cache, in both doors, against the emulator on its own clock."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import azure.core.exceptions as azure_errors
import pytest
from azure.core.rest import HttpRequest
from azure.keyvault.secrets import KeyVaultSecret, SecretProperties
from caching import Cached, events_of, holding
from colours import Colour

import safekv
from safekv import CacheSettings, Vault
from safekv.cache import CacheInfo, RefreshFailed, SecretExpired, SecretNotYetValid, SecretRead, ServedStale
from safekv.errors import ClientClosed, InvalidArgument, UncachedReadsWarning
from safekv.events import UncachedReads
from safekv.testing import LocalKeyVault


@pytest.fixture
def cached(colour: Colour, local: LocalKeyVault) -> Iterator[Cached]:
    with Cached.made(colour, local) as cached:
        yield cached


# What a hit gives.


def test_a_secret_is_read_once(cached: Cached) -> None:
    assert [cached.get() for _ in range(5)] == ["hello"] * 5
    assert [cached.get(name) for name in ("GREETING", "Greeting")] == ["hello"] * 2  # names have no case
    assert cached.requests() == 1
    info = cached.client.cache_info()
    assert info == CacheInfo(hits=6, misses=1, entries=1, max_entries=1000)


def test_it_is_the_same_as_the_sdks(cached: Cached) -> None:
    cached.local.set_secret("full", "value", tags={"a": "b"}, content_type="text/plain", expires_on=4e9, not_before=1)
    read, kept = cached.secret("full"), cached.secret("full")
    assert type(kept) is KeyVaultSecret
    assert type(kept.properties) is SecretProperties
    assert repr(kept) == repr(read)
    assert repr(kept.properties) == repr(read.properties)
    for name in dir(SecretProperties):
        if not name.startswith("_"):
            assert getattr(kept.properties, name) == getattr(read.properties, name), name
    assert (kept.name, kept.id, kept.value) == (read.name, read.id, read.value)
    again = pickle.loads(pickle.dumps(kept))
    assert (again.value, again.properties.tags) == ("value", {"a": "b"})
    assert copy.deepcopy(kept).properties.version == read.properties.version
    assert vars(kept).keys() == vars(read).keys()
    assert vars(kept.properties).keys() == vars(read.properties).keys()


def test_nobody_can_change_what_others_get(cached: Cached) -> None:
    cached.local.set_secret("tagged", "value", tags={"a": "b"})
    for _ in range(3):
        secret = cached.secret("tagged")
        assert secret.properties.tags == {"a": "b"}
        secret.properties.tags["a"] = "changed"
        secret.properties.tags["c"] = "added"
        secret._value = "changed"
        secret._properties._content_type = "changed"
    assert cached.secret("tagged").value == "value"
    assert cached.secret("tagged").properties.content_type is None
    assert cached.requests("tagged") == 1


def test_versions_are_kept_apart_from_the_latest(cached: Cached) -> None:
    """Powertools' cache key has no version: it answers v2 with v1."""
    cached.local.set_secret("many", "one", "two")
    two = cached.secret("many").properties.version
    one = next(p.version for p in cached.versions("many") if p.version != two)
    assert [cached.get("many", one), cached.get("many", two), cached.get("many")] == ["one", "two", "two"]
    assert [cached.get("many", one), cached.get("many", two), cached.get("many", "")] == ["one", "two", "two"]
    assert cached.requests("many") == 3


def test_identities_share_nothing(cached: Cached, local: LocalKeyVault) -> None:
    from safekv.testing import LocalCredential

    cached.get()
    with pytest.warns(match="Several credential"):
        other = cached.colour.client(local, credential=LocalCredential(local.emulator), cache=CacheSettings(jitter=0))
    assert other._reads is not cached.client._reads
    assert not other._reads.entries


def test_clients_of_one_connection_share_it_if_they_want_the_same(cached: Cached) -> None:
    cached.get()
    other = cached.colour.client(cached.local, cache=CacheSettings(jitter=0), headers={"x": "y"})
    assert other is not cached.client
    assert cached.colour.run(other.get_secret("greeting")).value == "hello"
    assert cached.requests() == 1
    assert cached.colour.client(cached.local, cache=CacheSettings(jitter=0)) is cached.client
    third = cached.colour.client(cached.local, cache=CacheSettings(ttl=1))
    assert cached.colour.run(third.get_secret("greeting")).value == "hello"
    assert cached.requests() == 2


def test_bad_settings_are_refused_at_once(colour: Colour, local: LocalKeyVault) -> None:
    for wrong in (True, 60, {"ttl": 60}):
        with pytest.raises(InvalidArgument, match="cache must be"):
            colour.client(local, cache=wrong)
        with pytest.raises(InvalidArgument, match="cache must be"):
            Vault(local.url(), cache=wrong)


def test_the_default_and_the_environment(
    colour: Colour, local: LocalKeyVault, monkeypatch: pytest.MonkeyPatch, registry: Any
) -> None:
    options = {"transport": local.transport(colour.name)}
    client = colour.client_class(local.url(), local.credential(), **options)
    assert client._reads.settings == CacheSettings()
    monkeypatch.setenv("SAFEKV_CACHE_TTL", "7")
    from safekv.connection._registry import Registry

    registry.__init__()
    assert isinstance(registry, Registry)
    client = colour.client_class(local.url(), local.credential(), **options)
    assert client._reads.settings == CacheSettings(ttl=7)


def test_a_vault_hands_its_settings_on(local: LocalKeyVault) -> None:
    assert local.vault(cache=None).secrets.cache_info() == CacheInfo()
    assert local.vault(cache=CacheSettings(max_entries=5)).secrets.cache_info().max_entries == 5


def test_without_a_cache_every_call_reads(colour: Colour, local: LocalKeyVault) -> None:
    with Cached.made(colour, local, cache=None) as plain:
        assert [plain.get(), plain.get(max_age=60), plain.get(timeout=5)] == ["hello"] * 3
        assert plain.requests() == 3
        assert plain.client.cache_info() == CacheInfo()
        assert plain.client.last_event("greeting") is None
        plain.client.invalidate()
        with pytest.raises(InvalidArgument, match="max_age"):
            plain.get(max_age=-1)


@pytest.mark.parametrize("wrong", [-1, "5", True, float("nan")])
def test_an_age_that_is_none(cached: Cached, wrong: Any) -> None:
    with pytest.raises(InvalidArgument, match="max_age"):
        cached.get(max_age=wrong)
    assert cached.requests() == 0


@pytest.mark.parametrize("name", ["no_underscores", "", "\u212aelvin", "a/b"])
def test_bad_names_are_refused_as_ever(cached: Cached, name: str) -> None:
    cached.local.set_secret("kelvin", "x")
    cached.get("kelvin")
    with pytest.raises(InvalidArgument):
        cached.get(name)


@pytest.mark.parametrize("name", [None, 5, ["a"], {"a": "b"}])
def test_names_that_are_no_text(cached: Cached, name: Any) -> None:
    with pytest.raises(InvalidArgument):
        cached.get(name)


def unusual() -> dict[str, Any]:
    return {
        "headers": {"x": "y"},
        "request_id": "an-id",
        "raw_response_hook": lambda response: None,
        "raw_request_hook": lambda request: None,
        "user_agent": "me",
        "error_map": {},
        "logging_enable": True,
        "retry_total": 1,
        "out_content_type": "application/x-pkcs12",
        "connection_timeout": 3,
    }


@pytest.mark.parametrize("keyword", unusual())
def test_unusual_calls_go_to_the_vault(cached: Cached, keyword: str) -> None:
    cached.get()
    for _ in range(2):
        assert cached.get(**{keyword: unusual()[keyword]}) == "hello"
    assert cached.requests() == 3
    assert cached.get(max_age=5, **{keyword: unusual()[keyword]}) == "hello"
    assert cached.get() == "hello"
    assert cached.requests() == 4


def test_a_deadline_is_no_reason_to_ask(cached: Cached) -> None:
    assert [cached.get(timeout=5) for _ in range(3)] == ["hello"] * 3
    assert cached.requests() == 1


# Time.


def test_it_is_refreshed_before_it_expires_and_nobody_waits(colour: Colour, local: LocalKeyVault) -> None:
    """AWSc: 20 readers at expiry with a vault that takes a second; all 20 wait for it."""
    slow = holding(colour, local)
    with Cached.made(colour, local, transport=slow) as cached:
        slow.let.set()
        cached.get()
        slow.let.clear()
        local.set_secret("greeting", "hello again")
        cached.advance(239)
        assert cached.get() == "hello"
        cached.advance(60)  # it expires in a second, or would have, had it been unlucky
        answers = colour.together(20, lambda _: cached.client.get_secret("greeting"))
        assert [answer.value for answer in answers] == ["hello"] * 20
        if colour.loop is None:
            assert slow.held.wait(10)
        assert cached.get() == "hello"
        slow.let.set()
        cached.settle()
        assert cached.get() == "hello again"
        assert cached.requests() == 2
    assert cached.client.cache_info().refreshes == 1
    assert isinstance(cached.client.last_event("greeting"), SecretRead)


def test_past_its_time_it_is_read(cached: Cached) -> None:
    cached.get()
    cached.local.set_secret("greeting", "hello again")
    cached.advance(301)
    assert cached.get() == "hello again"


def test_a_forced_read(cached: Cached) -> None:
    cached.get()
    cached.local.set_secret("greeting", "hello again")
    before = cached.local.emulator.clock.monotonic()
    assert cached.get(max_age=0) == "hello again"
    assert cached.local.emulator.clock.monotonic() == before  # AWSc sleeps 2.5 to 5 s
    assert cached.get() == "hello again"
    cached.advance(10)
    assert cached.get(max_age=10) == "hello again"
    assert cached.requests() == 2
    assert cached.get(max_age=9) == "hello again"
    assert cached.requests() == 3


def test_a_secret_is_read_again_when_it_expires(cached: Cached) -> None:
    now = cached.local.emulator.clock.time()
    cached.local.set_secret("short", "one", expires_on=int(now) + 100)
    assert cached.get("short") == "one"
    cached.local.set_secret("short", "two")
    cached.advance(101)
    assert cached.get("short") == "two"


def test_dates_raise_events(cached: Cached, caplog: pytest.LogCaptureFixture) -> None:
    now = int(cached.local.emulator.clock.time())
    cached.local.set_secret("expired", "x", expires_on=now - 60)
    cached.local.set_secret("early", "x", not_before=now + 60)
    with events_of() as events:
        assert [cached.get("expired"), cached.get("expired"), cached.get("early")] == ["x"] * 3
    kinds = [type(event) for event in events if not isinstance(event, SecretRead)]
    assert kinds == [SecretExpired, SecretNotYetValid]
    assert "Secret expired of" in caplog.text
    assert "Secret early of" in caplog.text
    assert isinstance(cached.client.last_event("EARLY"), SecretNotYetValid)


# Writes.


def test_writes_are_seen_at_once(cached: Cached) -> None:
    run, client = cached.colour.run, cached.client
    cached.get()
    run(client.set_secret("greeting", "changed", tags={"a": "b"}))
    assert cached.get() == "changed"
    run(client.update_secret_properties("Greeting", tags={"c": "d"}))
    assert cached.secret().properties.tags == {"c": "d"}
    version = cached.secret().properties.version
    assert cached.secret("greeting", version).properties.enabled
    run(client.update_secret_properties("greeting", version, enabled=False))
    for call in ((), (version,)):
        with pytest.raises(azure_errors.HttpResponseError, match="disabled"):
            cached.get("greeting", *call)
    run(client.update_secret_properties("greeting", version, enabled=True))
    assert cached.get() == "changed"


def test_deleting_recovering_purging_restoring(cached: Cached) -> None:
    run, client, colour = cached.colour.run, cached.client, cached.colour
    cached.get()
    backup = run(client.backup_secret("greeting"))
    colour.delete(client, "greeting")
    with pytest.raises(azure_errors.ResourceNotFoundError):
        cached.get()
    cached.recover()
    assert cached.get() == "hello"
    colour.delete(client, "greeting")
    run(client.purge_deleted_secret("greeting"))
    with pytest.raises(azure_errors.ResourceNotFoundError):
        cached.get()
    run(client.restore_secret_backup(backup))
    assert cached.get() == "hello"


def test_the_recover_poller_reads_the_vault(cached: Cached) -> None:
    """With a cached get_secret in a subclass, the SDK's poller is satisfied by the cache and returns at once."""
    cached.get()
    cached.colour.delete(cached.client, "greeting")
    before = cached.requests()
    cached.local.fail(operation="get_secret", error="404_secret", count=3)
    cached.recover()
    assert cached.requests() - before >= 4
    assert cached.get() == "hello"


def test_what_is_read_while_a_secret_is_recovered_is_forgotten_with_its_end(local: LocalKeyVault) -> None:
    client = local.vault(cache=CacheSettings(negative_ttl=1000)).secrets
    client.begin_delete_secret("greeting").wait()
    local.fail(operation="get_secret", error="404_secret", count=3)
    poller = client.begin_recover_deleted_secret("greeting")
    with pytest.raises(azure_errors.ResourceNotFoundError):
        client.get_secret("greeting")
    poller.wait()
    assert client.get_secret("greeting").value == "hello"


def test_a_failed_write_invalidates_too(cached: Cached) -> None:
    cached.get()
    cached.local.fail(operation="set_secret", network="reset-after")
    cached.local.fail(operation="get_secret", network="reset-before", count=10)  # nor can it be read back
    with pytest.raises(azure_errors.AzureError):
        cached.colour.run(cached.client.set_secret("greeting", "written all the same"))
    cached.local.emulator.clear_faults()
    assert cached.get() == "written all the same"


def test_a_write_through_another_client_of_this_process_is_seen(cached: Cached, colour: Colour) -> None:
    cached.get()
    plain = colour.client(cached.local)
    colour.run(plain.set_secret("greeting", "by a client without a cache"))
    assert cached.get() == "by a client without a cache"
    cached.local.client.set_secret("greeting", "by a client of either colour")
    assert cached.get() == "by a client of either colour"


def test_a_write_by_send_request_is_seen(cached: Cached) -> None:
    cached.get()
    request = HttpRequest("PUT", "/secrets/greeting", json={"value": "raw"})
    assert cached.colour.run(cached.client.send_request(request)).status_code == 200
    assert cached.get() == "raw"


def test_invalidating(cached: Cached) -> None:
    cached.local.set_secret("other", "x")
    for name in ("greeting", "other"):
        cached.get(name)
    cached.client.invalidate("GREETING")
    assert [cached.get(), cached.get("other")] == ["hello", "x"]
    assert cached.requests() == 3
    cached.client.invalidate()
    assert [cached.get(), cached.get("other")] == ["hello", "x"]
    assert cached.requests() == 5
    with pytest.raises(InvalidArgument):
        cached.client.invalidate("no_name")


# Errors.


@pytest.mark.parametrize("error", ["403_rbac", "403_secret_disabled", "403_firewall"])
def test_a_refusal_is_raised_at_the_next_refresh_and_drops_the_value(cached: Cached, error: str) -> None:
    """AWSc: AccessDenied after expiry keeps returning the old value, without limit."""
    cached.get()
    cached.local.fail(operation="get_secret", error=error, count=None)
    cached.advance(250)
    with events_of() as events:
        assert cached.get() == "hello"
        cached.settle()
    with pytest.raises(azure_errors.HttpResponseError) as caught:
        cached.get()
    assert caught.value.status_code == 403
    (event,) = events
    assert isinstance(event, RefreshFailed)
    assert event.dropped
    cached.advance(3600)
    with pytest.raises(azure_errors.HttpResponseError):
        cached.get()


def test_absence_is_asked_once_and_creating_ends_it(cached: Cached) -> None:
    """AWSc: created 0.2 s later, still "not found" for seconds."""
    for _ in range(5):
        with pytest.raises(azure_errors.ResourceNotFoundError) as caught:
            cached.get("absent")
        assert caught.value.status_code == 404
    assert cached.requests("absent") == 1
    assert cached.client.cache_info().negative_hits == 4
    cached.colour.run(cached.client.set_secret("absent", "no longer"))
    assert cached.get("absent") == "no longer"


def test_absence_is_forgotten_soon(cached: Cached) -> None:
    with pytest.raises(azure_errors.ResourceNotFoundError):
        cached.get("absent")
    cached.local.set_secret("absent", "created elsewhere")
    assert cached.get("absent", max_age=0) == "created elsewhere"
    with pytest.raises(azure_errors.ResourceNotFoundError):
        cached.get("absent2")
    cached.local.set_secret("absent2", "created elsewhere")
    cached.advance(5)
    assert cached.get("absent2") == "created elsewhere"


def test_each_reader_of_an_absence_gets_an_error_of_its_own(cached: Cached) -> None:
    caught = []
    for _ in range(3):
        with pytest.raises(azure_errors.ResourceNotFoundError) as info:
            cached.get("absent")
        caught.append(info.value)
    assert len({id(error) for error in caught}) == 3
    assert len({str(error) for error in caught}) == 1
    assert all(error.error.code == "SecretNotFound" for error in caught)


OUTAGES = {
    "throttled": {"status": 429, "retry_after": 1},
    "5xx": {"status": 503},
    "refused": {"network": "refused"},
    "reset": {"network": "reset-before"},
    "black hole": {"network": "black-hole"},
}


@pytest.mark.parametrize("outage", OUTAGES)
def test_an_outage_of_half_an_hour_fails_no_read(cached: Cached, outage: str, caplog: pytest.LogCaptureFixture) -> None:
    """Powertools: GetParameterError("Throttled") and no stale value. PydS and AppC: the load fails."""
    cached.get()
    fault = cached.local.fail(operation="get_secret", **OUTAGES[outage], count=None)
    start = cached.local.emulator.clock.monotonic()
    with events_of() as events:
        while cached.local.emulator.clock.monotonic() < start + 1800:
            assert cached.get() == "hello"
            cached.settle()
            cached.advance(20)
    assert cached.client.cache_info().stale_serves > 20
    assert [type(event) for event in events].count(ServedStale) == 1
    assert caplog.text.count("stands in") == 1
    fault.remove()
    cached.local.set_secret("greeting", "hello again")
    cached.advance(61)
    cached.get()
    cached.settle()
    assert cached.get() == "hello again"
    assert isinstance(cached.client.last_event("greeting"), SecretRead)


def test_access_revoked_during_an_outage_is_noticed_with_its_end(cached: Cached) -> None:
    cached.get()
    cached.local.fail(operation="get_secret", status=503, count=10)
    cached.local.fail(operation="get_secret", error="403_rbac", count=None)
    values = []
    with suppress(azure_errors.HttpResponseError):
        while len(values) < 60:
            values.append(cached.get())
            cached.settle()
            cached.advance(30)
    assert 10 < len(values) < 60
    assert set(values) == {"hello"}
    for _ in range(3):
        with pytest.raises(azure_errors.HttpResponseError) as caught:
            cached.get()
        assert caught.value.status_code == 403


def test_after_an_hour_there_is_no_value_any_more(cached: Cached) -> None:
    cached.get()
    cached.local.fail(operation="get_secret", network="refused", count=None)
    cached.advance(3901)
    with pytest.raises(azure_errors.ServiceRequestError):
        cached.get()


def test_a_first_read_has_nothing_to_fall_back_on(cached: Cached) -> None:
    cached.local.fail(operation="get_secret", network="refused", count=None)
    with pytest.raises(azure_errors.ServiceRequestError):
        cached.get()


def test_a_caller_who_wants_it_fresh_is_told_that_it_is_not(cached: Cached) -> None:
    cached.get()
    cached.local.fail(operation="get_secret", network="refused", count=None)
    with pytest.raises(azure_errors.ServiceRequestError):
        cached.get(max_age=0)
    assert cached.get() == "hello"


def test_a_certificate_that_does_not_verify_is_no_outage(cached: Cached) -> None:
    cached.get()
    cached.local.fail(operation="get_secret", network="bad-certificate", count=None)
    cached.advance(301)
    with pytest.raises(azure_errors.ServiceRequestError):
        cached.get()
    with pytest.raises(azure_errors.ServiceRequestError):
        cached.get()


def test_a_version_that_may_no_longer_be_read_is_noticed(cached: Cached) -> None:
    version = cached.secret().properties.version
    cached.get("greeting", version)
    cached.local.fail(operation="get_secret", error="403_secret_disabled", count=None)
    cached.advance(3000)
    assert cached.get("greeting", version) == "hello"
    cached.advance(601)
    assert cached.get("greeting", version) == "hello"
    cached.settle()
    with pytest.raises(azure_errors.HttpResponseError):
        cached.get("greeting", version)


# Life.


def test_a_closed_client_gives_nothing_out(colour: Colour, local: LocalKeyVault) -> None:
    with Cached.made(colour, local) as cached:
        cached.get()
        colour.run(cached.client.close())
        with pytest.raises(ClientClosed):
            cached.get()
        assert cached.client.cache_info() == CacheInfo()


def test_a_pickle_takes_settings_along_and_no_entries(colour: Colour, local: LocalKeyVault) -> None:
    with local:
        client = colour.client_class(local.url(), cache=CacheSettings(ttl=7))
        assert colour.run(client.get_secret("greeting")).value == "hello"
        data = pickle.dumps(client)
        assert b"hello" not in data
        assert b"greeting" not in data
        assert pickle.loads(data) is client
        assert pickle.loads(data)._reads.settings.ttl == 7


def test_an_emulator_that_comes_and_goes_leaves_nothing_behind(colour: Colour, local: LocalKeyVault) -> None:
    """A client that was made before `with LocalKeyVault()` reaches it, and what it read stays in there."""
    client = colour.client_class(local.url(), local.credential())
    with local:
        assert colour.run(client.get_secret("greeting")).value == "hello"
        assert client._reads.entries
        other = LocalKeyVault()
        other.set_secret("greeting", "of another")
        with other:
            assert not client._reads.entries
            assert colour.run(client.get_secret("greeting")).value == "of another"
        assert not client._reads.entries
        assert colour.run(client.get_secret("greeting")).value == "hello"
    assert not client._reads.entries


def test_an_answer_that_is_no_secret_is_passed_on_and_not_kept(cached: Cached, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with mock.patch("azure.keyvault.secrets.SecretClient.get_secret")."""
    answers = iter([object(), object()])

    def get_secret(*_: Any, **__: Any) -> Any:
        return next(answers)

    async def aget_secret(*_: Any, **__: Any) -> Any:
        return next(answers)

    patched = get_secret if cached.colour.loop is None else aget_secret
    monkeypatch.setattr(cached.colour.sdk_class, "get_secret", patched)
    first, second = (cached.colour.run(cached.client.get_secret("greeting")) for _ in range(2))
    assert first is not second
    assert not cached.client._reads.entries


ID = "https://local.vault.azure.net/secrets/greeting/"
BROKEN = [{}, {"value": "x"}, {"id": ID + "v1"}, {"value": "x", "id": ID + "v1", "attributes": {"exp": 10**18}}]


@pytest.mark.parametrize("body", BROKEN, ids=["empty", "no id", "no value", "no date"])
def test_a_broken_answer_is_passed_on_and_not_kept(cached: Cached, body: dict[str, Any]) -> None:
    cached.local.fail(operation="get_secret", status=200, body=body, count=None)
    for count in (1, 2):
        assert cached.get() == body.get("value")
        assert cached.requests() == count
    cached.local.emulator.clear_faults()
    assert cached.get() == "hello"


def test_nothing_kept_is_shown(cached: Cached, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    cached.local.set_secret("password", "hunter2", expires_on=1)
    with events_of() as events:
        cached.get("password")
        cached.local.fail(operation="get_secret", status=503, count=None)
        cached.advance(250)
        cached.get("password")
        cached.settle()
        cached.advance(61)
        cached.get("password")
    reads = cached.client._reads
    shown = [events, reads, reads.cache, dict(reads.entries), reads.cache.info(), cached.client, vars(reads)]
    assert "hunter2" not in "".join(map(repr, shown))
    assert "hunter2" not in caplog.text


def test_reading_in_a_loop_without_a_cache_is_told_once(colour: Colour, local: LocalKeyVault) -> None:
    seen: list[Any] = []
    stop = safekv.subscribe(seen.append)
    client = colour.client(local, cache=None)
    with pytest.warns(UncachedReadsWarning, match="'greeting' was read more than 100 times in 10 s") as told:
        _ = [colour.run(client.get_secret("greeting")) for _ in range(220)]
    stop()
    assert len(told) == 1
    assert "safekv" not in Path(told[0].filename).parts  # it points at the caller
    assert [event.vault for event in seen if isinstance(event, UncachedReads)] == ["local.vault.azure.net"]


def test_reading_now_and_then_without_a_cache_is_no_habit(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local, cache=None)
    for _ in range(3):
        for _ in range(90):
            colour.run(client.get_secret("greeting"))
        local.advance(seconds=11)


def test_a_pipeline_of_the_callers_own_is_not_cached(colour: Colour, local: LocalKeyVault) -> None:
    """Its writes do not come by our transport, so nobody would be told of them."""
    pipeline = colour.client(local)._client._client._pipeline
    client = colour.client(local, cache=CacheSettings(), pipeline=pipeline)
    colour.run(client.get_secret("greeting"))
    colour.run(client.set_secret("greeting", "changed"))
    assert colour.run(client.get_secret("greeting")).value == "changed"
    assert client.cache_info().max_entries == 0
