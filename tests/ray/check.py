"""Ray against the emulator: run by ``nox -s ray``, which installs it. Not one of the ordinary tests."""

from __future__ import annotations

import os
from typing import Any

import pyarrow as pa
import ray
import ray.data

from safekv.emulator import EmulatorServer, EmulatorTransport
from safekv.envelope import Encryptor, KeyRing, RingSettings
from safekv.integrations.arrow import encrypt_column, row_aad
from safekv.keys import KeyClient
from safekv.testing import LocalCredential

AAD = b"customers|iban"


def main() -> None:
    with EmulatorServer(vaults=("one",)) as server:
        credential, transport = LocalCredential(server.emulator), EmulatorTransport(server.emulator)
        with KeyClient(server.vault_urls["one"], credential, transport=transport) as client:
            client.create_rsa_key("app-kek", size=2048)
        os.environ.update(server.environment())
        ray.init(num_cpus=2, include_dashboard=False, runtime_env={"env_vars": server.environment()})
        try:
            check(server)
        finally:
            ray.shutdown()


def check(server: EmulatorServer) -> None:
    kek = server.vault_urls["one"] + "/keys/app-kek"
    ring = KeyRing(KeyRing.create(kek).to_json(), kek, settings=RingSettings(spread=0.05))
    box, rows = Encryptor(ring), [b"DE%d" % number for number in range(1000)]
    since = len(list(server.emulator.journal))
    answers = ray.get([sealed.remote(box, rows) for _ in range(16)])
    workers = {pid for pid, _ in answers}
    unwraps = _unwraps(server, since)
    print(f"{unwraps} unwraps in {len(workers)} worker processes, for 16 tasks")
    assert os.getpid() not in workers
    assert unwraps == len(workers)
    assert all(box.decrypt_many(tokens, AAD) == rows for _, tokens in answers)

    since = len(list(server.emulator.journal))
    table = pa.table({"id": list(range(10_000)), "iban": [f"DE{number}" for number in range(10_000)]})
    made = ray.data.from_arrow([table] * 4).map_batches(Column(box), batch_format="pyarrow")
    blocks = list(made.iter_batches(batch_format="pyarrow"))
    for batch in blocks:
        texts = box.decrypt_many(batch["iban"].combine_chunks(), row_aad(AAD, batch["id"]))
        assert [text.decode() for text in texts] == [f"DE{number}" for number in batch["id"].to_pylist()]
    assert sum(batch.num_rows for batch in blocks) == 40_000
    print(f"{_unwraps(server, since)} unwraps for a data set of 4 blocks")


class Column:
    """What ``map_batches`` takes: one column encrypted, each value bound to its row."""

    def __init__(self, box: Encryptor) -> None:
        self._box = box

    def __call__(self, table: Any) -> Any:
        return encrypt_column(table, "iban", self._box, aad=row_aad(AAD, table["id"]))


@ray.remote
def sealed(box: Encryptor, rows: list[bytes]) -> tuple[int, list[bytes]]:
    return os.getpid(), box.encrypt_many(rows, AAD)


def _unwraps(server: EmulatorServer, since: int) -> int:
    entries = list(server.emulator.journal)[since:]
    return sum(entry.operation == "unwrap_key" and entry.status == 200 for entry in entries)


if __name__ == "__main__":
    main()
