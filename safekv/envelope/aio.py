"""The key ring for asyncio: only what talks to a vault is awaited, encryption is not.

::

    ring = await KeyRing.create(kek)
    box = Encryptor(ring)
    await ring.open()       # costs nothing while the keys are in memory
    box.encrypt_many(rows, aad)
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

from safekv._clock import SYSTEM_CLOCK, SYSTEM_RANDOM, Clock, Random
from safekv.envelope._allowed import AllowedKeys, allowed
from safekv.envelope._base import Flow, RingBase, read_document
from safekv.envelope._errors import RingLocked
from safekv.envelope._keys import STREAM, XAES, check_record_algorithm, new_keys
from safekv.envelope._opened import Opened
from safekv.envelope._settings import RingSettings
from safekv.envelope._wrapping import AsyncWrapper, checked, sealing

__all__ = ["KeyRing"]


class KeyRing(RingBase):
    """The twin of :class:`safekv.envelope.KeyRing`, with the same names and parameters.

    Encrypting never waits. While the keys are not in memory it raises ``RingLocked``: ``await ring.open()`` before
    each batch. Reading and writing the ring's file is short and not awaited.
    """

    @classmethod
    async def create(
        cls,
        *keks: AsyncWrapper,
        algorithm: str | None = None,
        settings: RingSettings | None = None,
        clock: Clock = SYSTEM_CLOCK,
        random: Random = SYSTEM_RANDOM,
    ) -> KeyRing:
        """See :meth:`safekv.envelope.KeyRing.create`."""
        keys = new_keys(XAES if algorithm is None else algorithm, clock.time())
        document = await run(sealing(keys, checked(keks)))
        allow = allowed([it.kid for it in document.recipients])
        ring = cls(document, *keks, allow=allow, settings=settings, clock=clock, random=random)
        ring._origin = None
        ring._use(keys)
        return ring

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *keks: AsyncWrapper,
        allow: Iterable[str] | AllowedKeys,
        settings: RingSettings | None = None,
        clock: Clock = SYSTEM_CLOCK,
        random: Random = SYSTEM_RANDOM,
    ) -> KeyRing:
        """See :meth:`safekv.envelope.KeyRing.load`."""
        return cls(read_document(path), *keks, allow=allow, settings=settings, clock=clock, random=random)

    def _open(self) -> Opened:
        opened = self._fresh()
        if opened is None:
            raise RingLocked("The key ring is not open.", hint="Call `await ring.open()` first, before each batch.")
        return opened

    async def open(self) -> Opened:
        """Have the keys in memory: at once if they are, from a vault if not, once for all tasks that ask."""
        opened = self._fresh()
        if opened is not None:
            return opened
        async with self._turn():
            return self._fresh() or await run(self._reopening())

    async def add_key(self, algorithm: str | None = None) -> tuple[str, str]:
        """See :meth:`safekv.envelope.KeyRing.add_key`."""
        await self.open()
        async with self._turn():
            before = self.opened()
            chosen = check_record_algorithm(algorithm or before.record_key.algorithm)
            keys = before.keys.with_new((chosen, STREAM), self._clock.time())
            await run(self._changing(before, keys))
        return keys.record_key.kid, keys.stream_key.kid

    async def retire(self, key_id: str) -> None:
        """See :meth:`safekv.envelope.KeyRing.retire`."""
        await self.open()
        async with self._turn():
            before = self.opened()
            key = before.keys.find(key_id)
            if key.retired is None:
                await run(self._changing(before, before.keys.with_new((key.algorithm,), self._clock.time())))

    async def shred(self, key_id: str) -> None:
        """See :meth:`safekv.envelope.KeyRing.shred`."""
        await self.open()
        async with self._turn():
            before = self.opened()
            await run(self._changing(before, self._shreddable(before, key_id)))

    async def rewrap(self, *keks: AsyncWrapper) -> None:
        """See :meth:`safekv.envelope.KeyRing.rewrap`."""
        async with self._turn():
            await run(self._rewrapping(keks))

    async def close(self) -> None:
        """See :meth:`safekv.envelope.KeyRing.close`."""
        self._drop()

    async def __aenter__(self) -> KeyRing:
        await self.open()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    def _turn(self) -> asyncio.Lock:
        """One lock for each loop: a ring may be used in several, and a lock in one only."""
        return self._turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())

    def _new_locks(self) -> None:
        super()._new_locks()
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


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
