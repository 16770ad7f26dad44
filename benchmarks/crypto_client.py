"""CryptographyClient beside the SDK's: what an operation costs here, cold starts, rotation, and a throttled vault.

Local operations are CPU time of this process, the two clients in turn, so that a machine that gets slower gets slower
for both; the rest is counted at the emulator, over TLS in a process of its own.

    python -m benchmarks.crypto_client            # two minutes
    python -m benchmarks.crypto_client --quick    # a look
"""

from __future__ import annotations

import argparse
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
from safekv.identity import DefaultAzureCredential
from safekv.testing import LocalKeyVault

KEY, DIGEST = os.urandom(32), hashlib.sha256(b"data").digest()
THREADS = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few rounds: a look, not a measurement")
    quick = parser.parse_args().quick
    local_operations(rounds=6 if quick else 40, calls=100 if quick else 300)
    unlimited = ("other=none", "key=none", "key_create=none")
    with emulator_process(*unlimited) as url:
        cold_threads(url)
        rotation(url, blobs=100 if quick else 1_000)
    with emulator_process("other=none", "key=200", "key_create=none") as url:
        throttled(url, seconds=5.0 if quick else 30.0)


# -- local operations


def local_operations(rounds: int, calls: int) -> None:
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
    print(f"local, RSA-2048, µs of CPU{'':10}{'SDK':>8}{'safekv':>8}{'ratio':>8}   (min … max of {rounds} pairs)")
    for name, work in works.items():
        pairs = [(cpu(work, theirs, calls), cpu(work, ours, calls)) for _ in range(rounds + 1)][1:]
        ratios = sorted(mine / other for other, mine in pairs)
        sdk, mine = (statistics.median(column) for column in zip(*pairs, strict=True))
        middle = statistics.median(ratios)
        print(f"  {name:34}{sdk:8.1f}{mine:8.1f}{middle:8.2f}   ({ratios[0]:.2f} … {ratios[-1]:.2f})")
    assert not [entry for entry in local.journal if entry.operation == "wrap_key"]


def cpu(work: Callable[[Any], Any], client: Any, calls: int) -> float:
    began = time.process_time()
    for _ in range(calls):
        work(client)
    return (time.process_time() - began) / calls * 1e6


# -- counted at the vault


def cold_threads(url: str) -> None:
    print(f"\n{THREADS} threads, each its own client of one cold key id: requests for the key")
    credential = DefaultAzureCredential()
    keys = safekv.keys.KeyClient(url, credential)
    for name, crypto in (("SDK", sdk_crypto), ("SDK, one client for all", sdk_crypto), ("safekv", our_crypto)):
        key = keys.create_rsa_key("cold", size=2048)
        control(url, "DELETE", "journal")
        one = crypto.CryptographyClient(key.id, credential)
        barrier = threading.Barrier(THREADS)

        def work(_: int, crypto: Any = crypto, one: Any = one, shared: bool = "one" in name, key: Any = key) -> Any:
            client = one if shared else crypto.CryptographyClient(key.id, credential)
            barrier.wait()  # noqa: B023
            return client.wrap_key(KeyWrapAlgorithm.rsa_oaep_256, KEY)

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(work, range(THREADS)))
        print(f"  {name:34}{count(url, 'get_key'):8}")


def rotation(url: str, blobs: int) -> None:
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
    print(f"\nunwrapping {blobs} keys that were wrapped with {versions} versions: failures")
    theirs = sdk_crypto.CryptographyClient(f"{url}/keys/turning", credential)
    ours = our_crypto.CryptographyClient(f"{url}/keys/turning", credential)
    failed = sum(fails(theirs.unwrap_key, each.algorithm, each.encrypted_key) for each in wrapped)
    print(f"  {'SDK, a client without a version':34}{failed:8}")
    failed = sum(fails(ours.unwrap_key, each.algorithm, each) for each in wrapped)
    print(f"  {'safekv, given the result':34}{failed:8}")


def throttled(url: str, seconds: float) -> None:
    """8 threads unwrap as fast as they can at a vault that admits 20 a second."""
    credential = DefaultAzureCredential()
    print(f"\n8 threads unwrapping for {seconds:.0f} s at a vault that admits 20 a second: done, failed, 429s")
    safekv.keys.KeyClient(url, credential).create_rsa_key("busy", size=2048)
    for name, crypto in (("SDK", sdk_crypto), ("safekv", our_crypto)):
        key = safekv.keys.KeyClient(url, credential).get_key("busy")
        blob = our_crypto.CryptographyClient(key, credential).wrap_key(KeyWrapAlgorithm.rsa_oaep_256, KEY).encrypted_key
        client = crypto.CryptographyClient(key, credential)
        time.sleep(11)  # the window of the limit, and a little
        control(url, "DELETE", "journal")
        end = time.monotonic() + seconds
        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(lambda _: until(end, client, blob), range(8)))  # noqa: B023
        done, failed = (sum(column) for column in zip(*results, strict=True))
        print(f"  {name:34}{done:8}{failed:8}{count(url, status=429):8}   ({done / seconds:.1f} a second)")


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
    main()
