"""What envelope encryption costs, beside what else one could use. All rows of a table run in turn, in one process.

Figures are CPU time, medians of many short rounds; files by the clock as well. Each ratio is the median of the ratios
of rounds that ran one after the other, so that a machine that gets slower gets slower for both.

    pip install '.[cli]' tink aws-encryption-sdk       # what is missing is left out
    python benchmarks/envelope.py                      # two minutes, 3 GiB in --directory
    python benchmarks/envelope.py --quick              # a look
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import io
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap

from safekv.envelope import Encryptor, KeyRing, Wrapped

MIB = 1 << 20
Work = Callable[[], object]


class LocalKek:
    """A key-encryption key in this process: no vault is measured here."""

    def __init__(self) -> None:
        self._key = os.urandom(32)

    def wrap(self, key: bytes) -> Wrapped:
        return Wrapped("A256KW", "https://local.example/keys/kek/1", aes_key_wrap(self._key, key))

    def unwrap(self, algorithm: str, kid: str, encrypted_key: bytes) -> bytes:
        return aes_key_unwrap(self._key, encrypted_key)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few rounds: a look, not a measurement")
    parser.add_argument("--directory", default="/dev/shm" if Path("/dev/shm").is_dir() else None)
    parser.add_argument("--mebibytes", type=int, default=0, help="size of the file (1024; 128 with --quick)")
    options = parser.parse_args()
    box = Encryptor(KeyRing.create(LocalKek()))
    rounds = 3 if options.quick else 15
    # glibc gives the top of the heap back to the system after every batch, and page faults cost more than AES, until
    # it has freed one large block: what a process that handles bulk data has done long since.
    bytearray(31 * MIB).clear()
    for size in (64, 1024):
        batches(box, size, rounds)
    single(box, rounds)
    streams(box, rounds)
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        files(box, Path(directory), options.mebibytes or (128 if options.quick else 1024), 2 if options.quick else 7)


def batches(box: Encryptor, size: int, rounds: int) -> None:
    count, row, aad = 4000, os.urandom(size), b"table|column"
    rows, fernet = [row] * count, Fernet(Fernet.generate_key())
    encrypt, nonce = AESGCM(os.urandom(32)).encrypt, os.urandom(12)
    gcm = Encryptor(KeyRing.create(LocalKek(), algorithm="A256GCM"))
    tokens = box.encrypt_many(rows, aad)

    def bare() -> None:
        for it in rows:
            encrypt(nonce, it, aad)

    contestants: dict[str, tuple[Work, float]] = {
        "bare AESGCM.encrypt calls": (bare, count),
        "the same, results kept": (lambda: [encrypt(nonce, it, aad) for it in rows], count),
        "encrypt_many": (lambda: box.encrypt_many(rows, aad), count),
        "encrypt_many, A256GCM": (lambda: gcm.encrypt_many(rows, aad), count),
        "decrypt_many": (lambda: box.decrypt_many(tokens, aad), count),
    }
    table(f"{size} B records, ns each", contestants, "bare AESGCM.encrypt calls", rounds, 1e9)
    others: dict[str, tuple[Work, float]] = {
        "encrypt_many": (lambda: box.encrypt_many(rows, aad), count),
        "encrypt, one by one": (lambda: [box.encrypt(it, aad) for it in rows], count),
        "Fernet": (lambda: [fernet.encrypt(it) for it in rows[:400]], 400),
    }
    if esdk := esdk_encrypt():
        others["AWS Encryption SDK, cached keys"] = (lambda: [esdk(it) for it in rows[:20]], 20)
    table(f"{size} B records, ns each", others, "encrypt_many", rounds, 1e9)


def single(box: Encryptor, rounds: int) -> None:
    count, row, aad = 4000, os.urandom(64), b"table|column"
    contestants: dict[str, tuple[Work, float]] = {
        "encrypt": (lambda: [box.encrypt(row, aad) for _ in range(count)], count),
    }
    for name in ("AES256_GCM", "XAES_256_GCM_192_BIT_NONCE"):
        if seal := tink_aead(name):
            contestants[f"Tink {name}"] = (lambda seal=seal: [seal(row, aad) for _ in range(count)], count)
    table("one 64 B record, ns", contestants, "encrypt", rounds, 1e9)


def streams(box: Encryptor, rounds: int) -> None:
    data, sealed = os.urandom(64 * MIB), io.BytesIO()
    box.encrypt_stream(data, sealed)
    made = sealed.getvalue()
    contestants: dict[str, tuple[Work, float]] = {
        "encrypt_stream, 1 MiB segments": (lambda: box.encrypt_stream(data, Sink()), 64),
        "the same, from a file object": (lambda: box.encrypt_stream(io.BytesIO(data), Sink()), 64),
        "encrypt_stream, 64 KiB": (lambda: box.encrypt_stream(data, Sink(), segment_size=1 << 16), 64),
        "decrypt_stream": (lambda: box.decrypt_stream(made, Sink()), 64),
    }
    if tink := tink_stream():
        pieces = [data[start : start + MIB] for start in range(0, len(data), MIB)]  # it likes them best so
        contestants["Tink AES256_GCM_HKDF_1MB"] = (lambda: tink(pieces, Sink()), 64)
    if esdk := esdk_encrypt():
        contestants["AWS Encryption SDK, 4 KiB frames"] = (lambda: esdk(data[: 2 * MIB]), 2)
    table("memory to sink, ms per MiB", contestants, "encrypt_stream, 1 MiB segments", min(rounds, 9), 1e3)


class Sink(io.RawIOBase):
    """Takes everything and keeps nothing."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return len(data)


