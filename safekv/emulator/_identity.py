"""The token endpoints that let unmodified azure-identity credentials work: a pure function over requests.

App Service and IMDS hand out tokens for a managed identity; the two Entra ID paths serve workload
identity and client secrets. Nothing here is secret: the tokens are worth something only to the emulator.
"""

from __future__ import annotations

import hmac
import threading
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qsl

from safekv._clock import SYSTEM_RANDOM, Clock, Random
from safekv.emulator._directory import DEFAULT_CLIENT, Directory
from safekv.emulator._messages import Request, Response
from safekv.emulator._settings import EmulatorSettings
from safekv.emulator._tokens import granted_claims, make_token

APP_SERVICE_PATH = "/msi/token"
IMDS_PATH = "/metadata/identity/oauth2/token"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    """Who the clients are, and how long their tokens live (``token_lifetime`` is in seconds).

    ``tenant`` and ``client_id`` belong to the managed identity; a client secret or a workload
    identity names its own. ``client_secret`` is the only one that is accepted, for any client.
    Object ids and groups come from the directory.
    """

    tenant: str = EmulatorSettings().tenant
    client_id: str = DEFAULT_CLIENT
    client_secret: str = field(default="emulator-client-secret", repr=False)
    identity_header: str = field(default="emulator-identity-header", repr=False)
    token_lifetime: float = 3600.0

    def __post_init__(self) -> None:
        if not self.token_lifetime > 0:
            raise ValueError(
                f"token_lifetime is a number of seconds above 0, not {self.token_lifetime!r}; for example 3600"
            )


