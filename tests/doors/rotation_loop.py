"""One rotates, many read: the loop of a test, and a program that runs it for longer."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from safekv import CacheSettings
from safekv._clock import VirtualClock
from safekv.cache import CacheInfo
from safekv.connection._background import background
from safekv.emulator import Emulator, EmulatorTransport
from safekv.secrets import SecretClient
from safekv.testing import LocalCredential


class Slow(EmulatorTransport):
    """A vault that takes some real time to answer, so that reads and writes overlap."""

    def send(self, request: Any, **options: Any) -> Any:
        time.sleep(0.001)
        answer = super().send(request, **options)
        time.sleep(0.001)
        return answer


@dataclass
class Result:
    reads: int = 0
    rotations: int = 0
    backwards: int = 0
    info: CacheInfo = field(default_factory=CacheInfo)


def rotate_under_readers(*, readers: int, seconds: float) -> Result:
    """Write ``1``, ``2``, … (most of them behind the client's back) while ``readers`` threads read through its cache.

    ``backwards`` counts reads that brought a lesser number than one that had been returned, to
    whichever reader, before they began.
    """
    emulator = Emulator(clock=VirtualClock(running=True))  # so that values expire while this runs
    vault, credential = emulator.add_vault("rotating"), LocalCredential(emulator)
    client = SecretClient(vault.url, credential, transport=Slow(emulator), cache=CacheSettings(ttl=0.3))
    client.set_secret("rotating", "0")
    result, lock, newest, end = Result(), threading.Lock(), [0], time.monotonic() + seconds

    def read(number: int) -> None:
        count = backwards = 0
        while time.monotonic() < end:
            least = newest[0]
            kind = (97 * number + count) % 3000
            got = int(client.get_secret("rotating", **({"max_age": 0} if kind == 0 else {})).value or -1)
            backwards += got < least
            with lock:
                newest[0] = max(newest[0], got)
            count += 1
            if kind == 1:
                client.invalidate("rotating")
            time.sleep(0.002 * (number % 8))
        with lock:
            result.reads += count
            result.backwards += backwards

    threads = [threading.Thread(target=read, args=(number,)) for number in range(readers)]
    for thread in threads:
        thread.start()
    while time.monotonic() < end:
        result.rotations += 1
        if result.rotations % 20 > 3:
            vault.set_secret("rotating", str(result.rotations))  # elsewhere: only a refresh will tell
        else:
            client.set_secret("rotating", str(result.rotations))
            with lock:
                newest[0] = max(newest[0], result.rotations)  # whoever wrote it knows that it is there
        time.sleep(0.01 * (result.rotations % 5))
    for thread in threads:
        thread.join()
    background().drain()
    result.info = client.cache_info()
    client.close()
    return result


if __name__ == "__main__":
    print(rotate_under_readers(readers=64, seconds=float(sys.argv[1]) if sys.argv[1:] else 30))
