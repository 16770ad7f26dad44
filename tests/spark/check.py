"""Spark against the emulator: run by ``nox -s spark``, which installs it. Not one of the ordinary tests."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession, functions

import safekv.integrations.spark
from safekv.emulator import EmulatorServer, EmulatorTransport
from safekv.envelope import Encryptor, KeyRing, RingSettings
from safekv.integrations._batches import Batches
from safekv.integrations.spark import decrypt_columns, encrypt_columns
from safekv.keys import KeyClient
from safekv.testing import LocalCredential

PAGE = Path(__file__).parents[2] / "docs" / "encryption.md"
AAD = {"iban": b"customers|iban"}


def main(master: str) -> None:
    with EmulatorServer(vaults=("one",)) as server:
        credential, transport = LocalCredential(server.emulator), EmulatorTransport(server.emulator)
        with KeyClient(server.vault_urls["one"], credential, transport=transport) as client:
            client.create_rsa_key("app-kek", size=2048)
        os.environ.update(server.environment(), PYSPARK_PYTHON=sys.executable)
        with tempfile.TemporaryDirectory() as directory:
            spark = (
                SparkSession.builder.master(master)
                .config("spark.ui.enabled", "false")
                .config("spark.local.dir", directory)
                .getOrCreate()
            )
            try:
                check(spark, server, Path(directory, "workers"))
            finally:
                spark.stop()


def check(spark: Any, server: EmulatorServer, workers: Path) -> None:
    workers.mkdir()
    seen = str(workers)

    class Noting(Batches):
        """Leaves the number of the process that it works in."""

        def column(self, *given: Any, **ids: Any) -> Any:
            Path(seen, str(os.getpid())).touch()
            return super().column(*given, **ids)

    safekv.integrations.spark.Batches = Noting
    kek = server.vault_urls["one"] + "/keys/app-kek"
    ring = KeyRing.create(kek, algorithm="A256GCM", settings=RingSettings(spread=0.1))
    box = Encryptor(ring)
    frame = spark.range(0, 100_000, numPartitions=8).selectExpr("id", "concat('DE', id) as iban")
    since = len(list(server.emulator.journal))
    safe = encrypt_columns(frame, box, AAD, row_id="id").cache()
    assert safe.count() == 100_000
    back = decrypt_columns(safe, box, AAD, row_id="id", types={"iban": "string"})
    assert back.exceptAll(frame).count() == 0
    answered = [entry for entry in list(server.emulator.journal)[since:] if entry.status == 200]
    unwraps = [entry for entry in answered if entry.operation == "unwrap_key"]
    processes = list(workers.iterdir())
    print(f"{len(unwraps)} unwraps in {len(processes)} worker processes, for 8 partitions twice")
    assert len(unwraps) == len(processes)
    key = ring.opened().record_key.secret
    native = spark.createDataFrame([(bytearray(key),)], ["k"]).crossJoin(safe.limit(1000))
    read = "aes_decrypt(substring(iban, 6), k, 'GCM', 'DEFAULT', concat('customers|iban|', id))"
    rows = native.selectExpr("id", f"cast({read} as string) as iban").collect()
    assert len(rows) == 1000
    assert all(row["iban"] == f"DE{row['id']}" for row in rows)
    print("Spark SQL's aes_decrypt reads the records")
    safekv.integrations.spark.Batches = Batches
    if hasattr(functions, "arrow_udf"):
        check_shapes(spark, box, "a.b`c")
        arrow_udf = functions.arrow_udf
        del functions.arrow_udf
        check_shapes(spark, box, "name")  # as releases of Spark before 4.1 do it, which are no friends of dots
        functions.arrow_udf = arrow_udf
    else:
        check_shapes(spark, box, "name")
    print("Names, nulls, metadata and other columns stay as they were")
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.M)
    for block in (it for it in blocks if "pyspark" in it):
        exec(block.replace("https://my-vault.vault.azure.net", server.vault_urls["one"]), {"__name__": "example"})
        print("The example in the documentation runs")


def check_shapes(spark: Any, box: Encryptor, name: str) -> None:
    """A name that needs quotes, metadata, nulls, columns that are not touched, and two that are."""
    kinds = "id long, `{}` string, note string, other array<int>".format(name.replace("`", "``"))
    frame = spark.createDataFrame([(1, "x", "n", [1]), (2, None, "", None), (3, "", None, [])], kinds)
    frame = frame.withMetadata("note", {"comment": "kept"})
    aad = {name: b"t|name", "note": b"t|note"}
    for row_id in ("id", None):
        safe = encrypt_columns(frame, box, aad, row_id=row_id)
        assert [it.dataType.simpleString() for it in safe.schema] == ["bigint", "binary", "binary", "array<int>"]
        assert safe.schema["note"].metadata == {"comment": "kept"}
        rows = safe.cache().orderBy("id").collect()
        assert [row["note"] is None for row in rows] == [False, False, True]
        back = decrypt_columns(safe, box, aad, row_id=row_id, types=dict.fromkeys(aad, "string"))
        assert back.schema["note"].metadata == {"comment": "kept"}
        assert back.orderBy("id").collect() == frame.collect()
    twice = encrypt_columns(frame, box, aad, row_id="id").selectExpr("note", "note as again").collect()
    assert all(row["note"] == row["again"] for row in twice)
    moved = encrypt_columns(frame, box, aad, row_id="id").selectExpr("id + 1 as id", "note")
    said = ""
    try:
        decrypt_columns(moved, box, {"note": aad["note"]}, row_id="id").collect()
    except Exception as error:  # Spark has its own kinds for what a worker raises
        said = str(error)
    assert "DecryptionFailed" in said


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "local[2]")
