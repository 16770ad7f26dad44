"""The decisions of the secret cache, and the data that it tells. No azure, no asyncio, no waiting."""

from safekv.cache._events import (
    CacheEvent,
    CacheInfo,
    RefreshFailed,
    SecretChange,
    SecretExpired,
    SecretNotYetValid,
    SecretRead,
    ServedStale,
    WatchFailed,
)

__all__ = [
    "CacheEvent",
    "CacheInfo",
    "RefreshFailed",
    "SecretChange",
    "SecretExpired",
    "SecretNotYetValid",
    "SecretRead",
    "ServedStale",
    "WatchFailed",
]
