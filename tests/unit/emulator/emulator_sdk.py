"""The real SecretClient on an emulator in this process: no sockets, and time that passes in no time."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
import urllib3
from azure.core.credentials import AccessToken
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest._requests_basic import RestRequestsTransportResponse
from azure.keyvault.secrets import SecretClient
from azure.keyvault.secrets._shared import HttpChallengeCache

from safekv.emulator import EmulatedVault, Emulator, NetworkFault, Request, granted_claims, make_token


class Transport(HttpTransport[Any, Any]):
    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator

    def send(self, request: Any, **_: Any) -> Any:
        url = urlsplit(request.url)
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = (request.content or "").encode() if isinstance(request.content, str) else request.content or b""
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        reply = self.emulator.handle(Request(request.method, url.netloc, url.path, query, headers, body))
        if isinstance(reply, NetworkFault):
            raise ServiceRequestError(reply.kind.value)
        answer = requests.Response()
        answer.status_code, answer.reason = reply.status, ""
        answer.raw = urllib3.HTTPResponse(BytesIO(reply.body), preload_content=False, status=reply.status)
        answer.headers.update(reply.headers)
        response = RestRequestsTransportResponse(request=request, internal_response=answer)
        response.read()
        return response

    def sleep(self, duration: float) -> None:
        self.emulator.clock.advance(duration)

    def open(self) -> None:
        pass

    def close(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass


class Credential:
    """Gives tokens of the emulator's time and of the tenant that it is asked for; ``asked`` keeps the questions."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.asked: list[dict[str, Any]] = []

    def get_token(
        self, scope: str, *, claims: str | None = None, tenant_id: str | None = None, **_: Any
    ) -> AccessToken:
        self.asked.append({"scope": scope, "claims": claims, "tenant_id": tenant_id})
        now = int(self.emulator.clock.time())
        payload = {"aud": scope.removesuffix("/.default"), "tid": tenant_id, "iat": now, "exp": now + 86_400}
        token = make_token({**payload, "uti": len(self.asked), **granted_claims(claims)})
        return AccessToken(token, now + 10**9)


def client_of(vault: EmulatedVault, emulator: Emulator, **keywords: Any) -> SecretClient:
    HttpChallengeCache.clear()  # it is shared by the whole process
    keywords = {"credential": Credential(emulator), **keywords}
    return SecretClient(vault.url, transport=Transport(emulator), **keywords)
