"""What caches have done, for those who watch: counts never go down and lose nothing, however caches come and go."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from colours import Colour, sync_colour

from safekv import CacheSettings, _events
from safekv.testing import LocalKeyVault


@pytest.fixture
def _switching_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def sync() -> Iterator[Colour]:
    with sync_colour() as colour:
        yield colour


def client(colour: Colour, local: LocalKeyVault, vault: str, **settings: Any) -> Any:
    """Of a vault of the test's own: counts are of the process."""
    return colour.client(local, vault, cache=CacheSettings(jitter=0, **settings))


def answered(host: str) -> int:
    """Reads of this vault's secrets, by all caches that there are and were."""
    found = (state for state in _events.states() if isinstance(state, _events.CacheState) and state.vault == host)
    return sum(state.hits + state.misses for state in found)


def test_while_the_collector_takes_a_cache(colour: Colour, local: LocalKeyVault) -> None:
    """It takes weak references first, and then it calls ``__del__``."""
    local.set_secret("greeting", "hello", vault=f"taken-{colour.name}")
    reader = client(colour, local, f"taken-{colour.name}")
    host = f"taken-{colour.name}.vault.azure.net"
    for _ in range(10):
        colour.run(reader.get_secret("greeting"))
    seen = [answered(host)]
    (cache,) = reader._lease.connection.caches.values()
    watching = weakref.ref(cache, lambda _: seen.append(answered(host)))
    colour.run(reader.close())
    del reader, cache
    gc.collect()
    assert watching() is None
    assert [*seen, answered(host)] == [10, 10, 10]


@pytest.mark.usefixtures("_switching_often")
def test_while_caches_come_and_go(local: LocalKeyVault, sync: Colour) -> None:
    local.set_secret("greeting", "hello", vault="coming")
    host, threads, rounds, reads = "coming.vault.azure.net", 4, 6, 5
    before, seen, over = answered(host), [0], threading.Event()

    def watch() -> None:
        while not over.is_set():
            seen.append(answered(host))

    def come_and_go(number: int) -> None:
        for turn in range(rounds):
            reader = client(sync, local, "coming", ttl=100.0 + number)
            for _ in range(reads):
                reader.get_secret("greeting")
            if turn % 2:
                (cache,) = [it for it in reader._lease.connection.caches.values() if it.settings.ttl == 100.0 + number]
                cache.start_again()  # as with an emulation that begins
                del cache
            reader.close()
            del reader
            gc.collect()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        assert sync.together(threads, come_and_go) == [None] * threads
    finally:
        over.set()
        watcher.join(30)
    gc.collect()
    assert seen == sorted(seen)
    assert answered(host) - before == threads * rounds * reads


def test_what_it_did_before_it_began_again(colour: Colour, local: LocalKeyVault) -> None:
    vault = f"again-{colour.name}"
    local.set_secret("greeting", "hello", vault=vault)
    reader = client(colour, local, vault)
    (cache,) = reader._lease.connection.caches.values()
    seen = []
    for _ in range(3):
        colour.run(reader.get_secret("greeting"))
        seen.append(answered(f"{vault}.vault.azure.net"))
        cache.start_again()
        seen.append(answered(f"{vault}.vault.azure.net"))
    assert seen == [1, 1, 2, 2, 3, 3]


def test_of_many_vaults_none_is_forgotten(local: LocalKeyVault, sync: Colour) -> None:
    vaults = [f"one-of-many-{number}" for number in range(260)]
    for vault in vaults:
        local.set_secret("greeting", "hello", vault=vault)
        reader = client(sync, local, vault)
        reader.get_secret("greeting")
        reader.close()
    del reader
    gc.collect()
    assert [answered(f"{vault}.vault.azure.net") for vault in (vaults[0], vaults[-1])] == [1, 1]