class IdentityEndpoint:
    """Answers token requests. Thread-safe; its only state is how many it has answered."""

    def __init__(
        self,
        clock: Clock,
        settings: IdentitySettings | None = None,
        *,
        directory: Directory | None = None,
        random: Random = SYSTEM_RANDOM,
    ) -> None:
        self.settings = settings or IdentitySettings()
        self._directory = directory or Directory()
        self._clock = clock
        self._random = random
        self._lock = threading.Lock()
        self._requests: Counter[str] = Counter()

    @property
    def requests(self) -> Mapping[str, int]:
        """How many requests of each kind there have been, refused ones included.

        The kinds: ``app-service``, ``imds``, ``workload-identity``, ``client-secret``, ``discovery``.
        """
        with self._lock:
            return dict(self._requests)

    def handle(self, request: Request) -> Response:
        """Answer one request; never raises."""
        path = request.path.rstrip("/")
        if path == APP_SERVICE_PATH:
            return self._app_service(request)
        if path == IMDS_PATH:
            return self._imds(request)
        tenant, _, endpoint = path.strip("/").partition("/")
        if endpoint == "v2.0/.well-known/openid-configuration":
            return self._discovery(request, tenant)
        if endpoint == "oauth2/v2.0/token":
            return self._entra_token(request, tenant)
        return Response.json(404, {"error": "not_found", "error_description": "No token endpoint has this path."})

    # Managed identities

    def _app_service(self, request: Request) -> Response:
        self._count("app-service")
        header = request.headers.get("x-identity-header", "")
        if not _same(header, self.settings.identity_header):
            return _app_service_error(401, "X-IDENTITY-HEADER is missing or is not this endpoint's.")
        if request.method != "GET" or "resource" not in request.query:
            return _app_service_error(400, "Wanted: GET with api-version=2019-08-01 and resource=https://...")
        return Response.json(200, self._managed_identity_token(request))

    def _imds(self, request: Request) -> Response:
        self._count("imds")
        if request.headers.get("metadata", "").lower() != "true":
            return _oauth_error(400, "invalid_request", "Required metadata header not specified")
        if request.method != "GET" or "resource" not in request.query:
            return _oauth_error(400, "invalid_resource", "The parameter 'resource' is missing.")
        now = int(self._clock.time())
        lifetime = str(int(self.settings.token_lifetime))
        document = self._managed_identity_token(request)
        document |= {"expires_in": lifetime, "ext_expires_in": lifetime, "not_before": str(now)}
        return Response.json(200, document)

    def _managed_identity_token(self, request: Request) -> dict[str, str]:
        resource, client = request.query["resource"], self._user_assigned(request.query)
        token, expires_on = self._issue(self.settings.tenant, client, resource)
        return {
            "access_token": token,
            "client_id": client,
            "expires_on": str(expires_on),
            "resource": resource,
            "token_type": "Bearer",
        }

    def _user_assigned(self, query: Mapping[str, str]) -> str:
        names = ("client_id", "object_id", "principal_id", "mi_res_id", "msi_res_id")
        return next((query[name] for name in names if query.get(name)), self.settings.client_id)

    # Entra ID

    def _discovery(self, request: Request, tenant: str) -> Response:
        self._count("discovery")
        base = f"https://{request.authority}/{tenant}"
        document = {
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "response_types_supported": ["code", "id_token"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        }
        return Response.json(200, document)

    def _entra_token(self, request: Request, tenant: str) -> Response:
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        self._count("workload-identity" if "client_assertion" in form else "client-secret")
        refusal = self._refusal(request, form)
        if refusal:
            return self._entra_error(request, *refusal)
        resource = form["scope"].split()[0].removesuffix("/.default")
        try:
            claims = granted_claims(form.get("claims"))
        except ValueError:
            return self._entra_error(request, 400, "invalid_request", 50045, "The 'claims' parameter is not valid.")
        token, _ = self._issue(tenant, form["client_id"], resource, claims)
        lifetime = int(self.settings.token_lifetime)
        document = {
            "token_type": "Bearer",
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": token,
        }
        return Response.json(200, document, {"Cache-Control": "no-store, no-cache"})

    def _refusal(self, request: Request, form: Mapping[str, str]) -> tuple[int, str, int, str] | None:
        """Why this request gets no token: status, OAuth error, AADSTS number and text."""
        if request.method != "POST":
            return 400, "invalid_request", 900561, "The endpoint only accepts POST requests."
        for name in ("grant_type", "client_id", "scope"):
            if not form.get(name, "").strip():
                text = f"The request body must contain the following parameter: '{name}'."
                return 400, "invalid_request", 900144, text
        if form["grant_type"] != "client_credentials":
            return 400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type."
        if form.get("client_assertion") and form.get("client_assertion_type") == _ASSERTION_TYPE:
            return None
        if "client_secret" not in form:
            text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
            return 401, "invalid_client", 7000218, text
        if _same(form["client_secret"], self.settings.client_secret):
            return None
        text = (
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
            f"value, not the client secret ID, for a secret added to app '{form['client_id']}'."
        )
        return 401, "invalid_client", 7000215, text

    def _entra_error(self, request: Request, status: int, error: str, number: int, text: str) -> Response:
        trace = str(uuid.UUID(int=sum(self.requests.values())))
        correlation = request.headers.get("client-request-id", trace)
        timestamp = f"{datetime.fromtimestamp(self._clock.time(), timezone.utc):%Y-%m-%d %H:%M:%SZ}"
        description = f"AADSTS{number}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}"
        details = {
            "error_codes": [number],
            "timestamp": timestamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://{request.authority}/error?code={number}",
        }
        return _oauth_error(status, error, description, details)

    # Both

    def _issue(
        self, tenant: str, client: str, resource: str, claims: Mapping[str, Any] | None = None
    ) -> tuple[str, int]:
        """A token for ``resource`` that carries ``claims``, and when it expires."""
        now = int(self._clock.time())
        expires_on = now + int(self.settings.token_lifetime)
        payload = dict(claims or {})
        payload |= {"aud": resource, "iss": f"https://sts.windows.net/{tenant}/", "tid": tenant, "ver": "1.0"}
        payload |= {"iat": now, "nbf": now, "exp": expires_on}
        payload |= {**self._directory.find(client).claims(), "uti": f"{self._random.random():.17f}"}
        return make_token(payload), expires_on

    def _count(self, kind: str) -> None:
        with self._lock:
            self._requests[kind] += 1


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def _app_service_error(status: int, message: str) -> Response:
    return Response.json(status, {"statusCode": status, "message": message})


def _oauth_error(status: int, error: str, description: str, details: Mapping[str, Any] | None = None) -> Response:
    return Response.json(status, {"error": error, "error_description": description, **(details or {})})
