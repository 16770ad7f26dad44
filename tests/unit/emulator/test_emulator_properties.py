"""The whole machine against a simple model, and against nonsense."""

from __future__ import annotations

import json
from typing import Any

from emulator_wire import START, Wire
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from safekv._clock import VirtualClock
from safekv.emulator import Emulator, Limits, NetworkFault, Request, Response

DELAY, DAYS = 1.5, 7
NAMES = some.sampled_from(["a", "A", "b", "c-1"])


class SecretsModel(RuleBasedStateMachine):
    """A secret is a list of [version, value, enabled], in the vault, in the bin, or on its way."""

    backups = Bundle("backups")

    @initialize()
    def begin(self) -> None:
        self.wire = Wire(retention_days=DAYS)
        self.now = START
        self.live: dict[str, list[list[Any]]] = {}
        self.bin: dict[str, tuple[list[list[Any]], float, float]] = {}  # versions, done, purge
        self.ready: dict[str, float] = {}  # when a recovery is complete

    def state(self, name: str) -> str:
        name = name.lower()
        if name in self.bin:
            return "deleted" if self.now >= self.bin[name][1] else "deleting"
        if name in self.live:
            return "active" if self.now >= self.ready.get(name, 0) else "recovering"
        return "free"

    @rule(seconds=some.sampled_from([0.5, 1.0, 1.5, 86_400.0, DAYS * 86_400.0]))
    def time_passes(self, seconds: float) -> None:
        self.wire.advance(seconds)
        self.now += seconds
        self.bin = {name: kept for name, kept in self.bin.items() if kept[2] > self.now}

    @rule(name=NAMES, value=some.text(max_size=5), enabled=some.booleans())
    def set_secret(self, name: str, value: str, enabled: bool) -> None:
        answer = self.wire.put(f"/secrets/{name}", {"value": value, "attributes": {"enabled": enabled}})
        codes = {
            "deleted": "ObjectIsDeletedButRecoverable",
            "deleting": "ObjectIsBeingDeleted",
            "recovering": "ObjectIsBeingRecovered",
        }
        if self.state(name) in codes:
            assert (answer.status, answer.inner_code) == (409, codes[self.state(name)])
        else:
            version = answer.json["id"].rsplit("/", 1)[1]
            self.live.setdefault(name.lower(), []).append([version, value, enabled])

    @rule(name=NAMES, enabled=some.booleans(), which=some.integers(0, 3))
    def update(self, name: str, enabled: bool, which: int) -> None:
        versions = self.live.get(name.lower(), [])
        chosen = versions[which % len(versions)] if versions else ["0" * 32]
        answer = self.wire.patch(f"/secrets/{name}/{chosen[0]}", {"attributes": {"enabled": enabled}})
        if self.state(name) == "active":
            assert answer.status == 200
            chosen[2] = enabled
        else:
            assert answer.status == 404

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        state, answer = self.state(name), self.wire.delete(f"/secrets/{name}")
        expected = {"active": 200, "deleting": 409, "recovering": 409, "deleted": 404, "free": 404}
        assert answer.status == expected[state]
        if state == "active":
            purge = int(self.now) + DAYS * 86_400
            self.bin[name.lower()] = (self.live.pop(name.lower()), self.now + DELAY, purge)

    @rule(name=NAMES)
    def recover(self, name: str) -> None:
        state, answer = self.state(name), self.wire.post(f"/deletedsecrets/{name}/recover")
        expected = {"deleted": 200, "deleting": 409, "recovering": 409, "active": 404, "free": 404}
        assert answer.status == expected[state]
        if state == "deleted":
            self.live[name.lower()] = self.bin.pop(name.lower())[0]
            self.ready[name.lower()] = self.now + DELAY

    @rule(name=NAMES)
    def purge(self, name: str) -> None:
        state, answer = self.state(name), self.wire.delete(f"/deletedsecrets/{name}")
        expected = {"deleted": 204, "deleting": 409, "recovering": 409, "active": 404, "free": 404}
        assert answer.status == expected[state]
        if state == "deleted":
            del self.bin[name.lower()]

    @rule(target=backups, name=NAMES)
    def backup(self, name: str) -> Any:
        answer = self.wire.post(f"/secrets/{name}/backup")
        if self.state(name) != "active":
            assert answer.status == 404
            return None
        return name, answer.json["value"], [list(version) for version in self.live[name.lower()]]

    @rule(backup=consumes(backups))
    def restore(self, backup: Any) -> None:
        if backup:
            name, sealed, versions = backup
            answer = self.wire.post("/secrets/restore", {"value": sealed})
            assert answer.status == (200 if self.state(name) == "free" else 409)
            if answer.status == 200:
                self.live[name.lower()] = versions
                self.ready.pop(name.lower(), None)

    @rule()
    def restart(self) -> None:
        document = json.loads(json.dumps(self.wire.emulator.snapshot()))
        clock, vault = self.wire.emulator.clock, self.wire.vault
        self.wire.emulator = Emulator(clock=clock)
        self.wire.vault = self.wire.emulator.add_vault("my", retention_days=vault.policy.retention_days)
        self.wire.emulator.restore(document)

    @invariant()
    def every_secret_reads_as_it_should(self) -> None:
        for name in ("a", "b", "c-1"):
            versions = self.live.get(name, [])
            answer = self.wire.get(f"/secrets/{name}")
            if self.state(name) != "active":
                assert answer.status == 404
            elif versions[-1][2]:
                assert (answer.status, answer.json["value"]) == (200, versions[-1][1])
            else:
                assert (answer.status, answer.inner_code) == (403, "SecretDisabled")
            listed = self.wire.get(f"/secrets/{name}/versions", maxresults="25").json["value"]
            assert len(listed) == min(25, len(versions) if self.state(name) == "active" else 0)
            assert (self.wire.get(f"/deletedsecrets/{name}").status != 404) == (self.state(name) == "deleted")

    @invariant()
    def lists_show_what_is_there(self) -> None:
        for path, state in (("/secrets", "active"), ("/deletedsecrets", "deleted")):
            listed = [item["id"].rsplit("/", 1)[1].lower() for item in self.wire.get(path).json["value"]]
            assert listed == [name for name in ("a", "b", "c-1") if self.state(name) == state]


