"""Metrics and spans, as OpenTelemetry's own SDK exports them, of both doors against the emulator."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest

pytest.importorskip("opentelemetry.sdk")

from azure.core.instrumentation import _get_tracer_cached
from azure.core.rest import HttpRequest
from azure.core.settings import settings as azure_settings
from caching import holding
from colours import Colour
from key_doors import Doors
from opentelemetry import context, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from safekv import CacheSettings, _events
from safekv.emulator import EmulatorSettings, Limits
from safekv.envelope import Encryptor, KeyRing
from safekv.errors import InvalidArgument, SecretNotFound, VaultThrottled
from safekv.observability import instrument
from safekv.testing import LocalKeyVault

HOST = "local.vault.azure.net"
VALUE = "planted-value-of-the-secret"
SECRETS = "name-of-the-object"


class Exported:
    """Everything that leaves the process."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self._spans = InMemorySpanExporter()
        self.meters = MeterProvider([self._reader])
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._spans))

    def spans(self) -> tuple[ReadableSpan, ...]:
        return self._spans.get_finished_spans()

    def points(self, metric: str) -> list[Any]:
        data = self._reader.get_metrics_data()
        found = [each for resource in (data.resource_metrics if data else ()) for each in resource.scope_metrics]
        return [
            point for scope in found for each in scope.metrics if each.name == metric for point in each.data.data_points
        ]

    def sums(self, metric: str, *labels: str) -> dict[tuple[Any, ...], float]:
        """By these labels; of histograms the counts."""
        sums: dict[tuple[Any, ...], float] = {}
        for point in self.points(metric):
            key = tuple(point.attributes.get(label) for label in labels)
            sums[key] = sums.get(key, 0) + getattr(point, "value", getattr(point, "count", 0))
        return sums

    def all_text(self) -> str:
        data = self._reader.get_metrics_data()
        return "".join(span.to_json() for span in self.spans()) + (data.to_json() if data else "")


@pytest.fixture
def exported() -> Iterator[Exported]:
    exported = Exported()
    with instrument(exported.meters, exported.tracers):
        yield exported
    exported.meters.shutdown()
    exported.tracers.shutdown()


def one(spans: tuple[ReadableSpan, ...]) -> ReadableSpan:
    (span,) = spans
    return span


def test_a_call_is_one_span_under_the_callers(colour: Colour, local: LocalKeyVault, exported: Exported) -> None:
    client = colour.client(local)
    with exported.tracers.get_tracer("application").start_as_current_span("work") as work:
        colour.run(client.get_secret("greeting", request_id="id-of-the-caller"))
        assert trace.get_current_span() is work
    span, parent = exported.spans()
    assert (span.name, span.kind, span.status.status_code) == ("get_secret", SpanKind.CLIENT, StatusCode.UNSET)
    assert span.parent == parent.context
    about = dict(span.attributes or {})
    assert about.pop("az.service_request_id")
    assert about == {
        "az.client_request_id": "id-of-the-caller",
        "az.namespace": "Microsoft.KeyVault",
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "safekv.operation": "get_secret",
        "server.address": HOST,
    }


def test_attempts_and_waits_are_events_of_the_span(colour: Colour, local: LocalKeyVault, exported: Exported) -> None:
    client = colour.client(local)
    local.fail(operation="get_secret", status=503, count=1)
    local.fail(operation="get_secret", status=429, count=1)
    colour.run(client.get_secret("greeting"))
    span = one(exported.spans())
    events = [(event.name, dict(event.attributes or {})) for event in span.events]
    attempts = [about for name, about in events if name == "attempt"]
    assert [about["http.response.status_code"] for about in attempts] == [503, 429, 200]
    assert [about["safekv.attempt"] for about in attempts] == [1, 2, 3]
    assert [name for name, _ in events].count("token") == 1
    assert [about["safekv.reason"] for name, about in events if name == "wait"] == ["HTTP 503", "throttled"]
    assert span.attributes is not None
    assert span.attributes["http.request.resend_count"] == 2
    assert span.status.status_code is StatusCode.UNSET  # it went well in the end


