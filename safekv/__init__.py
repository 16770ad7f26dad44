"""safekv stands between an application and Azure Key Vault.

Import its doors as you import the SDK's: ``from safekv.secrets import SecretClient``,
``from safekv.identity import DefaultAzureCredential``. Importing ``safekv`` itself loads
nothing of Azure; the names below are loaded when they are first used.
"""

__version__ = "0.1.0"

TYPE_CHECKING = False  # typing costs more to import than all of this
if TYPE_CHECKING:
    from safekv._cache_settings import CacheSettings
    from safekv._events import subscribe
    from safekv.config import (
        Config,
        Secret,
        Snapshot,
        field,
        load,
        load_as,
        load_environ,
        resolve,
        resolve_environ,
        resolve_file,
        watch,
    )
    from safekv.connection._bulk import bulk
    from safekv.integrations.pydantic import SettingsSource
    from safekv.vault import Vault

__all__ = [
    "CacheSettings",
    "Config",
    "Secret",
    "SettingsSource",
    "Snapshot",
    "Vault",
    "__version__",
    "bulk",
    "field",
    "load",
    "load_as",
    "load_environ",
    "resolve",
    "resolve_environ",
    "resolve_file",
    "subscribe",
    "watch",
]

_HOMES = {
    "CacheSettings": "safekv._cache_settings",
    "Config": "safekv.config",
    "Secret": "safekv.config",
    "SettingsSource": "safekv.integrations.pydantic",
    "Snapshot": "safekv.config",
    "Vault": "safekv.vault",
    "bulk": "safekv.connection._bulk",
    "field": "safekv.config",
    "load": "safekv.config",
    "load_as": "safekv.config",
    "load_environ": "safekv.config",
    "resolve": "safekv.config",
    "resolve_environ": "safekv.config",
    "resolve_file": "safekv.config",
    "subscribe": "safekv._events",
    "watch": "safekv.config",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'safekv' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