def files(box: Encryptor, directory: Path, mebibytes: int, rounds: int) -> None:
    plain, target, sealed = directory / "plain", directory / "target", directory / "sealed"
    with plain.open("wb") as file:
        for _ in range(mebibytes):
            file.write(os.urandom(MIB))
    box.encrypt_file(plain, sealed)
    dd = [shutil.which("dd") or "dd", f"if={plain}", f"of={target}", "bs=1M", "status=none"]
    contestants: dict[str, tuple[Work, float]] = {
        "dd bs=1M": (lambda: subprocess.run(dd, check=True), mebibytes),
        "encrypt_file, 1 thread": (lambda: box.encrypt_file(plain, target, threads=1), mebibytes),
        "encrypt_file, 2 threads": (lambda: box.encrypt_file(plain, target, threads=2), mebibytes),
        "decrypt_file, 1 thread": (lambda: box.decrypt_file(sealed, target, threads=1), mebibytes),
        "decrypt_file, 2 threads": (lambda: box.decrypt_file(sealed, target, threads=2), mebibytes),
    }
    if tink := tink_stream():

        def with_tink() -> None:
            with plain.open("rb") as source, target.open("wb") as sink:
                tink(source, sink)

        contestants["Tink AES256_GCM_HKDF_1MB"] = (with_tink, mebibytes)
    title = f"file to file, {mebibytes} MiB, ms per MiB"
    table(title, contestants, "dd bs=1M", rounds, 1e3, lambda: target.unlink(missing_ok=True), wall=True)


def table(
    title: str,
    contestants: dict[str, tuple[Work, float]],
    against: str,
    rounds: int,
    unit: float,
    before: Callable[[], object] = gc.collect,
    wall: bool = False,
) -> None:
    """Print medians, and how many times the time of ``against`` each takes; with ``wall``, by the clock and in CPU."""
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, (work, per) in contestants.items():
            before()
            started, used = time.perf_counter(), cpu()
            kept = work()
            took = (time.perf_counter() - started) / per * unit, (cpu() - used) / per * unit
            del kept  # freeing it is the caller's affair, and not measured
            if number:  # the first round warms up
                figures[name].append(took)
    for kind in (0, 1) if wall else (1,):
        label = f"{title}, {('wall', 'CPU')[kind]}"
        print(f"\n{label:44}{'median':>10}{'best':>10}{'ratio':>9}   (to {against})")
        for name, pairs in figures.items():
            values, base = [pair[kind] for pair in pairs], [pair[kind] for pair in figures[against]]
            ratio = statistics.median(mine / its for mine, its in zip(values, base, strict=True))
            print(f"  {name:42}{statistics.median(values):10.3f}{min(values):10.3f}{ratio:9.2f}")


def cpu() -> float:
    """Seconds of this process and of the children it has waited for."""
    children = os.times()
    return time.process_time() + children.children_user + children.children_system


def tink_aead(template: str) -> Callable[[bytes, bytes], bytes] | None:
    if not importlib.util.find_spec("tink"):
        return None
    import tink
    from tink import aead

    aead.register()
    primitive = tink.new_keyset_handle(getattr(aead.aead_key_templates, template)).primitive(aead.Aead)
    return primitive.encrypt


def tink_stream() -> Callable[[Any, Any], None] | None:
    if not importlib.util.find_spec("tink"):
        return None
    import tink
    from tink import streaming_aead

    streaming_aead.register()
    template = streaming_aead.streaming_aead_key_templates.AES256_GCM_HKDF_1MB
    primitive = tink.new_keyset_handle(template).primitive(streaming_aead.StreamingAead)

    def encrypt(source: Any, sink: Any) -> None:
        with primitive.new_encrypting_stream(sink, b"") as stream:
            pieces = source if isinstance(source, list) else iter(lambda: source.read(MIB), b"")
            for piece in pieces:
                stream.write(piece)

    return encrypt


def esdk_encrypt() -> Callable[[bytes], object] | None:
    """Commitment without signatures, and one data key for ten minutes: the fastest it has."""
    if not importlib.util.find_spec("aws_encryption_sdk"):
        return None
    import aws_encryption_sdk as esdk
    from aws_encryption_sdk.identifiers import Algorithm, EncryptionKeyType, WrappingAlgorithm
    from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey
    from aws_encryption_sdk.key_providers.raw import RawMasterKey

    algorithm = WrappingAlgorithm.AES_256_GCM_IV12_TAG16_NO_PADDING
    wrapping = WrappingKey(algorithm, os.urandom(32), EncryptionKeyType.SYMMETRIC)
    key = RawMasterKey(provider_id="local", key_id="kek", wrapping_key=wrapping)
    manager = esdk.CachingCryptoMaterialsManager(
        master_key_provider=key, cache=esdk.LocalCryptoMaterialsCache(10), max_age=600.0
    )
    client = esdk.EncryptionSDKClient()
    suite = Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY
    return lambda data: client.encrypt(
        source=data, materials_manager=manager, algorithm=suite, encryption_context={"table": "column"}
    )


if __name__ == "__main__":
    main()
