"""Who asks, and what they may: the credential, its token, and requests that change nothing."""

from __future__ import annotations

import base64
import json
import logging
import re
import statistics
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from azure.core.rest import HttpRequest

from safekv.cli.examination._check import Check, about, ok, one_line, raised, skipped
from safekv.cli.examination._machine import Machine
from safekv.cli.examination._network import named
from safekv.errors._diagnosis import Answer, Asked, error_of
from safekv.errors._failures import translated
from safekv.errors._topic import HTTP_429

_API_VERSION = "7.4"
_CALLS = 10
_SLOW = 1.0  # seconds
_CHAIN = re.compile(r"(?:^|[\s:])(\w+Credential)(?:\.get_token(?:_info)?)?(?: failed)?: (.+)")
_CHOSEN = re.compile(r"acquired a token from (\w+)")


class _Listener(logging.Handler):
    """What azure-identity says of its credentials while one is asked."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.chosen: str | None = None
        self.refused: dict[str, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        chosen = _CHOSEN.search(text)
        if chosen:
            self.chosen = chosen[1]
        self.note(text)

    def note(self, text: str) -> None:
        for line in text.splitlines():
            said = _CHAIN.search(line.strip())
            if said and "Attempted credentials" not in line:
                self.refused.setdefault(said[1], one_line(said[2], 120))


def credential(given: Any, told: Mapping[str, str], host: str) -> tuple[Check, str | None]:
    """Which credential answers, what those before it said; and the token."""
    listener, logger = _Listener(), logging.getLogger("azure.identity")
    level = logger.level
    logger.addHandler(listener)
    logger.setLevel(logging.DEBUG)
    try:
        token = given.get_token_info(told["scope"], options={"tenant_id": told["tenant"], "enable_cae": True}).token
    except Exception as error:
        listener.note(str(error))
        problem = translated(error, Asked(host)) or error
        return _with(raised("credential", problem), chain=listener.refused), None
    finally:
        logger.removeHandler(listener)
        logger.setLevel(level)
    name = listener.chosen or type(given).__name__
    before = {each: said for each, said in listener.refused.items() if each not in (name, type(given).__name__)}
    tried = "; ".join(f"{each}: {said}" for each, said in before.items())
    return ok(
        "credential", f"{name} answers{f' (before it: {tried})' if tried else ''}", chosen=name, chain=before
    ), token


def token(text: str, told: Mapping[str, str], machine: Machine) -> Check:
    """What the token says of itself. The token is not shown."""
    claims = _claims(text)
    if not claims:
        return Check("token", "warning", "it cannot be read; the vault will say whether it is good")
    left = float(claims.get("exp", 0)) - machine.time()
    names = {"tid": "tenant", "oid": "object id", "appid": "application", "azp": "application", "aud": "audience"}
    facts = {label: str(claims[claim]) for claim, label in names.items() if claims.get(claim)}
    shown = {**facts, **({"audience": named(facts["audience"])} if "audience" in facts else {})}
    said = ", ".join(f"{label} {value}" for label, value in shown.items()) + f", valid for {left / 60:.0f} min"
    if left <= 0:
        return about("token", "failed", said.replace("valid for", "expired since").replace("-", "", 1), "token-expired")
    tenant, audience = str(claims.get("tid", "")), str(claims.get("aud", "")).rstrip("/")
    if tenant and told.get("tenant") and tenant.lower() != told["tenant"].lower():
        said = f"it is of tenant {tenant}; the vault is in {told['tenant']}"
        return about("token", "failed", said, "wrong-tenant", expected_tenant=told["tenant"], found_tenant=tenant)
    if audience and audience.lower() != told["resource"].rstrip("/").lower() and "-" not in audience.split(".")[0]:
        return about("token", "failed", f"it is for {audience}", "wrong-audience", found_audience=audience)
    return ok("token", said, **facts)


class Probes:
    """Requests that change nothing, through a client of safekv's."""

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._host = urlsplit(url).netloc
        self.throttled = 0

    def lists(self, *, needed: bool) -> Check:
        """Who may read need not be able to list: unless it is ``needed``, that it may not is only worth a warning."""
        check = self._probe("list", "list_properties_of_secrets", "GET", "/secrets", {"maxresults": "1"})
        return check if needed or "permission" not in check.facts else replace(check, state="warning")

    def reads(self, name: str | None) -> Check:
        """A secret by name; without one, a name that is not there: a 404 says that it may be read."""
        if name:
            return self._probe("get", "get_secret", "GET", f"/secrets/{name}", name=name)
        return self._probe("get", "get_secret", "GET", "/secrets/safekv-doctor-asks", absent=True)

    def uses_key(self, name: str | None) -> list[Check]:
        if not name:
            return [skipped("key get", "give --key NAME"), skipped("wrap, unwrap", "give --key NAME")]
        got = self._probe("key get", "get_key", "GET", f"/keys/{name}", name=name, collection="keys")
        return [got, self._wrap(name) if got.state == "ok" else skipped("wrap, unwrap", "the key cannot be read")]

    def latency(self) -> Check:
        """Ten calls, one after another."""
        seconds = []
        for _ in range(_CALLS):
            began = time.monotonic()
            status, error, _ = self._ask("GET", "/secrets", {"maxresults": "1"})
            seconds.append(time.monotonic() - began)
            self.throttled += status == 429
            if status == 0 and error is not None:
                return raised("latency", error)
            if self.throttled:
                break  # safekv would keep the next ones waiting
        middle, longest = statistics.median(seconds), max(seconds)
        said = f"{len(seconds)} calls: {1000 * middle:.0f} ms in the middle, {1000 * longest:.0f} ms at most"
        if self.throttled:
            return about("latency", "failed", f"{said}; the last answered 429", "throttled", vault=self._host)
        if middle > _SLOW:
            return Check("latency", "warning", said, "Run in the vault's region, and see what lies between.")
        return ok("latency", said, median=middle, longest=longest)

    def _wrap(self, name: str) -> Check:
        value = base64.urlsafe_b64encode(b"safekv doctor asks whether this").decode().rstrip("=")
        body = {"alg": "RSA-OAEP-256", "value": value}
        status, error, answer = self._ask("POST", f"/keys/{name}//wrapkey", {}, body, ("wrap_key", "keys", name))
        if error is None:
            path = urlsplit(str(answer.get("kid", ""))).path or f"/keys/{name}/"
            body = {"alg": "RSA-OAEP-256", "value": answer.get("value", "")}
            status, error, answer = self._ask("POST", f"{path}/unwrapkey", {}, body, ("unwrap_key", "keys", name))
        if error is not None:
            return raised("wrap, unwrap", error)
        good = answer.get("value") == value
        return (
            ok("wrap, unwrap", f"allowed ({status})")
            if good
            else Check("wrap, unwrap", "failed", "another value came back")
        )

    def _probe(
        self,
        label: str,
        operation: str,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        *,
        name: str = "",
        collection: str = "secrets",
        absent: bool = False,
    ) -> Check:
        status, error, _ = self._ask(method, path, query or {}, None, (operation, collection, name))
        self.throttled += status == 429
        if error is None:
            return ok(label, f"allowed ({status})")
        if absent and status == 404:
            return ok(label, "allowed (a secret that is not there is answered 404)")
        return raised(label, error)

    def _ask(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        body: Any = None,
        asked: tuple[str, str, str] = ("", "secrets", ""),
    ) -> tuple[int, Exception | None, dict[str, Any]]:
        """The status (0 if there was none), the error if it is one, and what a good answer holds."""
        request = HttpRequest(method, path, params={"api-version": _API_VERSION, **query}, json=body)
        try:
            response = self._client.send_request(request, retry_total=0)
            found = response.json() if response.status_code < 400 else {}
        except Exception as error:
            return 0, error, {}
        if response.status_code < 400:
            return response.status_code, None, found if isinstance(found, dict) else {}
        operation, collection, name = asked
        facts = {"collection": collection, **({"name": name} if name else {})}
        answer = Answer(response.status_code, response.reason, response.headers, response.content)
        return response.status_code, error_of(answer, Asked(self._host, operation or None, facts)), {}


def which_of_two(check: Check) -> str:
    """Which operation the check of wrapping and unwrapping was denied."""
    said = f"{check.facts.get('permission', '')} {check.facts.get('action', '')}".lower()
    return "unwrap_key" if "unwrap" in said else "wrap_key"


def sharing() -> Check:
    """What this process holds: one of each is best."""
    from safekv.connection import _registry

    connections = _registry.current().connections()
    credentials = {id(each.tokens.credential) for each in connections}
    clients = sum(len(each.clients) for each in connections)
    said = f"{len(credentials)} credentials, {len(connections)} connections, {clients} clients"
    if len(credentials) > 1:
        return Check("sharing", "warning", said, "Use one credential object for one identity.", (), HTTP_429)
    return ok("sharing", said)


def _claims(text: str) -> dict[str, Any]:
    """The claims of a token, unverified; empty if it has none."""
    try:
        middle = text.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (IndexError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _with(check: Check, **facts: Any) -> Check:
    return replace(check, facts={**check.facts, **facts})
