"""What an answer of the service says, read without trusting it: any body gives something, none raises."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from safekv.errors._meanings import LONGEST

#: Bytes of a body that are looked at. The service's errors are under 2,000.
MOST = 64 * 1024

_TOKEN = re.compile(r"eyJ[\w-]{5,}(\.[\w-]*){0,4}")
_GUID = r"[0-9a-fA-F][0-9a-fA-F-]{7,63}"
_FACTS = {
    # Each is one line at most, and short: what is not is no fact.
    "appid": re.compile(rf"appid=({_GUID})"),
    "oid": re.compile(rf"oid=({_GUID})|with object id '({_GUID})'"),
    "management_action": re.compile(r"authorization to perform action '([\w./-]{1,200})'"),
    "management_scope": re.compile(r"authorization to perform action '[\w./-]+' over scope '([ -&(-~]{1,1000})'"),
    "tenant": re.compile(rf"iss=https://sts\.\S{{1,100}}?/({_GUID})"),
    "action": re.compile(r"(?:^|\n)Action: '([\w./-]{1,200})'|Not authorized to access ([\w./-]{1,200}) on "),
    "resource": re.compile(
        r"(?:^|\n)Resource: '([ -&(-~]{1,1000})'|Not authorized to access [\w./-]+ on '?([\w./-]{1,300})"
    ),
    "assignment": re.compile(r"(?:^|\n)Assignment: ([ -~]{1,300})"),
    "deny_assignment": re.compile(r"(?:^|\n)DenyAssignmentId: '?([ -&(-~]{1,300})"),
    "decision": re.compile(r"(?:^|\n)DecisionReason: '([\w .-]{1,200})'"),
    "address": re.compile(r"Client address: ([0-9a-fA-F.:]{2,45})"),
    "vault": re.compile(r"(?:Vault: |key vault ')([0-9A-Za-z-]{1,127});location="),
    "region": re.compile(r";location=([0-9A-Za-z ]{1,60})"),
    "expected_tenant": re.compile(rf"Expected one of https://sts\.\S{{1,100}}?/({_GUID})/"),
    "found_tenant": re.compile(rf"found:? https://sts\.\S{{1,100}}?/({_GUID})/"),
    "expected_audience": re.compile(r"Invalid audience\. Expected ([ -+\--~]{1,200}), found"),
    "found_audience": re.compile(r"Invalid audience\. Expected [ -~]{1,200}, found:? ([!-~]{1,200}?)\.?\s*$", re.M),
    "name": re.compile(
        r"with \(name/id\) ([0-9A-Za-z-]{1,127}) was not found|not found: ([0-9A-Za-z-]{1,127})\s*$"
        r"|^(?:Secret|Key|Certificate) ([0-9A-Za-z-]{1,127}) is currently"
    ),
    "key_operation": re.compile(
        r"^Operation (\w{1,40}) is not (?:permitted on this|allowed on an? [\w ]{0,40}?) ?key\b"
    ),
}
_PERMISSION = re.compile(r"does not have (\w{1,40}) (\w{1,40}) permission on")
_OLD_PERMISSION = re.compile(r'^Operation is not allowed\.\s+Operation: "(\w{1,40})"')
_NETWORK = re.compile(r"conn_type=(\w+);|addr=([0-9a-fA-F.:]+);")


class Said(NamedTuple):
    """An error as the service puts it. All may be missing."""

    code: str | None = None
    inner_code: str | None = None
    message: str | None = None


def read_body(body: bytes | str | None) -> Said:
    """The code, the inner code and the message in a body; of anything else nothing."""
    if not body or len(body) > MOST:
        return Said()
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return Said()
    error = found.get("error", found) if isinstance(found, Mapping) else None
    if not isinstance(error, Mapping):
        return Said()
    inner = next((error[name] for name in ("innererror", "innerError", "inner_error") if error.get(name)), None)
    inner_code = inner.get("code") if isinstance(inner, Mapping) else None
    return Said(_word(error.get("code")), _word(inner_code), _text(error.get("message")))


def facts_in(message: str, headers: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a message of the service, and the headers that came with it, say of caller and cause."""
    text = message[: 2 * LONGEST]
    facts = {}
    for name, pattern in _FACTS.items():
        match = pattern.search(text)
        if match:
            facts[name] = next(group for group in match.groups() if group is not None).strip()
    permission = _PERMISSION.search(text)
    if permission:
        facts["collection"], facts["permission"] = permission.groups()
    old = _OLD_PERMISSION.search(text)
    if old:
        facts["collection"], facts["permission"] = "keys", old[1]
    if facts.get("deny_assignment") in ("null", ""):
        del facts["deny_assignment"]
    return {**_from_headers(headers or {}), **facts}


def without_tokens(text: str) -> str:
    """The text without what may be a token, or the head of one."""
    return _TOKEN.sub("(token, not shown)", text)


def _from_headers(headers: Mapping[str, str]) -> dict[str, str]:
    facts = {}
    region = headers.get("x-ms-keyvault-region")
    if region:
        facts["region"] = str(region)[:60]
    for kind, address in _NETWORK.findall(str(headers.get("x-ms-keyvault-network-info") or "")[:300]):
        facts.update({"connection_type": kind} if kind else {"address": address})
    return facts


def _word(value: Any) -> str | None:
    """A code: one word."""
    return value if isinstance(value, str) and re.fullmatch(r"[\w.-]{1,100}", value) else None


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    lines = ("".join(each if each.isprintable() else " " for each in line) for line in value[:LONGEST].splitlines())
    return without_tokens("\n".join(line.rstrip() for line in lines)).strip()
