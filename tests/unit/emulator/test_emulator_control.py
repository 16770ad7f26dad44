"""The emulator's own endpoints, and making vaults."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest
from emulator_wire import START, Answer, Wire, decoded, token

from safekv.emulator import Emulator, EmulatorSettings, Limits, Request


@pytest.fixture
def wire() -> Wire:
    wire = Wire()
    wire.vault.set_secret("name", "v")
    return wire


def control(wire: Wire, method: str, path: str, body: Any = None, **query: str) -> Answer:
    data = b"" if body is None else json.dumps(body).encode()
    return decoded(wire.emulator.handle(Request(method, "any.where", f"/_emulator/{path}", query, {}, data)))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_clock(wire: Wire, method: str) -> None:
    assert control(wire, method, "clock").json == {"time": START}
    assert control(wire, method, "clock", advance="301.5").json == {"time": START + 301.5}
    assert wire.emulator.clock.time() == START + 301.5


def test_faults(wire: Wire) -> None:
    added = control(wire, "POST", "faults", {"operation": "get_secret", "network": "dns", "count": None})
    assert added.status == 200
    assert added.json["faults"][0].items() >= {"operation": "get_secret", "network": "dns", "fired": 0}.items()
    wire.send("GET", "/secrets/name")
    assert control(wire, "GET", "faults").json["faults"][0]["fired"] == 1
    assert control(wire, "DELETE", "faults").json == {"faults": []}
    assert wire.get("/secrets/name").status == 200


def test_faults_do_not_meet_it_and_it_is_not_journalled(wire: Wire) -> None:
    wire.emulator.fail(status=500, count=None)
    assert control(wire, "GET", "clock").status == 200
    assert len(wire.emulator.journal) == 0


def test_reset(wire: Wire) -> None:
    assert control(wire, "POST", "reset").json == {"vaults": ["https://my.vault.azure.net"]}
    assert wire.get("/secrets/name").status == 404


def test_the_journal(wire: Wire) -> None:
    wire.get("/secrets/name")
    entry = control(wire, "GET", "journal").json["journal"][0]
    assert entry.items() >= {"path": "/secrets/name", "status": 200, "bearer": True}.items()
    assert control(wire, "DELETE", "journal").json == {"journal": []}
    assert len(wire.emulator.journal) == 0


def test_the_journal_after_a_number_of_entries(wire: Wire) -> None:
    for _ in range(3):
        wire.get("/secrets/name")
    assert control(wire, "GET", "journal", after="0").json["noted"] == 3
    assert len(control(wire, "GET", "journal", after="2").json["journal"]) == 1
    assert control(wire, "GET", "journal", after="99").json["journal"] == []
    assert control(wire, "GET", "journal", after="-1").status == 400


def test_limits(wire: Wire) -> None:
    wire.emulator.add_vault("other")
    assert control(wire, "GET", "limits").json["my"]["other"] == 4_000
    changed = control(wire, "PUT", "limits", {"other": 1, "retry_after": "seconds"}, vault="my")
    assert changed.json["my"] == asdict(Limits(other=1, retry_after="seconds"))
    assert [wire.get("/secrets").status for _ in range(2)] == [200, 429]
    control(wire, "PUT", "limits", {"other": None})
    assert [each["other"] for each in control(wire, "GET", "limits").json.values()] == [None, None]


@pytest.mark.parametrize(
    ("method", "path", "body", "query", "status", "message"),
    [
        ("GET", "nothing", None, {}, 404, "'nothing' is unknown; known: clock, faults, reset, journal, limits"),
        ("GET", "reset", None, {}, 405, "reset has no GET; it has POST"),
        (
            "GET",
            "clock",
            None,
            {"advance": "x"},
            400,
            "advance must be 0 to 3,200,000,000 seconds, such as 301, not 'x'",
        ),
        ("GET", "clock", None, {"advance": "-1"}, 400, "advance must be"),
        ("GET", "clock", None, {"advance": "nan"}, 400, "advance must be"),
        ("GET", "clock", None, {"advance": "inf"}, 400, "advance must be"),
        ("POST", "faults", None, {}, 400, "the body must be a JSON object"),
        ("POST", "faults", [], {}, 400, "the body must be a JSON object"),
        ("POST", "faults", {"states": 503}, {}, 400, "the argument='states' is unknown; known: operation, method"),
        ("POST", "faults", {"status": "503"}, {}, 400, "status must be 200 to 599"),
        ("POST", "faults", {"network": {}}, {}, 400, "network={} is unknown"),
        ("POST", "faults", {"matched": 1}, {}, 400, "is unknown"),
        ("PUT", "limits", {"others": 1}, {}, 400, "the limit='others' is unknown"),
        ("PUT", "limits", {"other": "1"}, {}, 400, "other must be 0 to"),
        ("PUT", "limits", {"retry_after": []}, {}, 400, "retry_after=[] is unknown"),
        ("PUT", "limits", {"other": 1}, {"vault": "x"}, 400, "vault='x' is unknown; known: my"),
    ],
)
def test_bad_input(
    wire: Wire, method: str, path: str, body: Any, query: dict[str, str], status: int, message: str
) -> None:
    answer = control(wire, method, path, body, **query)
    assert answer.status == status
    assert message in answer.message
    assert wire.emulator.faults == ()


def test_where_vaults_are() -> None:
    emulator = Emulator()
    local = emulator.add_vault("local", authority="127.0.0.1:8443", resource="https://0.0.1:8443")
    assert (local.url, local.name, local.tenant) == ("https://127.0.0.1:8443", "local", EmulatorSettings().tenant)
    assert emulator.add_vault("Upper").authority == "upper.vault.azure.net"
    assert list(emulator.vaults) == ["127.0.0.1:8443", "upper.vault.azure.net"]


@pytest.mark.parametrize(
    ("name", "keywords", "message"),
    [
        ("my", {}, "there is a vault 'my' at my.vault.azure.net already"),
        ("MY", {"authority": "elsewhere"}, "there is a vault 'my'"),
        ("new", {"authority": "my.vault.azure.net"}, "there is a vault 'my'"),
        ("a b", {}, "name must be like 'my-vault', not 'a b'"),
        ("new", {"authority": "https://x"}, "authority must be like 'my-vault.vault.azure.net', not 'https://x'"),
        ("new", {"authority": "a b"}, "authority must be like"),
        ("new", {"tenant": "a b"}, "a tenant is a GUID or a domain"),
    ],
)
def test_vaults_that_cannot_be(name: str, keywords: dict[str, Any], message: str) -> None:
    wire = Wire()
    with pytest.raises(ValueError, match=message):
        wire.emulator.add_vault(name, **keywords)
    assert len(wire.emulator.vaults) == 1


@pytest.mark.parametrize("wrong", [{"delete_delay": -1}, {"recover_delay": "1"}, {"journal_size": -1}])
def test_bad_settings(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be a number of"):
        EmulatorSettings(**wrong)


def test_identities_and_access(wire: Wire) -> None:
    wire.vault.enforce = True
    added = control(wire, "POST", "identities", {"name": "app", "groups": ["readers"]}).json["identities"]
    assert [each["name"] for each in added] == ["emulator", "app"]
    assert control(wire, "GET", "identities").json["identities"] == added
    principal = wire.emulator.directory.find("app")
    wire.token = token(wire, **principal.claims())
    assert wire.get("/secrets/name").status == 403
    opened = control(wire, "POST", "access", {"who": "app", "secrets": ["get"]})
    assert opened.json == {"oid": principal.oid, "vaults": ["my"]}
    assert wire.get("/secrets/name").status == 200
    assert control(wire, "POST", "access", {"group": "readers", "role": "Key Vault Reader"}, vault="my").status == 200
    assert len(wire.vault.access(wire.emulator.clock.time()).assignments) == 2


@pytest.mark.parametrize(
    ("endpoint", "body", "message"),
    [
        ("identities", {}, "an identity is like"),
        ("identities", {"name": "app", "groups": [7]}, "an identity is like"),
        ("identities", {"name": 7}, "name must be a str, not a int"),
        ("identities", {"nome": "app"}, "the argument='nome' is unknown; known: name, client_id"),
        ("access", {"secrets": ["get"]}, "say who is let in"),
        ("access", {"who": "a", "group": "b"}, "say who is let in"),
        ("access", {"who": "a", "secrets": ["fly"]}, "'fly' is no permission on secrets"),
        ("access", {"who": "a", "secrets": [7]}, "7 is no permission on secrets"),
        ("access", {"who": "a", "secrets": "get"}, "secrets must be a list"),
        ("access", {"who": "a", "role": "Cat"}, "role='Cat' is unknown"),
    ],
)
def test_what_makes_no_sense_of_identities_and_access(wire: Wire, endpoint: str, body: Any, message: str) -> None:
    answer = control(wire, "POST", endpoint, body)
    assert answer.status == 400
    assert message in answer.message
