"""What envelope encryption costs, beside what else one could use. All rows of a table run in turn, in one process.

Figures are CPU time, medians of many short rounds; files by the clock as well. Each ratio is the median of the ratios
of rounds that ran one after the other, so that a machine that gets slower gets slower for both.

    pip install '.[arrow]' tink aws-encryption-sdk     # what is missing is left out
    python -m benchmarks.envelope                      # two minutes, 3 GiB in /dev/shm (or SAFEKV_BENCHMARK_DIRECTORY)
    python -m benchmarks.envelope --quick              # a look
"""

from __future__ import annotations

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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap

from benchmarks.figures import Figures, command
from safekv.envelope import Encryptor, KeyRing, Wrapped

MIB = 1 << 20
Work = Callable[[], object]
ESDK = "AWS Encryption SDK"


class LocalKek:
    """A key-encryption key in this process: no vault is measured here."""

    def __init__(self) -> None:
        self._key = os.urandom(32)

    def wrap(self, key: bytes) -> Wrapped:
        return Wrapped("A256KW", "https://local.example/keys/kek/1", aes_key_wrap(self._key, key))

    def unwrap(self, algorithm: str, kid: str, encrypted_key: bytes) -> bytes:
        return aes_key_unwrap(self._key, encrypted_key)


def measure(quick: bool) -> Figures:
    """Everything about records, streams and files."""
    figures, rounds = Figures(), 3 if quick else 15
    box = Encryptor(KeyRing.create(LocalKek()))
    streams(figures, box, 3 if quick else 9)  # in a heap as processes have it
    # glibc gives the top of the heap back to the system after every batch, and page faults cost more than AES, until
    # it has freed one large block: what a process that handles bulk data has done long since.
    large = bytearray(31 * MIB)
    del large  # clear() would shrink it first
    for size in (64, 1024):
        batches(figures, box, size, rounds)
    single(figures, box, rounds)
    columns(figures, box, rounds)
    place = os.environ.get("SAFEKV_BENCHMARK_DIRECTORY") or ("/dev/shm" if Path("/dev/shm").is_dir() else None)
    with tempfile.TemporaryDirectory(dir=place) as directory:
        files(figures, box, Path(directory), 128 if quick else 1024, 2 if quick else 7)
    return figures


def batches(figures: Figures, box: Encryptor, size: int, rounds: int) -> None:
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
    bare_calls = "bare AESGCM.encrypt calls"
    found = compare(contestants, bare_calls, rounds, 1e9)
    put(figures, f"records-{size}", f"{size} B records, ns of CPU each", found, bare_calls)
    what = f"encrypt_many of {size} B records: time against bare AESGCM.encrypt calls"
    figures.claim(f"many-{size}", what, found["encrypt_many"].ratio, goal=1.7, unit="×", peer="cryptography")
    others: dict[str, tuple[Work, float]] = {
        "encrypt_many": (lambda: box.encrypt_many(rows, aad), count),
        "encrypt, one by one": (lambda: [box.encrypt(it, aad) for it in rows], count),
        "Fernet": (lambda: [fernet.encrypt(it) for it in rows[:400]], 400),
    }
    if esdk := esdk_encrypt():
        others[ESDK] = (lambda: [esdk(it) for it in rows[:20]], 20)
    found = compare(others, "encrypt_many", rounds, 1e9)
    put(figures, f"peers-{size}", f"{size} B records beside other libraries, ns of CPU each", found, "encrypt_many")
    for peer, name, least in (("Fernet", "fernet", 10), (ESDK, "esdk", 100)):
        what = f"encrypt_many of {size} B records: times as fast as {peer}"
        value = found[peer].ratio if peer in found else None
        figures.claim(f"many-{size}-{name}", what, value, goal=least, least=True, unit="×", peer=peer)


def single(figures: Figures, box: Encryptor, rounds: int) -> None:
    count, row, aad = 4000, os.urandom(64), b"table|column"
    contestants: dict[str, tuple[Work, float]] = {
        "encrypt": (lambda: [box.encrypt(row, aad) for _ in range(count)], count),
    }
    for name in ("AES256_GCM", "XAES_256_GCM_192_BIT_NONCE"):
        if seal := tink_aead(name):
            contestants[f"Tink {name}"] = (lambda seal=seal: [seal(row, aad) for _ in range(count)], count)
    found = compare(contestants, "encrypt", rounds * 2, 1e9)
    put(figures, "single", "one 64 B record, ns of CPU", found, "encrypt")
    for name, what, most in (("AES256_GCM", "AES-GCM", 1.0), ("XAES_256_GCM_192_BIT_NONCE", "XAES-GCM", None)):
        value = 1 / found[f"Tink {name}"].ratio if f"Tink {name}" in found else None
        text = f"encrypt of one 64 B record: time against Tink's {what}"
        figures.claim(f"one-{what.lower()}", text, value, goal=most, unit="×", peer=f"Tink {name}")


def columns(figures: Figures, box: Encryptor, rounds: int) -> None:
    """An Arrow column of 64-byte values, each bound to its row."""
    if not importlib.util.find_spec("pyarrow"):
        figures.claim("arrow", ARROW, None, goal=0.5, least=True, unit="M rows/s")
        return
    import pyarrow as pa

    from safekv.integrations.arrow import decrypt_column, encrypt_column

    count, aad = 50_000, b"customers|iban"
    data = pa.table({"iban": pa.array([os.urandom(64) for _ in range(count)], pa.binary())})
    sealed = encrypt_column(data, "iban", box, aad=aad)
    contestants: dict[str, tuple[Work, float]] = {
        "encrypt_column": (lambda: encrypt_column(data, "iban", box, aad=aad), count),
        "decrypt_column": (lambda: decrypt_column(sealed, "iban", box, aad=aad), count),
    }
    found = compare(contestants, "encrypt_column", rounds, 1e9)
    put(figures, "arrow", "a column of 64 B values, ns of CPU each", found, "encrypt_column")
    value = 1e3 / found["encrypt_column"].median
    figures.claim("arrow", ARROW, value, goal=0.5, least=True, unit="M rows/s")