SecretsModel.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestSecretsModel = SecretsModel.TestCase


SEGMENTS = some.sampled_from(
    [
        "secrets",
        "deletedsecrets",
        "Secrets",
        "name",
        "restore",
        "versions",
        "backup",
        "recover",
        "",
        "*",
        "0" * 32,
        "%41",
        "%",
    ]
)
PATHS = some.lists(SEGMENTS | some.text(max_size=4), max_size=5).map(lambda parts: "/" + "/".join(parts)) | some.text()
QUERIES = some.fixed_dictionaries(
    {},
    optional={
        "api-version": some.sampled_from(["7.6", "2016-10-01"]) | some.text(),
        "maxresults": some.text(),
        "$skiptoken": some.text(),
    },
)
HEADERS = some.fixed_dictionaries(
    {},
    optional={
        "authorization": some.sampled_from(["Bearer x", "Bearer a.b.", "Bearer"]) | some.text(),
        "x-ms-client-request-id": some.text(),
    },
)
JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = some.fixed_dictionaries(
    {},
    optional={
        "value": some.text() | JSON,
        "tags": some.dictionaries(some.text(), some.text(), max_size=3) | JSON,
        "contentType": some.text() | JSON,
        "attributes": some.fixed_dictionaries({}, optional={"enabled": JSON, "nbf": JSON, "exp": JSON}) | JSON,
    },
)
BODIES = some.binary(max_size=50) | (MEMBERS | JSON).map(lambda document: json.dumps(document).encode())
REQUESTS = some.builds(
    Request,
    method=some.sampled_from(["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD"]) | some.text(max_size=5),
    authority=some.sampled_from(["my.vault.azure.net"] * 9 + ["other"]),
    path=PATHS,
    query=QUERIES,
    headers=HEADERS,
    body=BODIES,
)


@settings(max_examples=1_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some.lists(REQUESTS, min_size=1, max_size=5))
def test_nothing_makes_it_raise(requests: list[Request]) -> None:
    emulator = Emulator(clock=VirtualClock(START))
    vault = emulator.add_vault("my", limits=Limits(other=3, retry_after="http-date"))
    vault.set_secret("name", "v")
    for request in requests:
        reply = emulator.handle(request)
        if isinstance(reply, NetworkFault):
            assert request.authority == "other"
            continue
        assert isinstance(reply, Response)
        assert reply.status < 500
        assert all(name.isascii() and value.isascii() and value.isprintable() for name, value in reply.headers.items())
        if reply.body:
            json.loads(reply.body)


@settings(max_examples=300, deadline=None)
@given(
    some.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    some.sampled_from(["clock", "faults", "reset", "journal", "limits", "x"]),
    some.dictionaries(some.sampled_from(["advance", "vault"]), some.text(max_size=5)),
    some.binary(max_size=9)
    | some.dictionaries(
        some.sampled_from(["status", "delay", "body", "path", "nth", "other", "window", "retry_after", "network"]),
        some.integers(-1, 600) | JSON,
        max_size=3,
    ).map(lambda document: json.dumps(document).encode()),
)
def test_nothing_makes_the_control_endpoints_raise(method: str, path: str, query: dict[str, str], body: bytes) -> None:
    emulator = Emulator(clock=VirtualClock(START))
    emulator.add_vault("my")
    for request in (
        Request(method, "my.vault.azure.net", f"/_emulator/{path}", query, {}, body),
        Request("GET", "my.vault.azure.net", "/secrets", {"api-version": "7.6"}, {"authorization": "Bearer x"}),
        Request("GET", "my.vault.azure.net", "/_emulator/faults"),
    ):
        reply = emulator.handle(request)
        if isinstance(reply, Response):
            assert request.path == "/secrets" or reply.status in (200, 400, 404, 405)
