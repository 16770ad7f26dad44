"""Columns of Spark data frames: the time of ``encrypt_columns`` beside that of a pandas_udf that changes nothing.

    pip install '.[aio,arrow,spark]' pandas      # half a gigabyte; needs a Java 17
    python -m benchmarks.spark                   # local[2] and local-cluster[2,1,1024], 2 M rows of 20 bytes: 3 minutes
    python -m benchmarks.spark --quick           # local[2] alone, 200,000 rows

Each master is started in a process of its own, and runs both in turn; the ratio is the median of those of rounds. The
vault is the emulator over TLS, which counts the unwrappings; worker processes leave their numbers in a directory.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.emulator import control, emulator_process
from benchmarks.figures import Figures, command

MASTERS = ("local[2]", "local-cluster[2,1,1024]")
PARTITIONS = 8
AAD = {"iban": b"customers|iban"}
DEADLINE = 420.0
IDENTITY = "identity pandas_udf"


def measure(quick: bool) -> Figures:
    for package in ("pyspark", "pandas", "pyarrow"):
        if not importlib.util.find_spec(package):
            raise ModuleNotFoundError(f"{package} is not installed", name=package)
    figures, count = Figures(), 200_000 if quick else 2_000_000
    rounds, chosen = (2, MASTERS[:1]) if quick else (5, MASTERS)
    for master in chosen:
        short = master.partition("[")[0]
        with emulator_process() as url:
            found = run_member(master, url, count, rounds)
        rows = [
            (name, count / seconds, seconds / found["seconds"][IDENTITY]) for name, seconds in found["seconds"].items()
        ]
        heads = ("rows/s", "time to the first")
        note = f"{found['unwraps']} unwrappings in {found['workers']} worker processes."
        title = f"Spark {found['version']}, {master}: {count:,} rows of 20 bytes, {PARTITIONS} partitions"
        figures.table(short, title, heads, rows, bars="rows/s", note=note)
        what = f"Spark {master}, encrypt_columns: time against an identity pandas_udf"
        figures.claim(f"{short}-identity", what, found["ratio"], goal=2.0, unit="×", peer="pandas_udf")
        what = f"Spark {master}: unwrappings beyond one for each worker process"
        figures.claim(f"{short}-unwraps", what, found["unwraps"] - found["workers"], goal=0)
    return figures


def run_member(master: str, url: str, count: int, rounds: int) -> dict[str, Any]:
    """Spark in a process of its own, which ends with it."""
    with tempfile.TemporaryDirectory() as directory:
        result = Path(directory, "result.json")
        command_line = [sys.executable, "-m", "benchmarks.spark", "--member", master, url, str(count), str(rounds)]
        subprocess.run([*command_line, str(result)], check=True, timeout=DEADLINE, stdout=sys.stderr)
        found: dict[str, Any] = json.loads(result.read_text())
        return found


# -- the process with Spark


def member(master: str, url: str, count: int, rounds: int, result: Path) -> None:
    from pyspark.sql import SparkSession

    from safekv.keys import KeyClient

    os.environ["PYSPARK_PYTHON"] = sys.executable
    KeyClient(url).create_rsa_key("app-kek", size=2048)
    with tempfile.TemporaryDirectory() as directory:
        settings = {
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.local.dir": directory,
            "spark.sql.execution.arrow.maxRecordsPerBatch": "10000",
            "spark.python.worker.reuse": "true",
        }
        builder = SparkSession.builder.master(master)
        for name, value in settings.items():
            builder = builder.config(name, value)
        spark = builder.getOrCreate()
        try:
            found = compare(spark, url, count, rounds, Path(directory, "workers"))
            result.write_text(json.dumps({**found, "version": spark.version}))
        finally:
            spark.stop()


def compare(spark: Any, url: str, count: int, rounds: int, workers: Path) -> dict[str, Any]:
    from pyspark.sql import functions

    import safekv.integrations.spark as ours
    from safekv.envelope import Encryptor, KeyRing, RingSettings

    workers.mkdir()
    seen = str(workers)

    class Noting(ours.Batches):
        """Leaves the number of the process that it works in."""

        def column(self, *given: Any, **ids: Any) -> Any:
            Path(seen, str(os.getpid())).touch()
            return super().column(*given, **ids)

    ours.Batches = Noting
    box = Encryptor(KeyRing.create(f"{url}/keys/app-kek", settings=RingSettings(spread=0.1)))
    frame = spark.range(0, count, numPartitions=PARTITIONS).selectExpr("id", "lpad(concat('DE', id), 20, '0') as iban")
    frame = frame.cache()
    frame.count()
    identity = functions.pandas_udf(lambda column: column, "string")
    works = {
        IDENTITY: frame.withColumn("iban", identity("iban")),
        "encrypt_columns, one aad": ours.encrypt_columns(frame, box, AAD, row_id=None),
        "encrypt_columns, bound to rows": ours.encrypt_columns(frame, box, AAD, row_id="id"),
    }
    control(url, "DELETE", "journal")
    times: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            began = time.perf_counter()
            work.write.format("noop").mode("overwrite").save()
            if number:  # the first round starts the workers
                times[name].append(time.perf_counter() - began)
    ratios = [ours / theirs for ours, theirs in zip(times["encrypt_columns, one aad"], times[IDENTITY], strict=True)]
    journal = control(url, "GET", "journal")["journal"]
    return {
        "seconds": {name: statistics.median(each) for name, each in times.items()},
        "ratio": statistics.median(ratios),
        "unwraps": sum(entry["operation"] == "unwrap_key" and entry["status"] == 200 for entry in journal),
        "workers": len(list(workers.iterdir())),
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["--member"]:
        _, master_, url_, count_, rounds_, result_ = sys.argv[1:]
        member(master_, url_, int(count_), int(rounds_), Path(result_))
    else:
        command(measure, __doc__)