def test_requests_by_operation_and_status(colour: Colour, local: LocalKeyVault, exported: Exported) -> None:
    client = colour.client(local)
    local.fail(operation="get_secret", status=429, count=2)
    local.fail(operation="set_secret", network="reset-after", count=1)
    colour.run(client.get_secret("greeting"))
    colour.run(client.set_secret("other", VALUE))
    with pytest.raises(SecretNotFound):
        colour.run(client.get_secret("missing"))
    counts = exported.sums("safekv.requests", "safekv.operation", "http.response.status_code")
    assert counts["get_secret", 429] == 2
    assert counts["get_secret", 200] == 1
    assert counts["get_secret", 404] == 1
    assert counts["set_secret", None] == 1  # no answer came; and then it was read back, and sent again
    assert exported.sums("safekv.throttled", "server.address", "safekv.lane") == {(HOST, "secrets"): 2}
    assert exported.sums("safekv.request.duration", "server.address") == {(HOST,): sum(counts.values())}
    calls = exported.sums("safekv.call.duration", "safekv.operation", "error.type")
    assert calls == {("get_secret", None): 1, ("get_secret", "SecretNotFound"): 1, ("set_secret", None): 1}
    assert sum(exported.sums("safekv.lane.wait", "safekv.lane").values()) == sum(counts.values())
    assert exported.sums("safekv.lane.rate", "safekv.lane")[("secrets",)] > 0  # since the 429 it is on
    assert exported.sums("safekv.lane.waiting", "safekv.lane")[("secrets",)] == 0


def test_failures_say_what_they_are(colour: Colour, local: LocalKeyVault, exported: Exported) -> None:
    client = colour.client(local)
    with pytest.raises(SecretNotFound) as gone:
        colour.run(client.get_secret("missing"))
    local.fail(operation="get_secret", status=429, count=None)
    with pytest.raises(VaultThrottled) as throttled:
        colour.run(client.get_secret("greeting", timeout=0.5))
    spans = exported.spans()
    for span, raised in zip(spans, (gone, throttled), strict=True):
        about = span.attributes or {}
        assert span.status.status_code is StatusCode.ERROR
        assert about["error.type"] == raised.type.__name__
        assert about["http.response.status_code"] == raised.value.status_code
        assert about["az.client_request_id"] == raised.value.client_request_id
        assert not any(event.name == "exception" for event in span.events)  # a traceback may hold anything


def test_an_answer_that_its_caller_wants_whatever_it_is(
    colour: Colour, local: LocalKeyVault, exported: Exported
) -> None:
    client = colour.client(local)
    request = HttpRequest("GET", f"{local.url()}/secrets/{SECRETS}")
    assert colour.run(client.send_request(request)).status_code == 404
    span = one(exported.spans())
    assert (span.attributes or {})["error.type"] == "404"
    assert exported.sums("safekv.call.duration", "error.type") == {("404",): 1}
    assert SECRETS not in exported.all_text()


def test_what_the_cache_answers_is_counted(colour: Colour, local: LocalKeyVault, exported: Exported) -> None:
    local.set_secret("greeting", "hello", vault=f"kept-{colour.name}")  # counts are of the process: a vault of its own
    client = colour.client(local, f"kept-{colour.name}", cache=CacheSettings(jitter=0))
    for _ in range(4):
        colour.run(client.get_secret("greeting"))
    for _ in range(3):
        with pytest.raises(SecretNotFound):
            colour.run(client.get_secret("missing"))
    local.advance(seconds=301)
    local.fail(operation="get_secret", status=503, count=None)
    colour.run(client.get_secret("greeting"))
    expected = {"hit": 3, "miss": 3, "stale": 1, "negative": 2}

    def reads() -> dict[Any, float]:
        sums = exported.sums("safekv.cache.reads", "server.address", "safekv.cache.result")
        return {result: count for (host, result), count in sums.items() if host.startswith(f"kept-{colour.name}")}

    assert reads() == expected
    assert exported.sums("safekv.cache.entries", "server.address")[f"kept-{colour.name}.vault.azure.net",] == 2
    colour.run(client.close())
    del client
    gc.collect()
    assert reads() == expected  # counts do not go down


