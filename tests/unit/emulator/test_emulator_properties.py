"""The whole machine against a simple model, and against nonsense."""

from __future__ import annotations

import json
from typing import Any

from emulator_certificates import POLICY, key_and_certificate, pem_of
from emulator_wire import START, Answer, Wire
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from safekv._clock import VirtualClock
from safekv.emulator import Emulator, Limits, NetworkFault, Request, Response

DELAY, DAYS = 1.5, 7
NAMES = some.sampled_from(["a", "A", "b", "c-1"])


class ObjectsModel(RuleBasedStateMachine):
    """An object is a list of [version, value, enabled], in the vault, in the bin, or on its way."""

    backups = Bundle("backups")
    segment: str

    def write(self, name: str, value: str, enabled: bool) -> Answer:
        """Make a version."""
        raise NotImplementedError

    def version_of(self, answer: Answer) -> str:
        raise NotImplementedError

    def check_latest(self, answer: Answer, version: list[Any]) -> None:
        """What reading an active object gives."""
        raise NotImplementedError

    @initialize()
    def begin(self) -> None:
        self.wire = Wire(retention_days=DAYS, limits=Limits(key_create=None))
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
    def make(self, name: str, value: str, enabled: bool) -> None:
        answer = self.write(name, value, enabled)
        codes = {
            "deleted": "ObjectIsDeletedButRecoverable",
            "deleting": "ObjectIsBeingDeleted",
            "recovering": "ObjectIsBeingRecovered",
        }
        if self.state(name) in codes:
            assert (answer.status, answer.inner_code) == (409, codes[self.state(name)])
        else:
            assert answer.status == 200
            self.live.setdefault(name.lower(), []).append([self.version_of(answer), value, enabled])

    @rule(name=NAMES, enabled=some.booleans(), which=some.integers(0, 3))
    def update(self, name: str, enabled: bool, which: int) -> None:
        versions = self.live.get(name.lower(), [])
        chosen = versions[which % len(versions)] if versions else ["0" * 32]
        answer = self.wire.patch(f"/{self.segment}/{name}/{chosen[0]}", {"attributes": {"enabled": enabled}})
        if self.state(name) == "active":
            assert answer.status == 200
            chosen[2] = enabled
        else:
            assert answer.status == 404

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        state, answer = self.state(name), self.wire.delete(f"/{self.segment}/{name}")
        expected = {"active": 200, "deleting": 409, "recovering": 409, "deleted": 404, "free": 404}
        assert answer.status == expected[state]
        if state == "active":
            purge = int(self.now) + DAYS * 86_400
            self.bin[name.lower()] = (self.live.pop(name.lower()), self.now + DELAY, purge)

    @rule(name=NAMES)
    def recover(self, name: str) -> None:
        state, answer = self.state(name), self.wire.post(f"/deleted{self.segment}/{name}/recover")
        expected = {"deleted": 200, "deleting": 409, "recovering": 409, "active": 404, "free": 404}
        assert answer.status == expected[state]
        if state == "deleted":
            self.live[name.lower()] = self.bin.pop(name.lower())[0]
            self.ready[name.lower()] = self.now + DELAY

    @rule(name=NAMES)
    def purge(self, name: str) -> None:
        state, answer = self.state(name), self.wire.delete(f"/deleted{self.segment}/{name}")
        expected = {"deleted": 204, "deleting": 409, "recovering": 409, "active": 404, "free": 404}
        assert answer.status == expected[state]
        if state == "deleted":
            del self.bin[name.lower()]

    @rule(target=backups, name=NAMES)
    def backup(self, name: str) -> Any:
        answer = self.wire.post(f"/{self.segment}/{name}/backup")
        if self.state(name) != "active":
            assert answer.status == 404
            return None
        return name, answer.json["value"], [list(version) for version in self.live[name.lower()]]

    @rule(backup=consumes(backups))
    def restore(self, backup: Any) -> None:
        if backup:
            name, sealed, versions = backup
            answer = self.wire.post(f"/{self.segment}/restore", {"value": sealed})
            assert answer.status == (200 if self.state(name) == "free" else 409)
            if answer.status == 200:
                self.live[name.lower()] = versions
                self.ready.pop(name.lower(), None)

    @rule()
    def restart(self) -> None:
        document = json.loads(json.dumps(self.wire.emulator.snapshot()))
        clock, vault = self.wire.emulator.clock, self.wire.vault
        self.wire.emulator = Emulator(clock=clock)
        kept = {"retention_days": vault.policy.retention_days, "limits": vault.limits}
        self.wire.vault = self.wire.emulator.add_vault("my", **kept)
        self.wire.emulator.restore(document)

    @invariant()
    def every_object_reads_as_it_should(self) -> None:
        for name in ("a", "b", "c-1"):
            versions = self.live.get(name, [])
            answer = self.wire.get(f"/{self.segment}/{name}")
            if self.state(name) != "active":
                assert answer.status == 404
            else:
                self.check_latest(answer, versions[-1])
            listed = self.wire.get(f"/{self.segment}/{name}/versions", maxresults="25").json["value"]
            assert len(listed) == min(25, len(versions) if self.state(name) == "active" else 0)
            assert (self.wire.get(f"/deleted{self.segment}/{name}").status != 404) == (self.state(name) == "deleted")

    @invariant()
    def lists_show_what_is_there(self) -> None:
        for path, state in ((f"/{self.segment}", "active"), (f"/deleted{self.segment}", "deleted")):
            listed = [
                (item.get("id") or item["kid"]).rsplit("/", 1)[1].lower() for item in self.wire.get(path).json["value"]
            ]
            assert listed == [name for name in ("a", "b", "c-1") if self.state(name) == state]


