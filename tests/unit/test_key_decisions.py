"""What is decided about keys without asking anybody: sizes, how much is known and for how long, whose turn it is."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from azure.keyvault.keys import KeyOperation
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from hypothesis import given
from hypothesis import strategies as st

from safekv._advice import MANY, WITHIN, CallCounter
from safekv._identifiers import KeyId, is_managed_hsm, key_id
from safekv.emulator.keys._rsa_pool import POOL
from safekv.errors import DeadlineExceeded, InvalidArgument
from safekv.keys.crypto import _sizes
from safekv.keys.crypto._flights import Flight, fetch_once
from safekv.keys.crypto._keystore import MOST_KEYS, KeyStore, Known, Name, Turn
from safekv.keys.crypto.aio._flights import fetch_once as afetch_once

RSA = POOL.take(2048).public_key()
PADDINGS: dict[str, Any] = {
    "RSA1_5": padding.PKCS1v15(),
    "RSA-OAEP": padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None),
    "RSA-OAEP-256": padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None),
}
URL = "https://my-vault.vault.azure.net"
NAME = Name("rsa", "")


# -- sizes


@given(st.sampled_from(sorted(PADDINGS)), st.integers(150, 260))
def test_what_fits_is_what_cryptography_takes(algorithm: str, length: int) -> None:
    def fits() -> bool:
        try:
            RSA.encrypt(bytes(length), PADDINGS[algorithm])
        except ValueError:
            return False
        return True

    def allowed() -> bool:
        try:
            _sizes.check_data(KeyOperation.wrap_key, algorithm, bytes(length), 256)
        except InvalidArgument:
            return False
        return True

    assert fits() == allowed()


@given(st.sampled_from(_sizes.AES_KEY_WRAP), st.integers(0, 80))
def test_what_can_be_wrapped_with_aes(algorithm: str, length: int) -> None:
    """RFC 3394: two blocks of 8 bytes or more; the wrapped key has one more."""
    for operation, least in ((KeyOperation.wrap_key, 16), (KeyOperation.unwrap_key, 24)):
        if length >= least and length % 8 == 0:
            _sizes.check_data(operation, algorithm, bytes(length), None)
        else:
            with pytest.raises(InvalidArgument):
                _sizes.check_data(operation, algorithm, bytes(length), None)


@pytest.mark.parametrize("algorithm", ["RS256", "PS384", "ES512", "ES256K"])
def test_digests(algorithm: str) -> None:
    length = int(algorithm.removesuffix("K")[2:]) // 8
    _sizes.check_digest(algorithm, bytes(length))
    for wrong in (0, length - 1, length + 1):
        with pytest.raises(InvalidArgument, match=f"digest of {length} bytes"):
            _sizes.check_digest(algorithm, bytes(wrong))


# -- ids


def test_ids() -> None:
    assert key_id(f"{URL}/keys/name") == KeyId(URL, "name", None)
    assert key_id(f"{URL}:443/keys/name/v1/") == KeyId(URL, "name", "v1")
    assert key_id("https://localhost:8443/keys/name/v1").vault_url == "https://localhost:8443"


@given(st.sampled_from(["", f"{URL}/", f"{URL}/keys/"]), st.text(max_size=60))
def test_anything_else_is_refused(before: str, text: str) -> None:
    try:
        found = key_id(before + text)
    except InvalidArgument:
        return
    assert found.vault_url.startswith("https://")
    assert found.name.isascii()


@pytest.mark.parametrize("url", ["https://my.managedhsm.azure.net", "https://MY.ManagedHSM.azure.cn:443"])
def test_managed_hsms(url: str) -> None:
    assert is_managed_hsm(url)
    assert not is_managed_hsm(f"{URL}/.managedhsm.")
    assert not is_managed_hsm("https://managedhsm.vault.azure.net")


# -- what is known


def known(version: str = "v1", since: float = 0.0) -> Known:
    return Known(f"{URL}/keys/rsa/{version}", since)


def test_what_is_known_is_used_for_a_while() -> None:
    store: KeyStore[Flight] = KeyStore()
    store.keep(NAME, known(since=10.0))
    assert store.look(NAME, 309.9, 300.0) is not None
    assert store.look(NAME, 310.0, 300.0) is None
    assert store.look(Name("rsa", "v1"), 11.0, 300.0) is store.look(NAME, 11.0, 300.0)
    assert store.look(Name("rsa", "v2"), 11.0, 300.0) is None


def test_a_store_has_a_size() -> None:
    store: KeyStore[Flight] = KeyStore()
    for number in range(MOST_KEYS + 50):
        store.keep(Name(f"k{number}", "v1"), known())
    assert len(store._known) == MOST_KEYS


def test_a_child_knows_nothing() -> None:
    store: KeyStore[Flight] = KeyStore()
    store.keep(NAME, known())
    store.lock.acquire()
    store.after_fork()
    assert store.look(NAME, 0.0, 300.0) is None
    assert store.lock.acquire(blocking=False)


# -- one request at a time


def turn(timeout: float = 10.0) -> Turn:
    return Turn(timeout, "wrap_key")


def together(store: KeyStore[Flight], fetch: Any, timeouts: list[float]) -> list[Any]:
    """What the callers get who come while the first one is fetching."""
    results: list[Any] = [None] * len(timeouts)

    def call(number: int) -> None:
        try:
            results[number] = fetch_once(store, NAME, fetch, turn(timeouts[number]))
        except BaseException as error:
            results[number] = error

    threads = [threading.Thread(target=call, args=(number,)) for number in range(len(timeouts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


class Fetch:
    """The first calls fail as told, once ``others`` callers wait."""

    def __init__(self, store: KeyStore[Flight], *errors: BaseException, others: int = 3) -> None:
        self.store, self.errors, self.calls = store, list(errors), 0
        self.arrived = threading.Event()
        self.others = others

    def __call__(self) -> Known:
        self.calls += 1
        self.arrived.wait(0.05)
        if self.errors:
            raise self.errors.pop(0)
        return known()


def test_many_threads_fetch_once() -> None:
    store: KeyStore[Flight] = KeyStore()
    fetch = Fetch(store)
    results = together(store, fetch, [10.0] * 8)
    assert fetch.calls == 1
    assert len(set(map(id, results))) == 1
    assert not store.flights


def test_a_failure_is_everybodys() -> None:
    store: KeyStore[Flight] = KeyStore()
    fetch = Fetch(store, OSError("no"))
    results = together(store, fetch, [10.0] * 4)
    assert fetch.calls == 1
    assert all(isinstance(each, OSError) for each in results)
    assert not store.flights


def test_an_interrupt_is_for_one_thread_alone() -> None:
    store: KeyStore[Flight] = KeyStore()
    fetch = Fetch(store, KeyboardInterrupt())
    results = together(store, fetch, [10.0] * 4)
    assert sum(isinstance(each, KeyboardInterrupt) for each in results) == 1
    assert sum(isinstance(each, Known) for each in results) == 3
    assert fetch.calls == 2


def test_who_has_more_time_tries_again() -> None:
    store: KeyStore[Flight] = KeyStore()
    store.flights[NAME] = short = Flight(0.5)
    fetch = Fetch(store)
    threading.Timer(
        0.05, lambda: (setattr(short, "error", OSError()), store.flights.clear(), short.ended.set())
    ).start()
    assert isinstance(fetch_once(store, NAME, fetch, turn(10.0)), Known)


def test_nobody_waits_longer_than_he_has_time() -> None:
    store: KeyStore[Flight] = KeyStore()
    store.flights[NAME] = Flight(10.0)
    with pytest.raises(DeadlineExceeded, match="while another call was fetching the key"):
        fetch_once(store, NAME, known, turn(0.01))


def test_tasks_fetch_once_and_a_cancelled_one_takes_nothing_along() -> None:
    async def main() -> None:
        store: KeyStore[Any] = KeyStore()
        calls: list[int] = []

        async def fetch() -> Known:
            calls.append(1)
            await asyncio.sleep(0.01)
            return known()

        tasks = [asyncio.create_task(afetch_once(store, NAME, fetch, turn())) for _ in range(8)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(results[0], asyncio.CancelledError)
        assert len(set(map(id, results[1:]))) == 1
        assert len(calls) == 1
        assert not store.flights

    asyncio.run(main())


def test_tasks_wait_no_longer_than_they_have_time() -> None:
    async def main() -> None:
        store: KeyStore[Any] = KeyStore()

        async def fetch() -> Known:
            await asyncio.sleep(0.05)
            return known()

        with pytest.raises(DeadlineExceeded):
            await afetch_once(store, NAME, fetch, turn(0.001))
        assert isinstance(await afetch_once(store, NAME, fetch, turn()), Known)

    asyncio.run(main())


# -- how often the service is asked


def test_calls_are_counted_by_key_and_told_once() -> None:
    counter = CallCounter()
    assert not any(counter.count("one", 0.01 * number) for number in range(MANY))
    assert not any(counter.count("two", 0.01 * number) for number in range(MANY))
    assert counter.count("one", 2.0)
    assert not any(counter.count("one", 2.0 + 0.001 * number) for number in range(500))


def test_slow_calls_are_no_matter() -> None:
    counter = CallCounter()
    gap = WITHIN / MANY * 1.01
    assert not any(counter.count("one", gap * number) for number in range(1_000))
