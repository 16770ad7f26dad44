"""``get_many`` in tasks. ``../_many`` is its twin."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from azure.keyvault.secrets import KeyVaultSecret

from safekv.connection._call import ON_TOKEN
from safekv.secrets._many import Load


async def get_many(load: Load, read: Callable[..., Awaitable[KeyVaultSecret]]) -> dict[str, KeyVaultSecret]:
    """Read it all at once; only the first goes alone until it has a token, or has found out that there is none."""
    waiting, may_follow = iter(load.pending), asyncio.Event()

    async def work() -> None:
        for name in waiting:
            await _one(load, read, name)

    async def lead() -> None:
        ON_TOKEN.set(may_follow.set)  # in this task's context alone
        try:
            for name in waiting:
                await _one(load, read, name)
                may_follow.set()
        finally:
            may_follow.set()

    workers = [asyncio.ensure_future(lead())]
    try:
        await may_follow.wait()
        workers += [asyncio.ensure_future(work()) for _ in range(load.workers - 1)]
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
    return load.result()


async def _one(load: Load, read: Callable[..., Awaitable[KeyVaultSecret]], name: str) -> None:
    barred = load.barred()
    if barred is not None:
        load.failed(name, barred)
        return
    try:
        load.found(name, await read(name, timeout=load.left()))
    except Exception as error:
        load.failed(name, error)