def test_token_fetches(colour: Colour, local: LocalKeyVault, exported: Exported) -> None:
    client = colour.client(local)
    for _ in range(3):
        colour.run(client.get_secret("greeting"))
    labels = ("server.address", "safekv.credential", "error.type")
    assert exported.sums("safekv.token.fetches", *labels) == {("vault.azure.net", "LocalCredential", None): 1}

    class Broken:
        def get_token_info(self, *scopes: str, options: Any = None) -> Any:
            raise RuntimeError("no token today")

    with pytest.raises(RuntimeError):
        colour.run(colour.client(local, "other", credential=Broken()).get_secret("greeting"))
    assert exported.sums("safekv.token.fetches", *labels)["vault.azure.net", "Broken", "RuntimeError"] == 1


def test_refreshes_in_the_background_are_roots(colour: Colour, local: LocalKeyVault, exported: Exported) -> None:
    client = colour.client(local, cache=CacheSettings(jitter=0, refresh_ahead=0.5))
    colour.run(client.get_secret("greeting"))
    local.advance(seconds=200)
    with exported.tracers.get_tracer("application").start_as_current_span("work"):
        colour.run(client.get_secret("greeting"))
        colour.run(local.aio_settle()) if colour.loop else local.settle()
    refresh = next(span for span in exported.spans()[1:] if span.name == "get_secret")
    assert refresh.parent is None


def test_calls_side_by_side_keep_to_their_own_span(colour: Colour, local: LocalKeyVault, exported: Exported) -> None:
    client = colour.client(local)
    tracer = exported.tracers.get_tracer("application")

    def call(number: int) -> Any:
        if colour.loop is None:
            with tracer.start_as_current_span(f"work-{number}"):
                return client.get_secret("greeting")

        async def work() -> Any:
            with tracer.start_as_current_span(f"work-{number}"):
                return await client.get_secret("greeting")

        return work()

    colour.together(8, call)
    spans = exported.spans()
    works = {span.context.span_id: span.name for span in spans if span.name.startswith("work")}
    parents = [works[span.parent.span_id] for span in spans if span.name == "get_secret" and span.parent]
    assert sorted(parents) == sorted(works.values())
    assert len(parents) == 8


def test_many_at_once_are_under_their_caller(colour: Colour, local: LocalKeyVault, exported: Exported) -> None:
    names = [f"s{number}" for number in range(6)]
    for name in names:
        local.set_secret(name, "hello")
    client = colour.client(local)
    with exported.tracers.get_tracer("application").start_as_current_span("work") as work:
        colour.run(client.get_many(names))
    reads = [span for span in exported.spans() if span.name == "get_secret"]
    assert [span.parent for span in reads] == [work.get_span_context()] * 6


def test_a_cancelled_call_ends_its_span(local: LocalKeyVault, exported: Exported) -> None:
    import asyncio

    import safekv.secrets.aio

    async def cancelled() -> None:
        held = _held(local)
        client = safekv.secrets.aio.SecretClient(local.url(), local.credential(), transport=held, cache=None)
        task = asyncio.create_task(client.get_secret("greeting"))
        while not held.held.is_set():  # noqa: ASYNC110  (set from the transport)
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        held.let.set()
        await client.close()

    asyncio.run(cancelled())
    span = one(exported.spans())
    assert (span.attributes or {})["error.type"] == "CancelledError"


