"""Speaks to an emulator without a client: a request in, a decoded answer out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from safekv._clock import VirtualClock
from safekv.emulator import EmulatedVault, Emulator, EmulatorSettings, Reply, Request, Response, make_token

START = 1_700_000_000.0
RESOURCE = "https://vault.azure.net"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    json: Any

    @property
    def inner_code(self) -> str | None:
        return self.json["error"].get("innererror", {}).get("code")

    @property
    def code(self) -> str:
        return self.json["error"]["code"]

    @property
    def message(self) -> str:
        return self.json["error"]["message"]


class Wire:
    """An emulator with one vault, ``my``, and a token for it."""

    def __init__(self, settings: EmulatorSettings | None = None, **vault: Any) -> None:
        self.emulator = Emulator(clock=VirtualClock(START), settings=settings or EmulatorSettings())
        self.vault: EmulatedVault = self.emulator.add_vault("my", **vault)
        self.token: str | None = "a-token-that-is-not-ours"
        self.api_version: str | None = "7.6"

    def send(self, method: str, path: str, body: Any = None, **query: str) -> Reply:
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        if self.api_version is not None:
            query = {"api-version": self.api_version, **query}
        return self.emulator.handle(Request(method, self.vault.authority, path, query, headers, data))

    def ask(self, method: str, path: str, body: Any = None, **query: str) -> Answer:
        return decoded(self.send(method, path, body, **query))

    def get(self, path: str, **query: str) -> Answer:
        return self.ask("GET", path, **query)

    def put(self, path: str, body: Any) -> Answer:
        return self.ask("PUT", path, body)

    def post(self, path: str, body: Any = None) -> Answer:
        return self.ask("POST", path, body)

    def patch(self, path: str, body: Any) -> Answer:
        return self.ask("PATCH", path, body)

    def delete(self, path: str) -> Answer:
        return self.ask("DELETE", path)

    def advance(self, seconds: float) -> None:
        self.emulator.clock.advance(seconds)

    def bin(self, name: str) -> None:
        """Delete a secret and wait until that is done."""
        assert self.delete(f"/secrets/{name}").status == 200
        self.advance(self.emulator.settings.delete_delay)


def decoded(reply: Reply) -> Answer:
    assert isinstance(reply, Response), reply
    return Answer(reply.status, dict(reply.headers), json.loads(reply.body) if reply.body else None)


def token(wire: Wire, **claims: Any) -> str:
    """A token of ours that fits the vault, issued now."""
    now = int(wire.emulator.clock.time())
    tenant = wire.vault.tenant
    fitting = {
        "aud": RESOURCE,
        "iss": f"https://sts.windows.net/{tenant}/",
        "tid": tenant,
        "iat": now,
        "exp": now + 3600,
    }
    return make_token({**fitting, **claims})
