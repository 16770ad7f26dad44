"""CryptographyClient beside the SDK's: what an operation costs here, cold starts, rotation, and a throttled vault.

Local operations are CPU time of this process, the two clients in turn, so that a machine that gets slower gets slower
for both; the rest is counted at the emulator, over TLS in a process of its own.

    python -m benchmarks.crypto_client            # two minutes
    python -m benchmarks.crypto_client --quick    # a look
"""

from __future__ import annotations

import hashlib
import os
import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import azure.keyvault.keys.crypto as sdk_crypto
from azure.keyvault.keys.crypto import EncryptionAlgorithm, KeyWrapAlgorithm, SignatureAlgorithm

import safekv.keys
import safekv.keys.crypto as our_crypto
from benchmarks.emulator import control, emulator_process
from benchmarks.figures import Figures, command
from safekv.identity import DefaultAzureCredential
from safekv.testing import LocalKeyVault

KEY, DIGEST = os.urandom(32), hashlib.sha256(b"data").digest()
THREADS = 64


def measure(quick: bool) -> Figures:
    figures = Figures()
    local_operations(figures, rounds=6 if quick else 40, calls=100 if quick else 300)
    rows: list[tuple[Any, ...]] = []
    with emulator_process("other=none", "key=none", "key_create=none") as url:
        rows.append(cold_threads(url))
        rows.append(rotation(url, blobs=100 if quick else 1_000))
    with emulator_process("other=none", "key=200", "key_create=none") as url:
        rows += throttled(url, seconds=5.0 if quick else 30.0)
    figures.table("counted", "Counted at the emulator", ("SDK", "safekv"), rows)
    cold, turned, _, failed, refused = rows
    figures.claim("cold", cold[0], cold[2], goal=1, peer="azure-keyvault-keys")
    figures.claim("rotation", turned[0], turned[2], goal=0, peer="azure-keyvault-keys")
    figures.claim("throttled", failed[0], failed[2], goal=0, peer="azure-keyvault-keys")
    figures.claim("refused", refused[0], refused[2], peer="azure-keyvault-keys")
    return figures


# -- local operations


def local_operations(figures: Figures, rounds: int, calls: int) -> None:
    local = LocalKeyVault()
    key = local.vault().keys.create_rsa_key("rsa", size=2048)
    options: dict[str, Any] = {"transport": local.transport()}
    theirs = sdk_crypto.CryptographyClient(key, local.credential(), **options)
    ours = our_crypto.CryptographyClient(key, local.credential(), **options)
    signature = ours.sign(SignatureAlgorithm.rs256, DIGEST).signature
    works: dict[str, Callable[[Any], Any]] = {
        "wrap_key RSA-OAEP-256": lambda client: client.wrap_key(KeyWrapAlgorithm.rsa_oaep_256, KEY),
        "encrypt RSA-OAEP-256": lambda client: client.encrypt(EncryptionAlgorithm.rsa_oaep_256, KEY),
        "verify RS256": lambda client: client.verify(SignatureAlgorithm.rs256, DIGEST, signature),
    }
    rows = []
    for name, work in works.items():
        pairs = [(cpu(work, theirs, calls), cpu(work, ours, calls)) for _ in range(rounds + 1)][1:]
        ratios = sorted(mine / other for other, mine in pairs)
        sdk, mine = (statistics.median(column) for column in zip(*pairs, strict=True))
        middle = statistics.median(ratios)
        rows.append((name, sdk, mine, middle, ratios[0], ratios[-1]))
        what = f"{name}, in this process, RSA-2048: CPU against the SDK"
        figures.claim(name.split()[0].replace("_", "-"), what, middle, goal=1.05, unit="×", peer="azure-keyvault-keys")
    title = f"Local operations with an RSA-2048 key, µs of CPU; ratios of {rounds} pairs"
    figures.table("local", title, ("SDK", "safekv", "ratio", "least", "most"), rows, bars="ratio")
    assert not [entry for entry in local.journal if entry.operation == "wrap_key"]


def cpu(work: Callable[[Any], Any], client: Any, calls: int) -> float:
    began = time.process_time()
    for _ in range(calls):
        work(client)
    return (time.process_time() - began) / calls * 1e6