class SecretsModel(ObjectsModel):
    segment = "secrets"

    def write(self, name: str, value: str, enabled: bool) -> Answer:
        return self.wire.put(f"/secrets/{name}", {"value": value, "attributes": {"enabled": enabled}})

    def version_of(self, answer: Answer) -> str:
        return answer.json["id"].rsplit("/", 1)[1]

    def check_latest(self, answer: Answer, version: list[Any]) -> None:
        if version[2]:
            assert (answer.status, answer.json["value"]) == (200, version[1])
        else:
            assert (answer.status, answer.inner_code) == (403, "SecretDisabled")


class KeysModel(ObjectsModel):
    """The value is a tag; the rules of soft delete are the same."""

    segment = "keys"

    def write(self, name: str, value: str, enabled: bool) -> Answer:
        body = {"kty": "oct", "tags": {"value": value}, "attributes": {"enabled": enabled}}
        return self.wire.post(f"/keys/{name}/create", body)

    def version_of(self, answer: Answer) -> str:
        return answer.json["key"]["kid"].rsplit("/", 1)[1]

    def check_latest(self, answer: Answer, version: list[Any]) -> None:
        assert (answer.status, self.version_of(answer), answer.json["tags"]["value"]) == (200, *version[:2])
        name = answer.json["key"]["kid"].split("/")[-2]
        wrapped = self.wire.post(f"/keys/{name}/wrapkey", {"alg": "A256KW", "value": "A" * 43})
        assert wrapped.status == (200 if version[2] else 403)

    @rule(name=NAMES)
    def rotate(self, name: str) -> None:
        answer = self.wire.post(f"/keys/{name}/rotate")
        if self.state(name) == "active":
            latest = self.live[name.lower()][-1]
            self.live[name.lower()].append([self.version_of(answer), *latest[1:]])
        else:
            assert answer.status == 404


class CertificatesModel(ObjectsModel):
    """The value is a tag. Key and secret are wherever the certificate is."""

    segment = "certificates"

    def write(self, name: str, value: str, enabled: bool) -> Answer:
        body = {"value": IMPORTED, "tags": {"value": value}, "attributes": {"enabled": enabled}}
        return self.wire.post(f"/certificates/{name}/import", body)

    def version_of(self, answer: Answer) -> str:
        return answer.json["id"].rsplit("/", 1)[1]

    def check_latest(self, answer: Answer, version: list[Any]) -> None:
        shown = (self.version_of(answer), answer.json["tags"]["value"], answer.json["attributes"]["enabled"])
        assert (answer.status, *shown) == (200, *version)

    @rule(name=NAMES)
    def create(self, name: str) -> None:
        """A pending operation stands in nobody's way, and is forgotten."""
        answer = self.wire.post(f"/certificates/{name}/create", {"policy": POLICY})
        assert answer.status == (202 if self.state(name) in ("active", "free") else 409)
        if self.state(name) == "active":
            assert self.wire.delete(f"/certificates/{name}/pending").status == 200
        elif self.state(name) == "free":
            version = self.wire.get(f"/certificates/{name}").json["id"].rsplit("/", 1)[1]
            self.time_passes(self.wire.emulator.settings.issue_delay)
            self.wire.patch(f"/certificates/{name}", {"tags": {"value": "made"}})
            self.live[name.lower()] = [[version, "made", True]]

    @invariant()
    def the_parts_are_where_the_certificate_is(self) -> None:
        for name in ("a", "b", "c-1"):
            state = self.state(name)
            for kind in ("keys", "secrets"):
                found = self.wire.get(f"/{kind}/{name}").status != 404
                binned = self.wire.get(f"/deleted{kind}/{name}").status != 404
                assert (found, binned) == (state == "active", state == "deleted")


KEY, OWN = key_and_certificate()
IMPORTED = pem_of(KEY, OWN)

TestSecretsModel, TestKeysModel, TestCertificatesModel = (
    model.TestCase for model in (SecretsModel, KeysModel, CertificatesModel)
)
TestSecretsModel.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestKeysModel.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
TestCertificatesModel.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)


