"""A million records with one key in a vault: wrapped once with safekv, and record by record with the plain SDK.

    python -m benchmarks.bulk                 # about half a minute
    python -m benchmarks.bulk --quick         # 50,000 records, and 200 by the SDK

The vault is the emulator in a process of its own, behind TLS and with the limits of the service (4,000 operations with
a 2048-bit RSA key in 10 s). The SDK decrypts 1,000 records, 16 at a time, and what a million would take is worked out
twice: at the speed that was measured, and at the vault's limit. Encrypting needs only the public key, which the SDK
does here too (its time is not counted); reading the data again is what costs the vault's time.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.emulator import control, emulator_process
from benchmarks.figures import Figures, command

LIMIT = 400.0  # operations per second
SIZE = 64
THREADS = 16


def measure(quick: bool) -> Figures:
    records, calls = (50_000, 200) if quick else (1_000_000, 1_000)
    with emulator_process() as url:
        return compare(url, records, calls)


def compare(url: str, records: int, calls: int) -> Figures:
    from safekv.keys import KeyClient

    figures = Figures()
    key = KeyClient(url).create_rsa_key("app-kek", size=2048)
    assert key.id is not None
    rows = [os.urandom(SIZE) for _ in range(4096)]
    encrypted, decrypted, asked_for = bulk(url, rows, records)
    measured, seen = plain(url, key.id, rows, calls)
    assert seen >= calls
    at_that_speed, at_the_limit = measured * records / calls, records / LIMIT
    figures.table(
        "million",
        f"{records:,} records of {SIZE} bytes; seconds",
        ("encrypt", "decrypt", "vault calls"),
        [
            ("safekv: ring, batches", encrypted, decrypted, asked_for),
            (f"CryptographyClient, at the speed of {calls:,}", "local", at_that_speed, records),
            (f"CryptographyClient, at the limit of {LIMIT:g} a second", "local", at_the_limit, records),
        ],
        note=f"The SDK's client decrypted {calls:,} records, {THREADS} at a time; the rest is arithmetic.",
    )
    what = f"{records:,} records encrypted and decrypted: vault calls"
    figures.claim("vault-calls", what, asked_for, goal=3, peer="azure-keyvault-keys")
    what = f"{records:,} records decrypted: times as fast as the SDK at the vault's limit"
    figures.claim("against-limit", what, at_the_limit / decrypted, unit="×", peer="azure-keyvault-keys")
    return figures


def bulk(url: str, rows: list[bytes], records: int) -> tuple[float, float, int]:
    """Both ways, each by a ring that has to be opened first."""
    from safekv.envelope import Encryptor, KeyRing

    kek = f"{url}/keys/app-kek"
    control(url, "DELETE", "journal")
    ring = KeyRing.create(kek)
    text, box = ring.to_json(), Encryptor(ring)
    batches = [rows] * (records // len(rows)) + [rows[: records % len(rows)]]
    started = time.perf_counter()
    tokens = [box.encrypt_many(batch, b"table|column") for batch in batches]
    encrypted = time.perf_counter() - started
    ring.close()
    started = time.perf_counter()
    box = Encryptor(KeyRing(text, kek))
    for batch, sealed in zip(batches, tokens, strict=True):
        assert box.decrypt_many(sealed, b"table|column") == batch
    return encrypted, time.perf_counter() - started, asked(url)


def plain(url: str, key_id: str, rows: list[bytes], calls: int) -> tuple[float, int]:
    """The SDK's client as its documentation has it."""
    from azure.identity import DefaultAzureCredential
    from azure.keyvault.keys.crypto import CryptographyClient, EncryptionAlgorithm

    algorithm = EncryptionAlgorithm.rsa_oaep_256
    client = CryptographyClient(key_id, DefaultAzureCredential())
    sealed = [client.encrypt(algorithm, rows[number % len(rows)]).ciphertext for number in range(calls)]
    control(url, "DELETE", "journal")
    started = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        times = list(pool.map(lambda it: timed(client, algorithm, it), sealed))
    seconds = time.perf_counter() - started
    print(f"(one SDK call: {statistics.median(times) * 1000:.1f} ms, {THREADS} at once)", file=sys.stderr)
    return seconds, asked(url)


def timed(client: Any, algorithm: Any, ciphertext: bytes) -> float:
    started = time.perf_counter()
    client.decrypt(algorithm, ciphertext)
    return time.perf_counter() - started


def asked(url: str) -> int:
    """What the vault has answered, without the challenges."""
    return sum(entry["status"] != 401 for entry in control(url, "GET", "journal")["journal"])


if __name__ == "__main__":
    command(measure, __doc__)
