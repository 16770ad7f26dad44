"""Issuers and contacts."""

from __future__ import annotations

from typing import Any

import pytest
from emulator_wire import START, Wire

URL = "https://my.vault.azure.net/certificates/issuers"
ADMINISTRATOR = {"first_name": "Jane", "last_name": "Doe", "email": "a@b.c", "phone": "1"}


@pytest.fixture
def wire() -> Wire:
    return Wire()


def test_contacts(wire: Wire) -> None:
    contacts = [{"email": "a@b.c", "name": "A", "phone": "1"}, {"email": "d@e.f"}]
    shown = {"id": "https://my.vault.azure.net/certificates/contacts", "contacts": contacts}
    assert wire.get("/certificates/contacts").message == "Contacts not found"
    assert wire.put("/certificates/contacts", {"contacts": [{**contacts[0], "other": 1}, contacts[1]]}).json == shown
    assert wire.get("/certificates/contacts").json == shown
    assert wire.delete("/certificates/contacts").json == shown
    answer = wire.delete("/certificates/contacts")
    assert (answer.status, answer.code) == (404, "ContactsNotFound")


def test_an_issuer_through_its_life(wire: Wire) -> None:
    body = {
        "provider": "Test",
        "credentials": {"account_id": "user", "pwd": "hidden"},
        "org_details": {"admin_details": [ADMINISTRATOR]},
    }
    answer = wire.put("/certificates/issuers/Name", body)
    shown = {
        "id": f"{URL}/Name",
        "provider": "Test",
        "credentials": {"account_id": "user"},
        "org_details": {"zip": 0, "admin_details": [ADMINISTRATOR]},
        "attributes": {"enabled": True, "created": int(START), "updated": int(START)},
    }
    assert answer.json == wire.get("/certificates/issuers/name").json == shown
    wire.advance(5)
    changes = {"org_details": {"id": "org"}, "attributes": {"enabled": False}}
    changed = wire.patch("/certificates/issuers/name", changes).json
    assert changed["org_details"] == {"zip": 0, "id": "org", "admin_details": [ADMINISTRATOR]}
    assert changed["attributes"] == {"enabled": False, "created": int(START), "updated": int(START) + 5}
    assert changed["credentials"] == {"account_id": "user"}
    replaced = wire.put("/certificates/issuers/name", {"provider": "Other"}).json
    assert "credentials" not in replaced
    assert replaced["attributes"]["created"] == int(START)
    assert wire.delete("/certificates/issuers/name").json == replaced
    for method in ("GET", "PATCH", "DELETE"):
        answer = wire.ask(method, "/certificates/issuers/name", {})
        assert (answer.status, answer.code, answer.message) == (404, "CertificateIssuerNotFound", "Issuer not found")


def test_lists_in_pages(wire: Wire) -> None:
    for number in range(27):
        wire.put(f"/certificates/issuers/i{number:02}", {"provider": "Test"})
    page = wire.get("/certificates/issuers").json
    assert page["value"][0] == {"id": f"{URL}/i00", "provider": "Test"}
    token = page["nextLink"].partition("$skiptoken=")[2]
    rest = wire.ask("GET", "/certificates/issuers", None, **{"$skiptoken": token}).json
    assert (len(page["value"]), len(rest["value"]), rest["nextLink"]) == (25, 2, None)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("contacts", {}),
        ("contacts", {"contacts": {}}),
        ("contacts", {"contacts": [1]}),
        ("contacts", {"contacts": [{"name": "A"}]}),
        ("contacts", {"contacts": [{"email": 1}]}),
        ("contacts", {"contacts": [{"email": "a"}] * 101}),
        ("issuers/name", {}),
        ("issuers/name", {"provider": 1}),
        ("issuers/name", {"provider": "Test", "credentials": []}),
        ("issuers/name", {"provider": "Test", "credentials": {"pwd": 1}}),
        ("issuers/name", {"provider": "Test", "org_details": {"admin_details": 1}}),
        ("issuers/name", {"provider": "Test", "attributes": {"enabled": "yes"}}),
        ("issuers/bad_name", {"provider": "Test"}),
    ],
)
def test_what_makes_no_sense(wire: Wire, path: str, body: Any) -> None:
    answer = wire.put(f"/certificates/{path}", body)
    assert (answer.status, answer.code) == (400, "BadParameter")
    assert wire.get("/certificates/issuers").json["value"] == []
    assert wire.get("/certificates/contacts").status == 404
