"""The way to the vault: name, connection, certificate, and what answers without a token."""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from safekv._identifiers import host_of_resource, not_emulated
from safekv.cli.examination._check import Check, about, ok, skipped
from safekv.cli.examination._machine import Machine, Resolved
from safekv.connection.wire._tls import ssl_context, trusted_bundle
from safekv.errors._diagnosis import Answer, Asked, error_of

#: Seconds.
PATIENCE = 10.0
_MOST = 64 * 1024
_SKEW_WARNING = 60.0
_SKEW_FAILURE = 300.0


@dataclass(frozen=True)
class Seen:
    """What answered a request without a token."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    at: float


def name(host: str, port: int, machine: Machine) -> tuple[Check, Resolved | None]:
    """Whether DNS knows the vault, and where it is."""
    try:
        found = machine.resolve(host, port)
    except OSError as error:
        said = f"{host} does not resolve ({error.strerror or error})"
        check, here = about("name", "failed", said, "vault-not-found", host=host), not_emulated(host, machine.environ)
        return (replace(check, advice=here, remedies=(), guide_url=None) if here else check), None
    private = [address for address in found.addresses if ipaddress.ip_address(address.partition("%")[0]).is_private]
    way = "private addresses" if private else "public addresses"
    linked = "privatelink" in found.canonical
    said = f"{host} is {', '.join(found.addresses)} ({way}{', by a private link' if linked else ''})"
    if linked and not private:
        said += "; the zone of the private link is not used here"
    return ok("name", said, addresses=list(found.addresses), canonical=found.canonical, private=bool(private)), found


def connection(host: str, port: int, machine: Machine) -> Check:
    """TCP, TLS, and the certificate."""
    began = time.monotonic()
    try:
        with socket.create_connection((host, port), PATIENCE) as plain:
            connected = time.monotonic()
            with _trust(machine).wrap_socket(plain, server_hostname=host) as secure:
                certificate, version = secure.getpeercert() or {}, secure.version()
    except ssl.SSLCertVerificationError as error:
        return about(
            "connection", "failed", f"the certificate is not trusted: {error.verify_message}", "untrusted-certificate"
        )
    except OSError as error:
        return about("connection", "failed", f"port {port} of {host}: {error}", "cannot-connect", host=host)
    handshake = time.monotonic() - connected
    issuer = dict(pair for part in certificate.get("issuer", ()) for pair in part)  # type: ignore[misc]
    days = (ssl.cert_time_to_seconds(str(certificate.get("notAfter"))) - machine.time()) / 86_400
    said = (
        f"TCP {1000 * (connected - began):.0f} ms, {version} {1000 * handshake:.0f} ms, "
        f"certificate of {issuer.get('organizationName') or issuer.get('commonName')}, valid for {days:.0f} days"
    )
    return ok("connection", said, tcp=connected - began, tls=handshake, days=days)


def health(url: str, machine: Machine) -> Check:
    """``GET /healthstatus``, which needs no token."""
    try:
        seen = ask(url, "/healthstatus", machine)
    except (OSError, http.client.HTTPException) as error:
        return about("health", "failed", f"/healthstatus: {error}", "connection-lost")
    said = f"/healthstatus answers {seen.status}"
    network = seen.headers.get("x-ms-keyvault-network-info")
    if network:
        said += f", seen as {network.strip(';')}"
    if seen.status >= 500:
        return about("health", "failed", said, "service-fault")
    return ok("health", said, status=seen.status, network=network)


def challenge(url: str, machine: Machine) -> tuple[Check, Seen | None, dict[str, str]]:
    """What a request without a token is told: the check, the answer, and ``tenant``, ``resource``, ``scope``."""
    try:
        seen = ask(url, "/secrets?api-version=7.4&maxresults=1", machine)
    except (OSError, http.client.HTTPException) as error:
        return about("challenge", "failed", f"no answer: {error}", "connection-lost"), None, {}
    header = seen.headers.get("www-authenticate", "")
    parts = dict(re.findall(r'(\w+)="([^"]*)"', header))
    if seen.status != 401 or "resource" not in parts:
        return _no_challenge(url, seen), seen, {}
    resource = parts["resource"]
    told = {
        "resource": resource,
        "scope": f"{resource}/.default",
        "tenant": urlsplit(parts.get("authorization", "")).path.strip("/").partition("/")[0],
    }
    domain, host = urlsplit(resource).netloc, urlsplit(url).netloc
    if not host.lower().endswith(f".{domain.lower()}"):
        said = f"{host} wants tokens for {domain}, which is not its domain"
        return about("challenge", "failed", said, "challenge-mismatch"), seen, told
    return (
        ok("challenge", f"tenant {told['tenant']}, resource {named(resource)} (this 401 is expected)", **told),
        seen,
        told,
    )


def named(resource: str) -> str:
    """The resource, and the vault's address where that is not to be seen in it."""
    host = urlsplit(resource).netloc
    return resource if host_of_resource(host) == host else f"{resource} (the emulator's for {host_of_resource(host)})"


def _no_challenge(url: str, seen: Seen) -> Check:
    asked = Asked(urlsplit(url).netloc, "list_properties_of_secrets")
    if seen.status < 400:
        said = f"a request without a token is answered {seen.status}: this is no vault"
        return about("challenge", "failed", said, "unreadable-answer", host=urlsplit(url).netloc)
    error = error_of(Answer(seen.status, None, seen.headers, seen.body), asked)
    said = f"answered {seen.status} {error.inner_code or error.code or ''} instead of a challenge".replace("  ", " ")
    return Check("challenge", "failed", said, error.hint, error.remedies, error.guide_url, dict(error.details))


def clock(seen: Seen | None) -> Check:
    """This machine's clock against the ``Date`` header."""
    date = seen.headers.get("date") if seen else None
    if seen is None or not date:
        return skipped("clock", "no answer with a Date header to compare it with")
    try:
        theirs = parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return skipped("clock", "the answer's Date header cannot be read")
    skew = seen.at - theirs
    said = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the vault's"
    if abs(skew) > _SKEW_WARNING:
        state = "failed" if abs(skew) > _SKEW_FAILURE else "warning"
        return about("clock", state, said, "token-expired", skew=round(skew))  # type: ignore[arg-type]  # two literals
    return ok("clock", said if abs(skew) > 1 else "as the vault's", skew=round(skew))


def ask(url: str, path: str, machine: Machine) -> Seen:
    """One GET without a token.

    :raises OSError: if it cannot be made.
    """
    parts = urlsplit(url)
    asking = http.client.HTTPSConnection(
        parts.hostname or "", parts.port or 443, timeout=PATIENCE, context=_trust(machine)
    )
    try:
        asking.request("GET", path, headers={"User-Agent": "safekv-doctor", "Accept": "application/json"})
        answer = asking.getresponse()
        body = answer.read(_MOST)
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Seen(answer.status, headers, body, machine.time())
    finally:
        asking.close()


def _trust(machine: Machine) -> ssl.SSLContext:
    bundle = trusted_bundle(True, machine.environ)
    return ssl_context(bundle if isinstance(bundle, str) else machine.environ.get("SSL_CERT_FILE"))
