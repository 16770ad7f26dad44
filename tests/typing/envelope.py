"""What typed code of a user of envelope encryption looks like. Checked by mypy --strict, never run."""

from __future__ import annotations

import io

from azure.keyvault.keys import KeyVaultKey
from typing_extensions import assert_type

from safekv.envelope import (
    AsyncWrapper,
    DecryptionFailed,
    Encryptor,
    KeyInfo,
    KeyRing,
    RingSettings,
    Wrapped,
    Wrapper,
    aio,
)
from safekv.keys.crypto import CryptographyClient

ALLOW = ["https://my-vault.vault.azure.net/keys/app-kek"]


class Kek:
    def wrap(self, key: bytes) -> Wrapped:
        return Wrapped("A256KW", f"{ALLOW[0]}/1", key)

    def unwrap(self, algorithm: str, kid: str, encrypted_key: bytes) -> bytes:
        return encrypted_key


def rings(kek: Wrapper, key: KeyVaultKey) -> None:
    ring = KeyRing.create(kek, Kek(), algorithm="A256GCM", settings=RingSettings(ttl=600, workers=4))
    assert_type(ring, KeyRing)
    assert_type(KeyRing.create(ALLOW[0], key, CryptographyClient(ALLOW[0]), kek), KeyRing)
    assert_type(KeyRing.load("app.ring"), KeyRing)
    assert_type(KeyRing.from_secret("app-ring", ALLOW[0], vault="my-vault"), KeyRing)
    assert_type(ring.verify(ring.sign(ALLOW[0]), ALLOW[0]), str)
    assert_type(KeyRing.load("app.ring", kek, allow=ALLOW), KeyRing)
    assert_type(ring.add_key(), tuple[str, str])
    assert_type(ring.list_keys(), tuple[KeyInfo, ...])
    assert_type(ring.to_json(), str)
    assert_type(ring.due(), tuple[str, ...])
    with ring as it:
        assert_type(it, KeyRing)


def boxes(box: Encryptor) -> None:
    assert_type(box.encrypt(b"x"), bytes)
    assert_type(box.decrypt(memoryview(b"x"), aad=b"y"), bytes)
    assert_type(box.encrypt_many((b"x" for _ in range(3)), [b"1", b"2", b"3"]), list[bytes])
    assert_type(box.encrypt_text("x", b"y"), str)
    assert_type(box.encrypt_file("a", "b", b"y", progress=lambda done, total: None), int)
    assert_type(box.open("a", "rb"), io.BufferedReader)
    with box.open("a", "wb", b"y", segment_size=65536) as file:
        assert_type(file.write(b"x"), int)
    try:
        box.decrypt_file("a", "b")
    except DecryptionFailed as error:
        assert_type(error.segment, int | None)


async def awaited(kek: AsyncWrapper) -> None:
    ring = await aio.KeyRing.create(kek)
    assert_type(ring, aio.KeyRing)
    assert_type(await ring.add_key(), tuple[str, str])
    async with ring as it:
        assert_type(Encryptor(it).encrypt(b"x"), bytes)
