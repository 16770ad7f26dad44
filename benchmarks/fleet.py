"""A fleet of real processes on a throttled vault, over real sockets: safekv beside the plain SDK, in one run.

    python -m benchmarks.fleet              # 8 processes x 16 threads, then x 64 tasks, 45 s each: about 5 minutes
    python -m benchmarks.fleet --quick      # 16 threads, 15 s each

The vault is the emulator in a process of its own, limited to 400 requests for secrets per 10 s
(sliding, no Retry-After). Each worker reads a secret, thinks for a random time so that all
together ask for twice the limit, and reads again; one who is failed waits 1 s and asks again.
The first 10 s do not count. Then the burst: 50 threads on a vault that throttles for 6 s.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.emulator import control, emulator_process
from benchmarks.figures import Figures, command

LIMIT, WINDOW = 400, 10.0
PROCESSES = 8
WORKERS = {"threads": 16, "tasks": 64}
WARM_UP = 10.0
NAME = "benchmark"


# -- one process of the fleet


def secret_client(library: str, kind: str, url: str) -> Any:
    """One client and one credential for the whole process, as Microsoft advises."""
    if library == "SDK":
        if kind == "threads":
            from azure.identity import DefaultAzureCredential
            from azure.keyvault.secrets import SecretClient
        else:
            from azure.identity.aio import DefaultAzureCredential
            from azure.keyvault.secrets.aio import SecretClient
        return SecretClient(url, DefaultAzureCredential())
    if kind == "threads":
        from safekv.secrets import SecretClient as SafeClient
    else:
        from safekv.secrets.aio import SecretClient as SafeClient
    return SafeClient(url, cache=None)  # what is measured is the vault, not the cache


class Log:
    """What became of each read: when it ended, how long it took, whether it brought the value."""

    def __init__(self) -> None:
        self.rows: list[tuple[float, float, bool]] = []
        self.errors: dict[str, int] = {}

    def ended(self, began: float, error: Exception | None) -> None:
        now = time.time()
        self.rows.append((now, now - began, error is None))
        if error is not None:
            name = type(error).__name__
            self.errors[name] = self.errors.get(name, 0) + 1


def thread_worker(client: Any, log: Log, until: float, think: float, chance: random.Random) -> None:
    time.sleep(chance.random() * think)
    while time.time() < until:
        began, error = time.time(), None
        try:
            client.get_secret(NAME)
        except Exception as raised:
            error = raised
        log.ended(began, error)
        time.sleep(1.0 if error else chance.expovariate(1 / think))


async def task_worker(client: Any, log: Log, until: float, think: float, chance: random.Random) -> None:
    await asyncio.sleep(chance.random() * think)
    while time.time() < until:
        began, error = time.time(), None
        try:
            await client.get_secret(NAME)
        except Exception as raised:
            error = raised
        log.ended(began, error)
        await asyncio.sleep(1.0 if error else chance.expovariate(1 / think))


async def tasks(client: Any, log: Log, until: float, think: float, chance: random.Random, count: int) -> None:
    async with client:
        await asyncio.gather(*(task_worker(client, log, until, think, chance) for _ in range(count)))


def member(library: str, kind: str, number: int, began: float, seconds: float) -> None:
    """What each process does; prints its log."""
    chance, log = random.Random(number), Log()
    count = WORKERS[kind]
    think = PROCESSES * count / (2 * LIMIT / WINDOW)
    client = secret_client(library, kind, os.environ["AZURE_KEY_VAULT_URL"])
    time.sleep(max(0.0, began - time.time()))
    if kind == "threads":
        pool = [
            threading.Thread(target=thread_worker, args=(client, log, began + seconds, think, chance))
            for _ in range(count)
        ]
        for thread in pool:
            thread.start()
        for thread in pool:
            thread.join()
    else:
        asyncio.run(tasks(client, log, began + seconds, think, chance, count))
    print(json.dumps({"rows": log.rows, "errors": log.errors}))


# -- the whole of it


def fleet(library: str, kind: str, url: str, seconds: float) -> dict[str, Any]:
    time.sleep(WINDOW)  # the vault has forgotten who was here before
    control(url, "DELETE", "journal")
    began = time.time() + 6  # importing takes eight processes on two cores a while
    command = [sys.executable, "-m", "benchmarks.fleet", "--member", library, kind]
    members = [
        subprocess.Popen([*command, str(number), str(began), str(seconds)], stdout=subprocess.PIPE, text=True)
        for number in range(PROCESSES)
    ]
    logs = [json.loads(each.communicate()[0]) for each in members]
    counted = seconds - WARM_UP
    window = (began + WARM_UP, began + seconds)
    rows = [[row for row in log["rows"] if window[0] <= row[0] <= window[1]] for log in logs]
    every = [row for log in rows for row in log]
    waits = sorted(row[1] for row in every if row[2])
    shares = [sum(1 for row in log if row[2]) for log in rows]
    asked = [entry for entry in control(url, "GET", "journal")["journal"] if window[0] <= entry["time"] <= window[1]]
    throttled = sum(1 for entry in asked if entry["status"] == 429)
    succeeded = len(waits)
    return {
        "goodput": succeeded / (LIMIT / WINDOW * counted),
        "429 per success": throttled / max(1, succeeded),
        "exceptions per success": (len(every) - succeeded) / max(1, succeeded),
        "p50 s": statistics.median(waits),
        "p99 s": waits[int(len(waits) * 0.99)],
        "Jain": sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares)),
        "errors": dict(sum((Counter(log["errors"]) for log in logs), Counter())),
    }


def burst(library: str, url: str, before: float) -> tuple[int, float]:
    """50 threads on a vault that throttles for 6 s: how many succeed, and when the last one did."""
    time.sleep(before)  # the vault has forgotten who was here before
    client = secret_client(library, "threads", url)
    client.get_secret(NAME)
    control(url, "DELETE", "journal")
    control(url, "POST", "faults", {"operation": "get_secret", "status": 429, "count": None})
    began = time.monotonic()
    threading.Timer(6.0, lambda: control(url, "DELETE", "faults")).start()

    def one(_: int) -> bool:
        try:
            client.get_secret(NAME)
        except Exception:
            return False
        return True

    with ThreadPoolExecutor(50) as pool:
        fine = sum(pool.map(one, range(50)))
    took = time.monotonic() - began
    time.sleep(max(0.0, 7.0 - took))
    return fine, took


FIGURES = ("goodput", "429 per success", "exceptions per success", "p50 s", "p99 s", "Jain")


def measure(quick: bool) -> Figures:
    figures, rows = Figures(), []
    with emulator_process(f"other={LIMIT}") as url:
        from safekv.secrets import SecretClient

        SecretClient(url).set_secret(NAME, "some value that is read again and again")
        for kind, count in list(WORKERS.items())[: 1 if quick else 2]:
            for library in ("SDK", "safekv"):
                result = fleet(library, kind, url, WARM_UP + 5 if quick else 45.0)
                rows.append((f"{library}, {PROCESSES} × {count} {kind}", *(result[it] for it in FIGURES)))
                if result["errors"]:
                    print(f"errors of {rows[-1][0]}: {result['errors']}", file=sys.stderr)
            claims(figures, f"{PROCESSES} × {count} {kind}", kind, result)
        title = f"{PROCESSES} processes on a vault that admits {LIMIT} requests in 10 s, and are asked for twice that"
        figures.table("fleet", title, FIGURES, rows)
        through = [(library, *burst(library, url, WINDOW)) for library in ("SDK", "safekv")]
    title = "50 threads on a vault that throttles for 6 s"
    figures.table("burst", title, ("got through", "the last after, s"), through)
    what = "50 threads on a vault that throttles for 6 s: how many get through"
    figures.claim("burst", what, through[1][1], goal=50, least=True, peer="azure-keyvault-secrets")
    return figures


def claims(figures: Figures, who: str, kind: str, result: dict[str, Any]) -> None:
    figures.claim(f"goodput-{kind}", f"{who}: goodput", result["goodput"], goal=0.97, least=True)
    figures.claim(f"throttled-{kind}", f"{who}: 429s for each success", result["429 per success"], goal=0.08)
    figures.claim(f"exceptions-{kind}", f"{who}: exceptions for each success", result["exceptions per success"], goal=0)
    figures.claim(f"p99-{kind}", f"{who}: p99 of the wait", result["p99 s"], unit="s")
    figures.claim(f"jain-{kind}", f"{who}: Jain fairness", result["Jain"], goal=0.95, least=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--member"]:
        library, kind, number, began, seconds = sys.argv[2:]
        member(library, kind, int(number), float(began), float(seconds))
    else:
        command(measure, __doc__)
