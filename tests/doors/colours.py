"""The sync and the aio door behind one face, so that one test body serves both."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import azure.keyvault.secrets
import azure.keyvault.secrets.aio

import safekv.secrets
import safekv.secrets.aio
from safekv.testing import LocalKeyVault


@dataclass(frozen=True)
class Colour:
    """``client_class`` is ours, ``sdk_class`` the SDK's; ``loop`` is None for the sync door."""

    name: str
    client_class: Any
    sdk_class: Any
    loop: asyncio.AbstractEventLoop | None = None

    def run(self, answer: Any) -> Any:
        """The result of a call, awaited if need be."""
        if self.loop is None or not inspect.isawaitable(answer):
            return answer
        return self.loop.run_until_complete(answer)

    def client(self, local: LocalKeyVault, vault: str = "local", credential: Any = None, **options: Any) -> Any:
        """A client that reaches ``local``, with its credential unless another is given.

        It has no cache unless one is given: most tests count what reaches the vault.
        """
        options = {"transport": local.transport(self.name), "cache": None, **options}
        return self.client_class(local.url(vault), credential or local.credential(), **options)

    def items(self, pager: Any) -> list[Any]:
        """All items of a pager."""
        if self.loop is None:
            return list(pager)

        async def gather() -> list[Any]:
            return [item async for item in pager]

        return self.run(gather())

    def delete(self, client: Any, name: str, **options: Any) -> None:
        """Delete, and wait for the end of it."""
        if self.loop is None:
            client.begin_delete_secret(name, **options).wait()
        else:
            self.run(client.delete_secret(name, **options))

    def together(self, count: int, call: Callable[[int], Any]) -> list[Any]:
        """``call(0)`` … at once, in as many threads or tasks: what each returned or raised."""
        return _threads(count, call) if self.loop is None else self.run(_tasks(count, call))

    @contextmanager
    def entered(self, client: Any) -> Iterator[Any]:
        """``with client`` or ``async with client``."""
        if self.loop is None:
            with client:
                yield client
        else:
            self.run(client.__aenter__())
            try:
                yield client
            finally:
                self.run(client.__aexit__(None, None, None))


@contextmanager
def sync_colour() -> Iterator[Colour]:
    yield Colour("sync", safekv.secrets.SecretClient, azure.keyvault.secrets.SecretClient)


@contextmanager
def aio_colour() -> Iterator[Colour]:
    loop = asyncio.new_event_loop()
    try:
        yield Colour("aio", safekv.secrets.aio.SecretClient, azure.keyvault.secrets.aio.SecretClient, loop)
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()


def _threads(count: int, call: Callable[[int], Any]) -> list[Any]:
    barrier = threading.Barrier(count)

    def one(number: int) -> Any:
        barrier.wait(10)
        try:
            return call(number)
        except Exception as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


async def _tasks(count: int, call: Callable[[int], Any]) -> list[Any]:
    return await asyncio.gather(*map(call, range(count)), return_exceptions=True)
