"""Spark against the emulator: run by ``nox -s spark``, which installs it. Not one of the ordinary tests."""

from __future__ import annotations

import os
import sys
import tempfile
from typing import Any

from pyspark.sql import SparkSession

from safekv.emulator import EmulatorServer, EmulatorTransport
from safekv.envelope import Encryptor, KeyRing, RingSettings
from safekv.integrations.spark import decrypt_columns, encrypt_columns
from safekv.keys import KeyClient
from safekv.testing import LocalCredential

AAD = {"iban": b"customers|iban"}


def main(master: str) -> None:
    with EmulatorServer(vaults=("one",)) as server:
        credential, transport = LocalCredential(server.emulator), EmulatorTransport(server.emulator)
        with KeyClient(server.vault_urls["one"], credential, transport=transport) as client:
            client.create_rsa_key("app-kek", size=2048)
        os.environ.update(server.environment())
        with tempfile.TemporaryDirectory() as directory:
            spark = (
                SparkSession.builder.master(master)
                .config("spark.ui.enabled", "false")
                .config("spark.local.dir", directory)
                .getOrCreate()
            )
            try:
                check(spark, server)
            finally:
                spark.stop()


def check(spark: Any, server: EmulatorServer) -> None:
    kek = server.vault_urls["one"] + "/keys/app-kek"
    ring = KeyRing.create(kek, algorithm="A256GCM", settings=RingSettings(spread=0.1))
    box = Encryptor(ring)
    frame = spark.range(0, 100_000, numPartitions=8).selectExpr("id", "concat('DE', id) as iban")
    since = len(list(server.emulator.journal))
    safe = encrypt_columns(frame, box, AAD, row_id="id").cache()
    assert safe.count() == 100_000
    back = decrypt_columns(safe, box, AAD, row_id="id", types={"iban": "string"})
    assert back.exceptAll(frame).count() == 0
    unwraps = [entry for entry in list(server.emulator.journal)[since:] if entry.operation == "unwrap_key"]
    print(f"{len(unwraps)} unwraps in all worker processes, for 8 partitions twice")
    key = ring.opened().record_key.secret
    native = spark.createDataFrame([(bytearray(key),)], ["k"]).crossJoin(safe.limit(1000))
    read = "aes_decrypt(substring(iban, 6), k, 'GCM', 'DEFAULT', concat('customers|iban|', id))"
    rows = native.selectExpr("id", f"cast({read} as string) as iban").collect()
    assert len(rows) == 1000
    assert all(row["iban"] == f"DE{row['id']}" for row in rows)
    print("Spark SQL's aes_decrypt reads the records")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "local[2]")