def test_a_call_that_is_closed_in_another_context_ends_its_span(local: LocalKeyVault) -> None:
    import asyncio

    import safekv.secrets.aio

    async def begun() -> Any:
        task = asyncio.create_task(client.get_secret("greeting"))
        while not held.held.is_set():  # noqa: ASYNC110  (set from the transport)
            await asyncio.sleep(0.001)
        return task.get_coro()

    exported, before = Exported(), _events.hooks
    handle = instrument(exported.meters, exported.tracers)
    held = _held(local)
    client = safekv.secrets.aio.SecretClient(local.url(), local.credential(), transport=held, cache=None)
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # it tells of the task that was pending
    call = loop.run_until_complete(begun())
    loop.close()
    handle.uninstrument()
    call.close()
    assert (one(exported.spans()).attributes or {})["error.type"] == "GeneratorExit"
    assert _events.hooks == before
    assert trace.get_current_span() is trace.INVALID_SPAN


def _held(local: LocalKeyVault) -> Any:
    class Aio:
        loop = object()

    return holding(Aio(), local)


def test_nothing_that_leaves_has_a_name_or_a_value(doors: Doors, exported: Exported) -> None:
    colour, local = doors.colour, doors.local
    local.set_secret(SECRETS, VALUE)
    client = colour.client(local, cache=CacheSettings(jitter=0))
    keys = doors.keys()
    colour.run(client.get_secret(SECRETS))
    colour.run(client.set_secret(SECRETS, VALUE + "2", tags={"tag-of-the-object": VALUE}))
    colour.items(client.list_properties_of_secret_versions(SECRETS))
    colour.delete(client, SECRETS)
    with pytest.raises(SecretNotFound):
        colour.run(client.get_secret(SECRETS))
    colour.run(keys.create_rsa_key(SECRETS, size=2048))
    colour.run(keys.get_key(SECRETS))
    said = exported.all_text()
    assert "create_key" in said
    for never in (SECRETS, VALUE, "tag-of-the-object", "eyJ", "greeting", "?api-version"):
        assert never not in said


def test_names_for_those_who_ask(colour: Colour, local: LocalKeyVault) -> None:
    exported = Exported()
    with instrument(exported.meters, exported.tracers, names=True):
        colour.run(colour.client(local).get_secret("greeting"))
    assert (one(exported.spans()).attributes or {})["safekv.name"] == "greeting"
    assert "greeting" not in repr(exported.points("safekv.requests"))


def test_it_ends_and_begins_again(colour: Colour, local: LocalKeyVault) -> None:
    exported = Exported()
    client = colour.client(local, cache=CacheSettings(jitter=0))
    for _ in range(2):
        handle = instrument(exported.meters, exported.tracers)
        with pytest.raises(InvalidArgument, match="already"):
            instrument(exported.meters, exported.tracers)
        colour.run(client.get_secret("greeting", max_age=0))
        handle.uninstrument()
        handle.uninstrument()
        colour.run(client.get_secret("greeting", max_age=0))
    assert len(exported.spans()) == 2
    assert exported.sums("safekv.requests", "safekv.operation") == {("get_secret",): 2}
    assert exported.points("safekv.cache.reads") == []


def test_ending_it_during_a_call_leaves_no_span_behind(local: LocalKeyVault) -> None:
    from safekv.secrets import SecretClient

    class Sync:
        loop = None

    exported, held = Exported(), holding(Sync(), local)
    client = SecretClient(local.url(), local.credential(), transport=held, cache=None)
    after: list[Any] = []

    def work() -> None:
        client.get_secret("greeting")
        after.append(trace.get_current_span())
        client.get_secret("greeting")

    handle = instrument(exported.meters, exported.tracers)
    thread = threading.Thread(target=work)
    thread.start()
    assert held.held.wait(10)
    handle.uninstrument()
    held.let.set()
    thread.join(10)
    assert after == [trace.INVALID_SPAN]
    assert len(exported.spans()) == 1