ARROW = "an Arrow column of 64 B values: rows encrypted by a core in a second"


def streams(figures: Figures, box: Encryptor, rounds: int) -> None:
    data, sealed = os.urandom(64 * MIB), io.BytesIO()
    box.encrypt_stream(data, sealed)
    made = sealed.getvalue()
    ours, tink_name = "encrypt_stream, 1 MiB segments", "Tink AES256_GCM_HKDF_1MB"
    contestants: dict[str, tuple[Work, float]] = {
        ours: (lambda: box.encrypt_stream(data, Sink()), 64),
        "the same, from a file object": (lambda: box.encrypt_stream(io.BytesIO(data), Sink()), 64),
        "encrypt_stream, 64 KiB": (lambda: box.encrypt_stream(data, Sink(), segment_size=1 << 16), 64),
        "decrypt_stream": (lambda: box.decrypt_stream(made, Sink()), 64),
    }
    if tink := tink_stream():
        pieces = [data[start : start + MIB] for start in range(0, len(data), MIB)]  # it likes them best so
        contestants[tink_name] = (lambda: tink(pieces, Sink()), 64)
    if esdk := esdk_encrypt():
        contestants[ESDK] = (lambda: esdk(data[: 2 * MIB]), 2)
    found = compare(contestants, ours, rounds, 1e3)
    put(figures, "streams", "memory to sink, ms of CPU for a MiB", found, ours)
    for peer, name, least in ((tink_name, "tink", 3), (ESDK, "esdk", 20)):
        value = found[peer].ratio if peer in found else None
        what = f"memory to sink, 1 MiB segments: times as fast as {peer}"
        figures.claim(f"stream-{name}", what, value, goal=least, least=True, unit="×", peer=peer)


class Sink(io.RawIOBase):
    """Takes everything and keeps nothing."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return len(data)


def files(figures: Figures, box: Encryptor, directory: Path, mebibytes: int, rounds: int) -> None:
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
    tink_name = "Tink AES256_GCM_HKDF_1MB"
    if tink := tink_stream():

        def with_tink() -> None:
            with plain.open("rb") as source, target.open("wb") as sink:
                tink(source, sink)

        contestants[tink_name] = (with_tink, mebibytes)
    before = lambda: target.unlink(missing_ok=True)  # noqa: E731
    wall, used = both(contestants, "dd bs=1M", rounds, 1e3, before)
    put(figures, "files", f"file to file, {mebibytes} MiB, ms for a MiB by the clock", wall, "dd bs=1M")
    put(figures, "files-cpu", f"file to file, {mebibytes} MiB, ms of CPU for a MiB", used, "dd bs=1M")
    for threads, least in ((1, 0.75), (2, 1.2)):
        name = f"encrypt_file, {threads} thread{'s' * (threads > 1)}"
        what = f"{name}: times as fast as dd copies"
        figures.claim(f"file-{threads}", what, 1 / wall[name].ratio, goal=least, least=True, unit="×", peer="dd bs=1M")
    value = wall[tink_name].median / wall["encrypt_file, 2 threads"].median if tink_name in wall else None
    figures.claim(
        "file-tink", "encrypt_file: times as fast as Tink", value, goal=1.7, least=True, unit="×", peer=tink_name
    )


@dataclass(frozen=True)
class Taken:
    """``ratio``: to the one that all are compared with, the median of the ratios of rounds."""

    median: float
    best: float
    ratio: float


def put(figures: Figures, name: str, title: str, found: dict[str, Taken], against: str) -> None:
    rows = [(contestant, it.median, it.best, it.ratio) for contestant, it in found.items()]
    figures.table(name, title, ("median", "best", "ratio"), rows, bars="median", note=f"Ratios are to {against}.")


def compare(
    contestants: dict[str, tuple[Work, float]],
    against: str,
    rounds: int,
    unit: float,
    before: Callable[[], object] = gc.collect,
) -> dict[str, Taken]:
    """CPU time of each, for one of the things that it does."""
    return both(contestants, against, rounds, unit, before)[1]


def both(
    contestants: dict[str, tuple[Work, float]],
    against: str,
    rounds: int,
    unit: float,
    before: Callable[[], object],
) -> tuple[dict[str, Taken], dict[str, Taken]]:
    """By the clock, and in CPU time."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, (work, per) in contestants.items():
            before()
            started, used = time.perf_counter(), cpu()
            kept = work()
            took = (time.perf_counter() - started) / per * unit, (cpu() - used) / per * unit
            del kept  # freeing it is the caller's affair, and not measured
            if number:  # the first round warms up
                taken[name].append(took)
    wall, used_cpu = ({name: _of(taken, name, against, kind) for name in taken} for kind in (0, 1))
    return wall, used_cpu


def _of(taken: dict[str, list[tuple[float, float]]], name: str, against: str, kind: int) -> Taken:
    values, base = ([pair[kind] for pair in taken[it]] for it in (name, against))
    ratio = statistics.median(mine / its for mine, its in zip(values, base, strict=True))
    return Taken(statistics.median(values), min(values), ratio)


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
    command(measure, __doc__)
