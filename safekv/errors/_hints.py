"""What to do, filled in with what the error says: for whom, on what, from where. Nothing here sends a request."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from safekv.errors._hsm_roles import LOCAL_NEEDS, PREFIX, local_role_for
from safekv.errors._permissions import NEEDS, Need, full_action, management_role_for, role_for
from safekv.errors._topic import Topic

_KINDS = {"secrets": "secret", "keys": "key", "certificates": "certificate"}
_LOOK_UP = "$(az keyvault show --name "
_KEY_OPERATIONS = {"wrapkey": "wrap_key", "unwrapkey": "unwrap_key", "wrap": "wrap_key", "unwrap": "unwrap_key"}
_ADDRESS = re.compile(r"[\d.]+(:\d+)?|\[.*|localhost(:\d+)?")  # an emulator's, a tunnel's: nobody's name
_PLACE = re.compile(r"{(\w+)(!r)?}")
_AADSTS = (
    ("AADSTS7000215", "The client secret is wrong: AZURE_CLIENT_SECRET must be its value, not its id."),
    ("AADSTS7000222", "The client secret has expired: make a new one (az ad app credential reset)."),
    ("AADSTS700027", "The certificate does not fit the application's registration, or has expired."),
    ("AADSTS700016", "The application is not known in this tenant: check AZURE_CLIENT_ID and AZURE_TENANT_ID."),
    ("AADSTS90002", "There is no such tenant: check AZURE_TENANT_ID."),
    ("AADSTS50126", "User name or password are wrong."),
    ("AADSTS50076", "The user needs a second factor: log in interactively (az login)."),
    ("AADSTS50173", "The login has been revoked: log in again (az login)."),
    ("AADSTS70043", "The login has expired: log in again (az login)."),
)
_DEFAULT_IDENTITY_HINT = (
    "See the credential's message for an AADSTS code. On a laptop az login helps; in Azure, a managed identity that is "
    "assigned and, if it is a user-assigned one, named in AZURE_CLIENT_ID."
)
_WAYS = {"PrivateLink": "over a private endpoint", "Ipv4": "over the internet", "Ipv6": "over the internet"}
_ZONES = {
    "azure.net": "privatelink.vaultcore.azure.net",
    "azure.cn": "privatelink.vaultcore.azure.cn",
    "usgovcloudapi.net": "privatelink.vaultcore.usgovcloudapi.net",
}


def advice(topic: Topic, facts: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """The hint and the remedies of a topic for these facts; what is not known stands as ``<name>``."""
    known = completed(facts)
    return fill(topic.hint, known), tuple(fill(remedy, known) for remedy in topic.remedies)


def fill(text: str, facts: Mapping[str, str]) -> str:
    """The text with its places filled in; in a command to copy, quoted for a shell."""
    command = text.startswith("az ")

    def value(place: re.Match[str]) -> str:
        found = facts.get(place[1])
        if found is None:
            return f"<{place[1].replace('_', ' ')}>"
        if command:
            return f'"{found}"' if found.startswith(_LOOK_UP) else shlex.quote(found)
        return repr(found) if place[2] else found

    return _PLACE.sub(value, text).strip()


def completed(given: Mapping[str, str]) -> dict[str, str]:
    """The facts, and what follows from them: who, which permission, which role, on which scope."""
    facts = dict(given)
    facts.setdefault("deny", "")
    facts.setdefault("connection", _WAYS.get(facts.get("connection_type", ""), "over the internet"))
    facts.setdefault("identity_hint", _identity_hint(facts.get("credential_message", "")))
    host = facts.get("host", "")
    if "vault" not in facts and host and not _ADDRESS.fullmatch(host):
        facts["vault"] = host.split(".", 1)[0]
    zone = next((zone for suffix, zone in _ZONES.items() if host.endswith(suffix)), _ZONES["azure.net"])
    facts.setdefault("dns_zone", zone)
    _add_need(facts)
    _add_caller(facts)
    _add_scope(facts)
    if "management_action" in facts:
        facts["management_role"] = management_role_for(facts["management_action"])
    facts.setdefault("kind", _KINDS.get(facts.get("collection", ""), "secret"))
    return facts


def _add_need(facts: dict[str, str]) -> None:
    """Action, permission and role, from what the service says, else from the operation."""
    said = facts.get("key_operation", "").lower()
    if said:
        facts.update(collection="keys", operation=_KEY_OPERATIONS.get(said, said))
    operation = NEEDS.get(facts.get("operation", ""))
    action = facts.get("action", "")
    if "managedhsm" in action.lower() or ".managedhsm." in facts.get("host", ""):
        _add_local_need(facts)
        return
    need = _need_of(facts, operation)
    if need is not None:
        facts.setdefault("collection", need.collection)
        facts.setdefault("permission", need.permission)
        facts.setdefault("action", full_action(need))
    role = role_for(facts.get("action", ""))
    if role:
        facts.setdefault("role", role)


def _add_local_need(facts: dict[str, str]) -> None:
    """The same inside a Managed HSM, where its own roles decide."""
    needed = LOCAL_NEEDS.get(facts.get("operation", ""))
    if needed:
        facts.setdefault("action", PREFIX + needed)
    facts.setdefault("role", local_role_for(facts.get("action", "")))


def _need_of(facts: Mapping[str, str], operation: Need | None) -> Need | None:
    """The need that the service names, by action or by permission; else the operation's own."""
    needs = [*([operation] if operation else []), *NEEDS.values()]
    if "action" in facts:
        return next((need for need in needs if full_action(need).lower() == facts["action"].lower()), None)
    if "permission" in facts:
        said = facts.get("collection"), facts["permission"].lower()
        return next((need for need in needs if (need.collection, need.permission.lower()) == said), None)
    return operation


def _add_caller(facts: dict[str, str]) -> None:
    oid, appid = facts.get("oid"), facts.get("appid")
    names = [f"object id {oid}"] if oid else []
    names += [f"application {appid}"] if appid else []
    facts.setdefault("who", f"the caller ({', '.join(names)})" if names else "the caller")


def _add_scope(facts: dict[str, str]) -> None:
    """The vault: the smallest scope that Microsoft advises; an object's own is below it."""
    resource = facts.get("resource", "")
    scope = re.match(r"(?i)/subscriptions/.+/vaults/[^/]+", resource)
    facts.pop("scope", None)
    if scope:
        facts["scope"] = scope[0]
    elif re.fullmatch("[0-9A-Za-z-]+", facts.get("vault", "")):
        facts["scope"] = f"{_LOOK_UP}{facts['vault']} --query id --output tsv)"
    facts.setdefault("hsm_scope", resource if re.match(r"/(keys)?", resource) else "/keys")
    if facts.get("deny_assignment"):
        facts["deny"] = f"A deny assignment ({facts['deny_assignment']}) forbids it: roles cannot override that."


def _identity_hint(message: str) -> str:
    """What to do about the first AADSTS code that a credential's message names."""
    return next((hint for code, hint in _AADSTS if code in message), _DEFAULT_IDENTITY_HINT)
