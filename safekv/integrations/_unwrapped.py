"""Keys that a vault has unwrapped, for a while: each is asked for once, whoever needs it."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from weakref import WeakValueDictionary

from safekv._clock import SYSTEM_RANDOM
from safekv._fork import on_fork
from safekv.envelope._turns import turn

TTL = 3600.0
_JITTER = 0.1
_MOST = 1024
#: Seconds for which a thread waits for another one that asks for the same key.
_WAIT = 300.0


class _Turn:
    def __init__(self) -> None:
        self.lock = threading.Lock()


class Unwrapped:
    """The most recently used ones, for ``ttl`` seconds at most."""

    def __init__(self, ttl: float = TTL, now: Callable[[], float] = time.monotonic) -> None:
        self._ttl, self._now = ttl, now
        self._kept: OrderedDict[bytes, tuple[float, bytes]] = OrderedDict()
        self.after_fork()
        on_fork(self)

    def after_fork(self) -> None:
        """A child keeps the keys, and waits for no thread of its parent."""
        self._lock = threading.Lock()
        self._turns: WeakValueDictionary[bytes, _Turn] = WeakValueDictionary()

    def get(self, kid: str, encrypted_key: bytes, unwrap: Callable[[], bytes]) -> bytes:
        """The key, from memory or from ``unwrap()``, which one thread at a time calls.

        :raises RingUnavailable: (transient) if another thread has been calling it for five minutes.
        """
        name = _name(kid, encrypted_key)
        with self._lock:
            own = self._turns.get(name)
            if own is None:
                own = self._turns[name] = _Turn()
        with turn(own.lock, _WAIT):
            key = self._look(name)
            if key is None:
                key = unwrap()
                self._keep(name, key)
            return key

    def put(self, kid: str, encrypted_key: bytes, key: bytes) -> None:
        """Remember a key that was wrapped here, and is known to come back."""
        self._keep(_name(kid, encrypted_key), key)

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._kept.clear()

    def _look(self, name: bytes) -> bytes | None:
        with self._lock:
            ends, key = self._kept.get(name, (0.0, None))
            if key is None or self._now() >= ends:
                return None
            self._kept.move_to_end(name)
            return key

    def _keep(self, name: bytes, key: bytes) -> None:
        ends = self._now() + self._ttl * (1 - _JITTER * SYSTEM_RANDOM.random())
        with self._lock:
            self._kept[name] = ends, key
            self._kept.move_to_end(name)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)

    def __repr__(self) -> str:
        return "<unwrapped keys>"

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self._ttl,)  # never with the keys


def _name(kid: str, encrypted_key: bytes) -> bytes:
    return hashlib.sha256(kid.encode() + b"\0" + encrypted_key).digest()
