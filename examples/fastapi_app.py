"""FastAPI: complete before the first request is taken, one client for everything, and nothing blocks the event loop.

AZURE_KEY_VAULT_URL=https://my-vault.vault.azure.net uvicorn --app-dir examples fastapi_app:app
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI

import safekv.aio
from safekv.secrets.aio import SecretClient


@dataclass
class Settings:
    """The secrets web--greeting and web--workers, and web--db--host and web--db--password."""

    @dataclass
    class Database:
        host: str
        password: safekv.Secret

    greeting: str
    db: Database
    workers: int = 4


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    interval = float(os.environ.get("REFRESH_SECONDS", 300))
    async with SecretClient() as client:  # open as long as the application is: one connection, one token, one cache
        app.state.settings = await safekv.aio.load_as(Settings, prefix="web--", vault=client)
        async with await safekv.aio.watch(["web--api-key"], vault=client, interval=interval) as app.state.live:
            yield


app = FastAPI(lifespan=lifespan)


@app.get("/")
async def index() -> dict[str, str | int | None]:
    settings: Settings = app.state.settings
    key = app.state.live["web--api-key"]  # the present one, without a request
    version = app.state.live.current.origins["web--api-key"].version
    return {"greeting": settings.greeting, "database": settings.db.host, "key": version, "characters": len(key)}
