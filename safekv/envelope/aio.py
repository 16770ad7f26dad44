"""The key ring for asyncio: only what talks to a vault is awaited, encryption is not.

::

    ring = await KeyRing.create("https://my-vault.vault.azure.net/keys/app-kek")
    box = Encryptor(ring)
    await ring.open()       # costs nothing while the keys are in memory
    box.encrypt_many(rows, aad)
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Hashable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakValueDictionary

import safekv
from safekv._clock import SYSTEM_CLOCK, SYSTEM_RANDOM, Clock, Random
from safekv.envelope._access import wrappers
from safekv.envelope._allowed import AllowedKeys, allowed
from safekv.envelope._base import Flow, RingBase, closing, read_document
from safekv.envelope._errors import RingLocked
from safekv.envelope._keys import STREAM, XAES, check_record_algorithm, new_keys
from safekv.envelope._opened import Opened
from safekv.envelope._settings import RingSettings
from safekv.envelope._signing import signers_of, signing, verifying
from safekv.envelope._turns import waited
from safekv.envelope._wrapping import AsyncWrapper, sealing

if TYPE_CHECKING:
    from azure.keyvault.keys import KeyVaultKey

    from safekv.keys.crypto.aio import CryptographyClient
    from safekv.secrets.aio import SecretClient

    Key = str | KeyVaultKey | CryptographyClient
    Kek = Key | AsyncWrapper

__all__ = ["KeyRing"]


class KeyRing(RingBase):
    """The twin of :class:`safekv.envelope.KeyRing`, with the same names and parameters.

    Encrypting never waits. While the keys are not in memory it raises ``RingLocked``: ``await ring.open()`` before
    each batch. Reading and writing the ring's file is short and not awaited; ``save`` waits without ``await`` for
    another process that writes it, too, for 10 s at most.
    """

    @classmethod
    async def create(
        cls,
        *keks: Kek,
        credential: Any = None,
        algorithm: str | None = None,
        settings: RingSettings | None = None,
        clock: Clock = SYSTEM_CLOCK,
        random: Random = SYSTEM_RANDOM,
    ) -> KeyRing:
        """See :meth:`safekv.envelope.KeyRing.create`."""
        keys = new_keys(XAES if algorithm is None else algorithm, clock.time())
        ready = wrappers(keks, credential, cls._vault_key)
        document = await run(sealing(keys, ready))
        allow = allowed([it.kid for it in document.recipients])
        ring = cls(document, *ready, allow=allow, settings=settings, clock=clock, random=random)
        ring._origin = None
        ring._use(keys)
        return ring

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *keks: Kek,
        credential: Any = None,
        allow: Iterable[str] | AllowedKeys | None = None,
        settings: RingSettings | None = None,
        clock: Clock = SYSTEM_CLOCK,
        random: Random = SYSTEM_RANDOM,
    ) -> KeyRing:
        """See :meth:`safekv.envelope.KeyRing.load`."""
        document = read_document(path)
        return cls(document, *keks, credential=credential, allow=allow, settings=settings, clock=clock, random=random)

    @classmethod
    async def from_secret(
        cls,
        name: str,
        *keks: Kek,
        vault: str | SecretClient | None = None,
        credential: Any = None,
        allow: Iterable[str] | AllowedKeys | None = None,
        settings: RingSettings | None = None,
    ) -> KeyRing:
        """See :meth:`safekv.envelope.KeyRing.from_secret`."""
        from safekv.envelope._avault import secrets_in

        async with secrets_in(vault, credential) as client:
            text = (await client.get_secret(name, max_age=0)).value or ""
        return cls(text, *keks, credential=credential, allow=allow, settings=settings)

    @staticmethod
    def _vault_key(key: Any, credential: Any) -> Any:
        from safekv.envelope._avault import VaultKey

        return VaultKey(key, credential)

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def _open(self, bulk: bool) -> Opened:
        opened = self._fresh()
        if opened is None:
            raise RingLocked("The key ring is not open.", hint="Call `await ring.open()` first, before each batch.")
        return opened

    async def open(self) -> Opened:
        """Have the keys in memory: at once if they are, from a vault if not, once for all tasks that ask."""
        opened = self._fresh()
        if opened is not None:
            return opened
        async with AsyncExitStack() as turns:
            await turns.enter_async_context(self._turn())
            fresh = self._fresh()
            if fresh is not None:
                return fresh
            if self._asker:
                await turns.enter_async_context(turn(_turn_of(self._same()), self._settings.wait_timeout))
            reopened: Opened = await run(self._reopening())
            return reopened

    async def to_secret(
        self,
        name: str,
        *,
        vault: str | SecretClient | None = None,
        credential: Any = None,
        overwrite: bool = False,
    ) -> None:
        """See :meth:`safekv.envelope.KeyRing.to_secret`."""
        from safekv.envelope._avault import secrets_in, versions_of

        async with self._turn(), secrets_in(vault, credential) as client:
            await run(self._storing(client, versions_of, name, overwrite))

    async def add_key(self, algorithm: str | None = None) -> tuple[str, str]:
        """See :meth:`safekv.envelope.KeyRing.add_key`."""
        await self.open()
        async with self._turn():
            before = self.opened()
            chosen = check_record_algorithm(algorithm or before.record_key.algorithm)
            keys = before.keys.with_new((chosen, STREAM), self._clock.time())
            with safekv.bulk():
                await run(self._changing(before, keys))
        return keys.record_key.kid, keys.stream_key.kid

    async def retire(self, key_id: str) -> None:
        """See :meth:`safekv.envelope.KeyRing.retire`."""
        await self.open()
        async with self._turn():
            before = self.opened()
            key = before.keys.find(key_id)
            if key.retired is None:
                with safekv.bulk():
                    await run(self._changing(before, before.keys.with_new((key.algorithm,), self._clock.time())))

    async def shred(self, key_id: str) -> None:
        """See :meth:`safekv.envelope.KeyRing.shred`."""
        await self.open()
        async with self._turn():
            before = self.opened()
            with safekv.bulk():
                await run(self._changing(before, self._shreddable(before, key_id)))

    async def rewrap(self, *keks: Kek, credential: Any = None) -> None:
        """See :meth:`safekv.envelope.KeyRing.rewrap`."""
        async with self._turn():
            with safekv.bulk():
                await run(self._rewrapping(keks, credential))

    async def sign(self, key: Key, *, credential: Any = None) -> str:
        """See :meth:`safekv.envelope.KeyRing.sign`."""
        signer = self._vault_key(key, credential)
        try:
            signature: str = await run(signing(signer, self.wrapped()))
            return signature
        finally:
            await signer.close()

    async def verify(self, signature: str, *keys: Key, credential: Any = None) -> str:
        """See :meth:`safekv.envelope.KeyRing.verify`."""
        signers = signers_of(keys, credential, self._vault_key)
        try:
            kid: str = await run(verifying(signers, self.wrapped(), signature))
            return kid
        finally:
            await run(closing(signers))

    async def close(self) -> None:
        """See :meth:`safekv.envelope.KeyRing.close`."""
        self._drop()
        await run(closing(self._keks))

    async def __aenter__(self) -> KeyRing:
        await self.open()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    def _turn(self) -> AbstractAsyncContextManager[None]:
        """The ring for this task alone. One lock for each loop: a ring may be used in several, a lock in one only."""
        lock = self._turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())
        return turn(lock, self._settings.wait_timeout)

    def _new_locks(self) -> None:
        super()._new_locks()
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


_TURNS: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakValueDictionary[Hashable, asyncio.Lock]] = WeakKeyDictionary()


def _turn_of(ring: Hashable) -> asyncio.Lock:
    """What the tasks of a loop that bring the same pickled ring take one after the other, to unwrap it once."""
    turns = _TURNS.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
    turn = turns.get(ring)
    if turn is None:
        turn = turns[ring] = asyncio.Lock()
    return turn


@asynccontextmanager
async def turn(lock: asyncio.Lock, seconds: float) -> AsyncIterator[None]:
    """Hold ``lock``.

    :raises RingUnavailable: (transient) if it was not to be had for ``seconds``.
    """
    acquiring = asyncio.ensure_future(lock.acquire())
    try:
        await asyncio.wait({acquiring}, timeout=seconds)
    except BaseException:  # this task was cancelled, at the moment at which it got the lock or before
        _give_up(acquiring, lock)
        raise
    if not acquiring.done():
        _give_up(acquiring, lock)
        raise waited(seconds)
    acquiring.result()
    try:
        yield
    finally:
        lock.release()


def _give_up(acquiring: asyncio.Future[Any], lock: asyncio.Lock) -> None:
    if not acquiring.cancel() and not acquiring.cancelled():
        lock.release()


async def run(flow: Flow) -> Any:
    """Carry out what ``flow`` asks for, one call after the other."""
    try:
        call = next(flow)
        while True:
            try:
                answer = await call()
            except Exception as error:  # noqa: PERF203  (the flow decides what a failure means)
                call = flow.throw(error)
            else:
                call = flow.send(answer)
    except StopIteration as done:
        return done.value
