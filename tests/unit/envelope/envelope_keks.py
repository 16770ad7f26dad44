"""Key-encryption keys in memory: real wrapping, a count of what they were asked, and failures on demand."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap

from safekv.envelope import KeyRing, RingSettings, Wrapped, aio
from safekv.errors import SafeKVError

PRIMARY = "https://primary.vault.azure.net/keys/kek"
SECOND = "https://second.vault.azure.net/keys/kek"
OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)

_KEKS: dict[str, LocalKek] = {}


class LocalKek:
    """AES key wrapping, as a managed HSM does it. Pickles as its address, like a key in a vault."""

    algorithm = "A256KW"

    def __init__(self, address: str = PRIMARY, version: str = "0" * 32) -> None:
        self.address, self.kid = address, f"{address}/{version}"
        self.secret = os.urandom(32)
        self.wraps = self.unwraps = 0
        self.failure: Exception | None = None
        _KEKS[self.kid] = self

    def __reduce__(self) -> Any:
        return _of_this_process, (self.kid,)

    def wrap(self, key: bytes) -> Wrapped:
        self.wraps += 1
        return Wrapped(self.algorithm, self.kid, self.wrap_locally(key))

    def unwrap(self, algorithm: str, kid: str, encrypted_key: bytes) -> bytes:
        if kid != self.kid:
            raise LookupError(kid)
        self.unwraps += 1
        if self.failure:
            raise self.failure
        return self.unwrap_locally(encrypted_key)

    def wrap_locally(self, key: bytes) -> bytes:
        return aes_key_wrap(self.secret, key)

    def unwrap_locally(self, encrypted_key: bytes) -> bytes:
        return aes_key_unwrap(self.secret, encrypted_key)


def _of_this_process(kid: str) -> LocalKek:
    return _KEKS[kid]


class RsaKek(LocalKek):
    """RSA-OAEP-256, as a vault does it."""

    algorithm = "RSA-OAEP-256"

    def __init__(self, address: str = PRIMARY) -> None:
        super().__init__(address)
        self.private = rsa.generate_private_key(65537, 2048)

    def wrap_locally(self, key: bytes) -> bytes:
        return self.private.public_key().encrypt(key, OAEP)

    def unwrap_locally(self, encrypted_key: bytes) -> bytes:
        return self.private.decrypt(encrypted_key, OAEP)


class AsyncKek:
    """The same for asyncio; every answer lets other tasks run first."""

    def __init__(self, kek: LocalKek) -> None:
        self.kek = kek

    async def wrap(self, key: bytes) -> Wrapped:
        await asyncio.sleep(0)
        return self.kek.wrap(key)

    async def unwrap(self, algorithm: str, kid: str, encrypted_key: bytes) -> bytes:
        await asyncio.sleep(0)
        return self.kek.unwrap(algorithm, kid, encrypted_key)


class OutOfReach(SafeKVError):
    """A vault that does not answer just now."""

    transient = True


class Colour:
    """Both rings behind one face."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self.loop = loop
        self.ring_class: Any = KeyRing if loop is None else aio.KeyRing

    def run(self, answer: Any) -> Any:
        return self.loop.run_until_complete(answer) if self.loop and asyncio.iscoroutine(answer) else answer

    def keks(self, *keks: LocalKek) -> list[Any]:
        return list(keks) if self.loop is None else [AsyncKek(kek) for kek in keks]

    def create(self, *keks: LocalKek, **options: Any) -> Any:
        return self.run(self.ring_class.create(*self.keks(*keks), **options))

    def parse(self, text: str, *keks: LocalKek, **options: Any) -> Any:
        options = {"allow": [kek.address for kek in keks], **options}
        return self.ring_class(text, *self.keks(*keks), **options)

    def open(self, ring: Any) -> Any:
        return ring.opened() if self.loop is None else self.run(ring.open())

    def together(self, ring: Any, count: int) -> None:
        if self.loop is None:
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(count) as pool:
                list(pool.map(lambda _: ring.opened(), range(count)))
        else:

            async def gather() -> None:
                await asyncio.gather(*(ring.open() for _ in range(count)))

            self.run(gather())


def settings(**changes: Any) -> RingSettings:
    return RingSettings(**{"jitter": 0.0, **changes})
