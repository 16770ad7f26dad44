"""Nobody waits for ever for a thread or task that waits for a vault."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from envelope_keks import AsyncKek, LocalKek, settings

from safekv.envelope import Encryptor, KeyRing, RingConflict, RingUnavailable, Wrapped, aio
from safekv.envelope._wrapping import OfRing


class Hanging(LocalKek):
    """A vault that does not answer before it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.answer = threading.Event(), threading.Event()

    def unwrap(self, algorithm: str, kid: str, encrypted_key: bytes) -> bytes:
        self.asked.set()
        assert self.answer.wait(30)
        return super().unwrap(algorithm, kid, encrypted_key)


def test_a_thread_waits_only_so_long_for_another_one() -> None:
    kek = Hanging()
    kek.answer.set()
    text = KeyRing.create(kek).to_json()
    ring = KeyRing(text, kek, allow=[kek.address], settings=settings(wait_timeout=0.05))
    kek.asked.clear()
    kek.answer.clear()
    opening = threading.Thread(target=ring.opened)
    opening.start()
    try:
        assert kek.asked.wait(30)
        for work in (lambda: Encryptor(ring).encrypt(b""), ring.add_key, ring.to_json):
            with pytest.raises(RingUnavailable, match=r"0\.05 s") as caught:
                work()
            assert caught.value.transient
    finally:
        kek.answer.set()
        opening.join()
    assert Encryptor(ring).encrypt(b"")
    assert kek.unwraps == 2  # of create, and of the one that opened it


class AsyncHanging(AsyncKek):
    def __init__(self, kek: LocalKek) -> None:
        super().__init__(kek)
        self.asked, self.answer = asyncio.Event(), asyncio.Event()

    async def unwrap(self, algorithm: str, kid: str, encrypted_key: bytes) -> bytes:
        self.asked.set()
        await self.answer.wait()
        return await super().unwrap(algorithm, kid, encrypted_key)


def test_a_task_waits_only_so_long_for_another_one() -> None:
    async def main() -> None:
        kek = LocalKek()
        text = KeyRing.create(kek).to_json()
        hanging = AsyncHanging(kek)
        ring = aio.KeyRing(text, hanging, allow=[kek.address], settings=settings(wait_timeout=0.05))
        opening = asyncio.ensure_future(ring.open())
        await hanging.asked.wait()
        with pytest.raises(RingUnavailable, match=r"0\.05 s"):
            await ring.open()
        hanging.answer.set()
        await opening
        await ring.open()
        assert kek.unwraps == 2

    asyncio.run(main())


def test_a_task_that_is_cancelled_gives_its_turn_back() -> None:
    async def main() -> None:
        lock = asyncio.Lock()
        order: list[str] = []

        async def work(name: str, entered: Any) -> None:
            async with aio.turn(lock, 30):
                order.append(name)
                await entered.wait()

        first, never = asyncio.Event(), asyncio.Event()
        tasks = [asyncio.ensure_future(work(name, it)) for name, it in (("a", first), ("b", never), ("c", never))]
        await asyncio.sleep(0.01)
        tasks[1].cancel()  # while it waits
        await asyncio.sleep(0.01)
        first.set()
        await asyncio.sleep(0.01)
        tasks[2].cancel()  # while it holds the lock
        await asyncio.gather(*tasks, return_exceptions=True)
        assert order == ["a", "c"]
        for steps in range(6):  # at the moment at which it gets the lock
            await lock.acquire()
            waiting = asyncio.ensure_future(work("d", never))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            lock.release()
            for _ in range(steps):
                await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            await asyncio.sleep(0.001)
            assert not lock.locked()

    asyncio.run(main())


class Slow(AsyncKek):
    """A vault that takes its time for one wrapping: that of the loop that asks first."""

    def __init__(self, kek: LocalKek) -> None:
        super().__init__(kek)
        self.asked, self.answer, self.slow = threading.Event(), threading.Event(), False

    async def wrap(self, key: bytes) -> Wrapped:
        if self.slow:
            self.slow = False
            self.asked.set()
            assert await asyncio.to_thread(self.answer.wait, 30)
        return await super().wrap(key)


@pytest.mark.parametrize("change", ["add_key", "rewrap"])
def test_what_one_loop_saved_no_other_loop_overwrites(change: str, tmp_path: Path) -> None:
    kek = LocalKek()
    slow = Slow(kek)
    ring = aio.KeyRing(KeyRing.create(kek).to_json(), slow, allow=[kek.address])
    failed: list[BaseException] = []

    def change_slowly() -> None:
        try:
            asyncio.run(ring.add_key() if change == "add_key" else ring.rewrap(slow))
        except RingConflict as error:
            failed.append(error)

    async def change_and_use() -> bytes:
        await ring.add_key()
        ring.save(tmp_path / "app.ring")
        return Encryptor(ring).encrypt(b"data")

    slow.slow = True
    thread = threading.Thread(target=change_slowly)
    thread.start()
    assert slow.asked.wait(30)
    token = asyncio.run(change_and_use())
    slow.answer.set()
    thread.join()
    assert len(failed) == 1
    ring.save(tmp_path / "app.ring")
    assert Encryptor(KeyRing.load(tmp_path / "app.ring", kek)).decrypt(token) == b"data"


class Lingering(AsyncKek, OfRing):
    """A key that the ring made, whose client takes its time to close."""

    async def close(self) -> None:
        await asyncio.sleep(3600)


def test_a_rewrap_that_is_cancelled_at_its_end_is_done() -> None:
    async def work() -> None:
        old, new = LocalKek(), LocalKek("https://two.vault.azure.net/keys/app-kek")
        ring = aio.KeyRing(KeyRing.create(old).to_json(), Lingering(old), allow=[old.address], settings=settings(ttl=1))
        await ring.open()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(ring.rewrap(AsyncKek(new)), 0.05)
        assert ring.recipients == (new.kid,)
        ring._opened = None  # as at the end of its time
        await ring.open()
        assert new.unwraps

    asyncio.run(work())
