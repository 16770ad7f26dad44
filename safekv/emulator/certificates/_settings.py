"""What certificates need in a vault: registered issuers, and contacts for the mails that nobody sends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safekv.emulator._answers import Refused
from safekv.emulator._call import Call, Route
from safekv.emulator._messages import Response
from safekv.emulator.objects import _attributes, _paging

#: The members of an issuer, as it is kept.
ISSUER = {"name": str, "provider": str, "credentials": dict, "org_details": dict, "attributes": dict}
_LONGEST = 1_024
_MOST = 100
_CONTACT = ("email", "name", "phone")
_ADMINISTRATOR = ("first_name", "last_name", "email", "phone")


def set_contacts(call: Call) -> Response:
    given = _attributes.read_json(call.request.body).get("contacts")
    contacts = _people(given, _CONTACT)
    if not all("email" in contact for contact in contacts):
        raise Refused("400_value")
    call.vault.contacts = contacts
    return _contacts(call, contacts)


def get_contacts(call: Call) -> Response:
    return _contacts(call, _known_contacts(call))


def delete_contacts(call: Call) -> Response:
    contacts = _known_contacts(call)
    call.vault.contacts = None
    return _contacts(call, contacts)


def set_issuer(call: Call) -> Response:
    """What there was is replaced."""
    document = _attributes.read_json(call.request.body)
    if not document.get("provider"):
        raise Refused("400_value")
    before = call.vault.issuers.get(call.name.lower())
    times = {"created": before["attributes"]["created"] if before else int(call.now), "updated": int(call.now)}
    blank = {"name": call.name, "credentials": {}, "org_details": {}, "attributes": {"enabled": True, **times}}
    call.vault.issuers[call.name.lower()] = _changed(blank, document, call.now)
    return _issuer(call)


def get_issuer(call: Call) -> Response:
    return _issuer(call)


def update_issuer(call: Call) -> Response:
    issuer = _known(call)
    document = _attributes.read_json(call.request.body)
    call.vault.issuers[call.name.lower()] = _changed(issuer, document, call.now)
    return _issuer(call)


def delete_issuer(call: Call) -> Response:
    response = _issuer(call)
    del call.vault.issuers[call.name.lower()]
    return response


def list_issuers(call: Call) -> Response:
    after, size = _paging.start_after(call.query), _paging.page_size(call.query)
    url = f"{call.vault.url}/certificates/issuers"
    found = sorted(name for name in call.vault.issuers if name > after)
    issuers = [call.vault.issuers[name] for name in found[:size]]
    items = [{"id": f"{url}/{issuer['name']}", "provider": issuer["provider"]} for issuer in issuers]
    go_on_after = found[size - 1] if len(found) > size else None
    return Response.json(200, _paging.document(items, url, call.query, go_on_after))


def _contacts(call: Call, contacts: list[dict[str, Any]]) -> Response:
    return Response.json(200, {"id": f"{call.vault.url}/certificates/contacts", "contacts": contacts})


def _known_contacts(call: Call) -> list[dict[str, Any]]:
    if call.vault.contacts is None:
        raise Refused("404_contacts")
    return call.vault.contacts


def _known(call: Call) -> dict[str, Any]:
    issuer = call.vault.issuers.get(call.name.lower())
    if issuer is None:
        raise Refused("404_issuer")
    return issuer


def _issuer(call: Call) -> Response:
    """The password stays inside."""
    issuer = _known(call)
    account = issuer["credentials"].get("account_id")
    shown = {"id": f"{call.vault.url}/certificates/issuers/{issuer['name']}", "provider": issuer["provider"]}
    if account is not None:
        shown["credentials"] = {"account_id": account}
    details = {"org_details": {"zip": 0, **issuer["org_details"]}, "attributes": issuer["attributes"]}
    return Response.json(200, {**shown, **details})


def _changed(issuer: Mapping[str, Any], document: Mapping[str, Any], now: float) -> dict[str, Any]:
    """An issuer with what a body says of it."""
    attributes, details = (_members(document, name) for name in ("attributes", "org_details"))
    enabled = attributes.get("enabled")
    if enabled is not None and type(enabled) is not bool:
        raise Refused("400_value")
    credentials = _texts(_members(document, "credentials"), ("account_id", "pwd"))
    organization: dict[str, Any] = _texts(details, ("id",))
    if details.get("admin_details") is not None:
        organization["admin_details"] = _people(details["admin_details"], _ADMINISTRATOR)
    provider = _texts(document, ("provider",)).get("provider", issuer.get("provider"))
    times = {"updated": int(now), **({} if enabled is None else {"enabled": enabled})}
    return {
        **issuer,
        "provider": provider,
        "credentials": {**issuer["credentials"], **credentials},
        "org_details": {**issuer["org_details"], **organization},
        "attributes": {**issuer["attributes"], **times},
    }


def _people(given: object, members: tuple[str, ...]) -> list[dict[str, Any]]:
    if not isinstance(given, list) or len(given) > _MOST or not all(isinstance(each, dict) for each in given):
        raise Refused("400_value")
    return [_texts(each, members) for each in given]


def _texts(given: Mapping[str, Any], members: tuple[str, ...]) -> dict[str, Any]:
    texts = {name: _attributes.text(given, name, _LONGEST) for name in members}
    return {name: text for name, text in texts.items() if text is not None}


def _members(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    given = document.get(name)
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise Refused("400_value")
    return given


ROUTES = (
    Route("set_contacts", "PUT", "/certificates/contacts", set_contacts),
    Route("get_contacts", "GET", "/certificates/contacts", get_contacts),
    Route("delete_contacts", "DELETE", "/certificates/contacts", delete_contacts),
    Route("list_properties_of_issuers", "GET", "/certificates/issuers", list_issuers),
    Route("create_issuer", "PUT", "/certificates/issuers/{name}", set_issuer),
    Route("get_issuer", "GET", "/certificates/issuers/{name}", get_issuer),
    Route("update_issuer", "PATCH", "/certificates/issuers/{name}", update_issuer),
    Route("delete_issuer", "DELETE", "/certificates/issuers/{name}", delete_issuer),
)
