"""``get_many`` in tasks. ``../_many`` is its twin."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from azure.keyvault.secrets import KeyVaultSecret

from safekv.secrets._many import Load


async def get_many(load: Load, read: Callable[..., Awaitable[KeyVaultSecret]]) -> dict[str, KeyVaultSecret]:
    """Read it all: the first alone, so that a cold start is one 401 and one token, then the rest at once."""
    if not load.pending:
        return {}
    await _one(load, read, load.pending[0])
    waiting = iter(load.rest())

    async def work() -> None:
        for name in waiting:
            await _one(load, read, name)

    workers = [asyncio.ensure_future(work()) for _ in range(load.workers)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
    return load.result()


async def _one(load: Load, read: Callable[..., Awaitable[KeyVaultSecret]], name: str) -> None:
    try:
        load.found(name, await read(name, timeout=load.left()))
    except Exception as error:
        load.failed(name, error)