def test_instrumented_http_libraries_keep_still(colour: Colour, local: LocalKeyVault, exported: Exported) -> None:
    """What they would write down is the URL, with the name in it; these are the keys that they look for."""
    seen: list[Any] = []
    client = colour.client(
        local,
        raw_request_hook=lambda _: seen.append(
            (context.get_value("suppress_http_instrumentation"), context.get_value("suppress_instrumentation"))
        ),
    )
    colour.run(client.get_secret("greeting"))
    assert seen
    assert set(seen) == {(True, True)}
    assert context.get_value("suppress_http_instrumentation") is None


@pytest.mark.parametrize("ours", [False, True])
def test_azure_cores_own_tracing_says_names_and_is_told_to_keep_still(
    colour: Colour, local: LocalKeyVault, monkeypatch: pytest.MonkeyPatch, ours: bool
) -> None:
    exported = Exported()
    _get_tracer_cached.cache_clear()
    monkeypatch.setattr(
        "azure.core.tracing.opentelemetry.trace.get_tracer", lambda *_, **__: exported.tracers.get_tracer("azure")
    )
    client = colour.client(local)
    azure_settings.tracing_enabled = True
    try:
        with instrument(exported.meters, exported.tracers) if ours else nullcontext():
            colour.run(client.get_secret("greeting"))
    finally:
        azure_settings.tracing_enabled.unset_value()
        _get_tracer_cached.cache_clear()
    said = "".join(span.to_json() for span in exported.spans())
    assert ("/secrets/greeting/" in said) is not ours
    assert "SecretClient.get_secret" in said  # the SDK's method is a span in both cases, without a name
    assert [span.kind for span in exported.spans()].count(SpanKind.CLIENT) == (1 if ours else 2)  # the 401 is one


def test_envelope_bytes_and_unwraps(local: LocalKeyVault, exported: Exported, tmp_path: Any) -> None:
    with local:
        local.vault("my-vault").keys.create_rsa_key("app-kek", size=2048)
        ring = KeyRing.create("https://my-vault.vault.azure.net/keys/app-kek")
        ring.save(tmp_path / "ring")
        box = Encryptor(KeyRing.load(tmp_path / "ring", "https://my-vault.vault.azure.net/keys/app-kek"))
        assert box.decrypt(box.encrypt(b"x" * 10)) == b"x" * 10
        rows = [b"x" * 5, b"x" * 6]
        assert box.decrypt_many(box.encrypt_many(rows, b"rows"), b"rows") == rows
        (tmp_path / "plain").write_bytes(b"x" * 1_000)
        box.encrypt_file(tmp_path / "plain", tmp_path / "sealed")
        with box.open(tmp_path / "sealed", "rb") as file:
            assert len(file.read()) == 1_000
    before = {("encrypt",): 1_021, ("decrypt",): 1_021}
    assert exported.sums("safekv.envelope.unwraps", "server.address", "error.type") == {
        ("my-vault.vault.azure.net", None): 1
    }
    found = exported.sums("safekv.envelope.bytes", "safekv.envelope.action")
    assert all(found[key] >= size for key, size in before.items())  # of the whole process: other tests have some
    assert exported.sums("safekv.envelope.items", "safekv.envelope.action")["encrypt",] >= 4


def test_a_throttled_vault_shows_in_the_lane(colour: Colour, exported: Exported) -> None:
    local = LocalKeyVault(settings=EmulatorSettings(limits=Limits(other=5, window=2)))
    local.set_secret("greeting", "hello")
    client = colour.client(local)
    colour.together(8, lambda _: client.get_secret("greeting", timeout=600))
    assert exported.sums("safekv.throttled", "safekv.operation")[("get_secret",)] >= 1
    waits = [point for point in exported.points("safekv.lane.wait") if point.sum > 0]
    assert waits
    assert exported.sums("safekv.call.duration", "error.type") == {(None,): 8}
