"""Ten million nonces from eight processes that were forked from one encryptor, and none of them twice.

python -m benchmarks.nonces                   # about a minute, 300 MB of files
python -m benchmarks.nonces --quick           # a million
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap

from benchmarks.figures import Figures, command, show
from safekv.envelope import Encryptor, KeyRing, RingSettings, Wrapped

PROCESSES = 8
BATCH = 10_000
KEK = os.urandom(32)


class LocalKek:
    """A key-encryption key in this process."""

    def wrap(self, key: bytes) -> Wrapped:
        return Wrapped("A256KW", "https://local.example/keys/kek/1", aes_key_wrap(KEK, key))

    def unwrap(self, algorithm: str, kid: str, encrypted_key: bytes) -> bytes:
        return aes_key_unwrap(KEK, encrypted_key)


def measure(quick: bool) -> Figures:
    millions = 1 if quick else 10
    each, figures, rows = millions * 1_000_000 // PROCESSES, Figures(), []
    for algorithm, start, end in (("XAES-256-GCM", 5, 29), ("A256GCM", 5, 17)):
        settings = RingSettings(workers=PROCESSES)
        box = Encryptor(KeyRing.create(LocalKek(), algorithm=algorithm, settings=settings))
        box.encrypt(b"")  # whatever could be drawn ahead is drawn before the fork
        with tempfile.TemporaryDirectory() as directory:
            files = [Path(directory, str(number)) for number in range(PROCESSES)]
            children = [fork(box, each, path, start, end) for path in files]
            codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
            if any(codes):
                raise SystemExit(f"a child failed: {codes}")
            total, distinct = count(files, end - start)
        rows.append((algorithm, end - start, total, distinct))
        what = f"nonces that came twice, of {millions} M in {PROCESSES} forked processes ({algorithm})"
        figures.claim(algorithm.lower(), what, total - distinct, goal=0)
    figures.table("nonces", "Nonces", ("bytes", "drawn", "distinct"), rows)
    return figures


def measure_or_fail(quick: bool) -> Figures:
    """For ``nox -s nonces``."""
    figures = measure(quick)
    if not all(claim.met for claim in figures.claims):
        show(figures)
        raise SystemExit("A nonce came twice.")
    return figures


def fork(box: Encryptor, each: int, path: Path, start: int, end: int) -> int:
    """A tenth of the records one by one, the others in batches."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        with path.open("wb") as file:
            for _ in range(each // 10):
                file.write(box.encrypt(b"")[start:end])
            for first in range(each // 10, each, BATCH):
                tokens = box.encrypt_many([b""] * min(BATCH, each - first), b"")
                file.write(b"".join(token[start:end] for token in tokens))
        code = 0
    finally:
        os._exit(code)


def count(files: list[Path], size: int) -> tuple[int, int]:
    """How many, and how many different ones; by last byte, so that they need not fit into memory at once."""
    total = distinct = 0
    data = [path.read_bytes() for path in files]
    for part in range(16):
        seen: set[bytes] = set()
        for nonces in data:
            for place in range(0, len(nonces), size):
                if nonces[place + size - 1] % 16 == part:
                    total += 1
                    seen.add(nonces[place : place + size])
        distinct += len(seen)
    return total, distinct


if __name__ == "__main__":
    command(measure_or_fail, __doc__)