# -- counted at the vault


def cold_threads(url: str) -> tuple[Any, ...]:
    found = []
    credential = DefaultAzureCredential()
    keys = safekv.keys.KeyClient(url, credential)
    for crypto in (sdk_crypto, our_crypto):
        key = keys.create_rsa_key("cold", size=2048)
        control(url, "DELETE", "journal")
        barrier = threading.Barrier(THREADS)

        def work(_: int, crypto: Any = crypto, key: Any = key) -> Any:
            client = crypto.CryptographyClient(key.id, credential)
            barrier.wait()  # noqa: B023
            return client.wrap_key(KeyWrapAlgorithm.rsa_oaep_256, KEY)

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(work, range(THREADS)))
        found.append(count(url, "get_key"))
    return f"{THREADS} threads, each with a client of one cold key id: requests for the key", *found


def rotation(url: str, blobs: int) -> tuple[Any, ...]:
    """Keys that were wrapped before and after ten rotations, unwrapped by clients that know no version."""
    credential = DefaultAzureCredential()
    keys = safekv.keys.KeyClient(url, credential)
    keys.create_rsa_key("turning", size=2048)
    wrapped = []
    for number in range(blobs):
        if number % (blobs // 10) == blobs // 20:
            keys.rotate_key("turning")
        client = our_crypto.CryptographyClient(f"{url}/keys/turning", credential, key_ttl=0.001)
        wrapped.append(client.wrap_key(KeyWrapAlgorithm.rsa_oaep_256, KEY))
    versions = len({each.key_id for each in wrapped})
    theirs = sdk_crypto.CryptographyClient(f"{url}/keys/turning", credential)
    ours = our_crypto.CryptographyClient(f"{url}/keys/turning", credential)
    sdk = sum(fails(theirs.unwrap_key, each.algorithm, each.encrypted_key) for each in wrapped)
    safe = sum(fails(ours.unwrap_key, each.algorithm, each) for each in wrapped)
    what = f"{blobs:,} keys wrapped with {versions} versions, unwrapped without naming one (given the result): failures"
    return what, sdk, safe


def throttled(url: str, seconds: float) -> list[tuple[Any, ...]]:
    """8 threads unwrap as fast as they can at a vault that admits 20 a second."""
    credential = DefaultAzureCredential()
    found = []
    safekv.keys.KeyClient(url, credential).create_rsa_key("busy", size=2048)
    for crypto in (sdk_crypto, our_crypto):
        time.sleep(11)  # the window of the limit, and a little
        key = safekv.keys.KeyClient(url, credential).get_key("busy")
        blob = our_crypto.CryptographyClient(key, credential).wrap_key(KeyWrapAlgorithm.rsa_oaep_256, KEY).encrypted_key
        client = crypto.CryptographyClient(key, credential)
        control(url, "DELETE", "journal")
        end = time.monotonic() + seconds
        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(lambda _: until(end, client, blob), range(8)))  # noqa: B023
        done, failed = (sum(column) for column in zip(*results, strict=True))
        found.append((done, failed, count(url, status=429)))
    sdk, ours = found
    what = f"8 threads unwrapping for {seconds:.0f} s at a vault that admits 20 a second"
    kinds = (f"{what}: done", f"{what}: failed", f"{what}: 429s of the vault")
    return list(zip(kinds, sdk, ours, strict=True))


def until(end: float, client: Any, blob: bytes) -> tuple[int, int]:
    done = failed = 0
    while time.monotonic() < end:
        if fails(client.unwrap_key, KeyWrapAlgorithm.rsa_oaep_256, blob):
            failed += 1
        else:
            done += 1
    return done, failed


def fails(call: Callable[..., Any], *arguments: Any) -> bool:
    try:
        call(*arguments)
    except Exception:
        return True
    return False


def count(url: str, operation: str | None = None, status: int | None = None) -> int:
    """Requests that the vault has seen, without challenges."""
    entries = control(url, "GET", "journal")["journal"]
    return sum(
        entry["status"] != 401 and operation in (None, entry["operation"]) and status in (None, entry["status"])
        for entry in entries
    )


if __name__ == "__main__":
    command(measure, __doc__)