SEGMENTS = some.sampled_from(
    [
        "secrets",
        "deletedsecrets",
        "keys",
        "deletedkeys",
        "create",
        "rotate",
        "rotationpolicy",
        "release",
        "sign",
        "verify",
        "encrypt",
        "unwrapkey",
        "Secrets",
        "name",
        "restore",
        "certificates",
        "deletedcertificates",
        "issuers",
        "contacts",
        "pending",
        "policy",
        "import",
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


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some.lists(REQUESTS, min_size=1, max_size=5))
def test_nothing_makes_it_raise(requests: list[Request]) -> None:
    emulator = Emulator(clock=VirtualClock(START))
    vault = emulator.add_vault("my", limits=Limits(other=3, retry_after="http-date"))
    vault.set_secret("name", "v")
    for segment, kty in (("%41", "EC"), ("name", "oct")):
        body = json.dumps({"kty": kty}).encode()
        path, headers = f"/keys/{segment}/create", {"authorization": "Bearer x"}
        emulator.handle(Request("POST", vault.authority, path, {"api-version": "7.6"}, headers, body))
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


KEY_MEMBERS = some.fixed_dictionaries(
    {},
    optional={
        "kty": some.sampled_from(["EC", "oct"]) | JSON,
        "key_ops": JSON,
        "release_policy": JSON,
        "lifetimeActions": JSON,
        "alg": some.sampled_from(["ES256", "A256GCM", "A256CBC", "A256KW"]) | JSON,
        "digest": some.sampled_from(["AAAA", "A" * 43]) | JSON,
        "target": some.text(),
    },
)
OF_KEYS = some.sampled_from(
    [
        *(("POST", path) for path in ("create", "rotate", "encrypt", "decrypt", "wrapkey", "unwrapkey")),
        *(("POST", path) for path in ("sign", "verify", "release", "backup")),
        ("PUT", "rotationpolicy"),
        ("PUT", ""),
        ("PATCH", ""),
    ]
)


OF_CERTIFICATES = some.sampled_from(
    [
        *(("POST", f"{{}}/{path}") for path in ("create", "import", "pending/merge", "backup")),
        *(("PATCH", f"{{}}{path}") for path in ("", "/policy", "/pending")),
        ("PUT", "contacts"),
        ("PUT", "issuers/name"),
        ("PATCH", "issuers/known"),
    ]
)
POLICIES = some.fixed_dictionaries(
    {},
    optional={
        "x509_props": some.fixed_dictionaries(
            {"subject": some.sampled_from(["CN=a", ""]) | some.text(max_size=9)},
            optional={
                "sans": some.dictionaries(
                    some.sampled_from(["emails", "dns_names", "upns", "uris", "ipAddresses"]),
                    some.lists(some.text(max_size=9), max_size=2) | JSON,
                ),
                "ekus": some.lists(some.text("012.", max_size=9)) | JSON,
                "key_usage": some.lists(some.sampled_from(["keyAgreement", "encipherOnly"])) | JSON,
                "validity_months": some.integers(-1, 2_000) | JSON,
            },
        )
        | JSON,
        **dict.fromkeys(["lifetime_actions", "issuer", "platformManaged", "key_props", "secret_props"], JSON),
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    OF_CERTIFICATES,
    MEMBERS,
    some.fixed_dictionaries(
        {},
        optional={
            "policy": POLICIES | JSON,
            **dict.fromkeys(
                ["x5c", "cancellation_requested", "contacts", "provider", "credentials", "org_details", "pwd"], JSON
            ),
        },
    ),
)
def test_nothing_makes_certificates_raise(route: tuple[str, str], body: dict[str, Any], more: dict[str, Any]) -> None:
    wire = Wire()
    wire.put("/certificates/issuers/known", {"provider": "Test"})
    for name, issuer in (("self", "Self"), ("unknown", "Unknown")):
        policy = {**POLICY, "issuer": {"name": issuer}}
        wire.post(f"/certificates/{name}/create", {"policy": policy})
        answer = wire.ask(route[0], f"/certificates/{route[1].format(name)}", {**more, **body})
        assert answer.status in (200, 201, 202, 400, 403, 409)
        wire.advance(10)
        assert wire.get(f"/certificates/{name}").status == 200


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(OF_KEYS, MEMBERS, KEY_MEMBERS, some.none() | KEY_MEMBERS | JSON)
def test_nothing_makes_keys_raise(route: tuple[str, str], body: dict[str, Any], more: dict[str, Any], key: Any) -> None:
    wire = Wire()
    for name, kty in (("ec", "EC"), ("oct", "oct")):
        wire.post(f"/keys/{name}/create", {"kty": kty})
        assert wire.ask(route[0], f"/keys/{name}/{route[1]}", {**body, **more, "key": key}).status in (200, 400, 403)
        assert wire.get(f"/keys/{name}").status == 200


@settings(max_examples=150, deadline=None)
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
