"""What typed code of a user of ``safekv.load`` and its siblings looks like. Checked by mypy --strict, never run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource
from typing_extensions import TypedDict, assert_type

import safekv
import safekv.aio
from safekv import Config, Secret, Snapshot, Vault
from safekv.config import Reference
from safekv.envelope import Encryptor


@dataclass
class Database:
    host: str
    password: Annotated[Secret, safekv.field("db-pwd")]
    port: int = 5432


class Model(BaseModel):
    password: Annotated[SecretStr, safekv.field("db-pwd")]


class Typed(TypedDict):
    host: str


class Settings(BaseSettings):
    password: SecretStr

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, safekv.SettingsSource(settings_cls, "my-vault")


def sync(box: Encryptor) -> None:
    config = safekv.load(["db--host"], optional={"sentry-dsn": None}, timeout=30, snapshot=Snapshot("config.skv", box))
    safekv.load(["a"], progress=lambda done, total: print(done / total))
    assert_type(config, Config)
    values: Mapping[str, Any] = config
    assert_type(config.origins, Mapping[str, Reference])
    safekv.load(
        {"DATABASE_URL": "kv://other/url"}, vault=Vault("my-vault"), sources=["environment", ".env", {}, "vault"]
    )
    assert_type(safekv.load_as(Database, prefix="db--"), Database)
    assert_type(safekv.load_as(Model), Model)
    assert_type(safekv.load_as(Typed), Typed)
    assert_type(safekv.load_environ(["db-password"]), list[str])
    assert_type(safekv.resolve_environ(), list[str])
    assert_type(safekv.resolve({"a": "kv://v/a"}), Config)
    with safekv.watch(["a"], interval=60) as live:
        live.on_change(lambda keys: print(*keys))
        values = live.current
    print(len(values))


async def aio() -> None:
    assert_type(await safekv.aio.load(["a"]), Config)
    assert_type(await safekv.aio.load_as(Database), Database)
    async with await safekv.aio.watch(["a"]) as live:
        print(len(live))
