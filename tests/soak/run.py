"""Two hundred threads, fifty tasks, forks, event loops, faults and rotations, all in one process; then the report.

``python -m tests.soak.run --minutes 10 --report docs/soak.md``. Ends with 1 if a value was wrong, a call failed without
a fault to explain it, a call outlasted its deadline, memory grew, or a socket or a thread was left.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import platform
import random
import statistics
import sys
import threading
import time
import warnings
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import safekv
from safekv.connection import _registry
from safekv.envelope import Encryptor, KeyRing
from safekv.errors import ManyServiceCallsWarning, UncachedReadsWarning
from safekv.identity import DefaultAzureCredential
from safekv.identity.aio import DefaultAzureCredential as AsyncDefaultAzureCredential
from safekv.secrets import SecretClient
from tests.soak import work
from tests.soak.measure import Sample, growth, sample
from tests.soak.truth import Truth, value_of
from tests.soak.vaults import KEK, VAULTS, Vaults

NAMES = 30  # in each vault
ROTATED = 8  # of them, by one thread each four
SLACK = 4.0  # seconds that a call may end after its deadline: two cores, three hundred workers
MEMORY = 16.0  # MiB that may come in the last two thirds
FAULTS: list[dict[str, Any]] = [
    {"status": 429, "count": 40},
    {"status": 429, "count": 20, "retry_after": 2},
    {"status": 503, "count": 20},
    {"status": 500, "count": 5},
    {"network": "reset-before", "count": 10},
    {"network": "reset-after", "count": 10},
    {"network": "truncated", "count": 5},
    {"network": "refused", "count": 5},
    {"network": "black-hole", "count": 2},
    {"html": True, "status": 502, "count": 3},
    {"delay": 2.0, "count": 20},
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--threads", type=int, default=200)
    parser.add_argument("--tasks", type=int, default=50)
    parser.add_argument("--report", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore", UncachedReadsWarning)
    warnings.simplefilter("ignore", ManyServiceCallsWarning)
    # A process with threads that forks is what this is about; Python warns of it, and logs are not.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    logging.disable(logging.CRITICAL)

    vaults = Vaults()
    os.environ.update(vaults.environment)
    try:
        soaked = soak(vaults, options.minutes * 60, options.threads, options.tasks)
    finally:
        vaults.close()
    text = report(options, *soaked)
    print(text)
    if options.report:
        options.report.write_text(text, encoding="utf-8")
    return 1 if "| no |" in text else 0


def soak(
    vaults: Vaults, seconds: float, threads: int, tasks: int
) -> tuple[work.World, list[Sample], dict[str, int], list[str]]:
    before = sample(0.0)
    world = begin(vaults)
    loop_thread = lambda: asyncio.run(work.tasks(world, tasks))  # noqa: E731
    jobs: list[Callable[[], None]] = [loop_thread, lambda: work.loops(world)]
    jobs += [lambda number=number: work.thread(world, number) for number in range(threads)]
    for number, vault in enumerate(VAULTS):
        rotated = [truth for truth in world.truths if truth.vault == vault][:ROTATED]
        for half in (rotated[::2], rotated[1::2]):
            jobs.append(lambda half=half, number=number: work.rotate(world, half, number))
    # Secrets, clients and the ring are held open throughout, as an application holds them.
    held = [SecretClient(url, world.credential, timeout=work.TIMEOUT) for url in vaults.urls.values()]
    running = [threading.Thread(target=job, name=f"soak-{number}") for number, job in enumerate(jobs)]
    for each in running:
        each.start()
    statuses: dict[str, int] = {}
    samples = watch(vaults, world, seconds, statuses)
    world.over.set()
    for each in running:
        each.join(60)
    stuck = [each.name for each in running if each.is_alive()]
    for client in held:
        client.close()
    return world, samples, statuses, [f"{len(stuck)} workers did not end"] * bool(stuck) + left_over(world, before)


def begin(vaults: Vaults) -> work.World:
    truths = [Truth(vault, f"name-{number}") for vault in VAULTS for number in range(NAMES)]
    credential = DefaultAzureCredential()
    for truth in truths:
        with SecretClient(vaults.urls[truth.vault], credential) as client:
            client.set_secret(truth.name, value_of(truth.vault, truth.name, 0))
    ring = KeyRing.create(*(f"{url}/keys/{KEK}" for url in vaults.urls.values()), credential=credential)
    return work.World(vaults.urls, truths, ring, Encryptor(ring), credential, AsyncDefaultAzureCredential())


def watch(vaults: Vaults, world: work.World, seconds: float, statuses: dict[str, int]) -> list[Sample]:
    """Until the time is over: a sample a second, a fault every six, a child every three."""
    chance, began = random.Random(0), time.monotonic()
    samples: list[Sample] = []
    tick = 0
    while (now := time.monotonic() - began) < seconds:
        tick += 1
        samples.append(sample(now))
        if tick % 6 == 0 and now < seconds - 20:  # the last seconds are calm, so that all comes to an end
            vaults("fail", **chance.choice(FAULTS), vault=chance.choice(VAULTS))
        if tick % 30 == 0:
            vaults("heal")
            for status, count in vaults("journal").items():
                statuses[status] = statuses.get(status, 0) + count
        if tick % 3 == 0:
            work.fork(world, chance)
        time.sleep(max(0.0, began + tick - time.monotonic()))
    return samples


def left_over(world: work.World, before: Sample) -> list[str]:
    """What is still there of sockets and threads once every client is closed."""
    world.ring.close()
    world.credential.close()
    asyncio.run(world.aio_credential.close())
    open_ones = len(_registry.current()._connections)
    gc.collect()
    time.sleep(2)
    after = sample(0.0)
    left = []
    if open_ones:
        left.append(f"{open_ones} connections")
    if after.sockets > before.sockets:
        left.append(f"{after.sockets - before.sockets} sockets")
    if after.threads > before.threads:
        names = sorted(each.name for each in threading.enumerate())
        left.append(f"{after.threads - before.threads} threads ({', '.join(names)})")
    return left


def report(
    options: argparse.Namespace,
    world: work.World,
    samples: list[Sample],
    statuses: dict[str, int],
    left: list[str],
) -> str:
    tally = world.tally
    wrong = [what for what in tally.failures if "Wrong" in what]
    grown = growth(samples, "memory")
    late = samples[len(samples) // 3 :]
    rows = [
        ("no wrong value", "none" if not wrong else "; ".join(wrong), not wrong),
        ("no failure that no fault explains", _listed(tally.failures) or "none", not tally.failures),
        (f"no call longer than its {work.TIMEOUT:.0f} s (+{SLACK:.0f} s)", f"longest {tally.longest:.1f} s",
         tally.longest <= max(work.TIMEOUT + SLACK, work.CHILD if tally.done["child"] else 0)),
        ("memory is flat", f"{statistics.median(each.memory for each in late):.0f} MiB, {grown:+.1f} MiB over the last "
         "two thirds", grown <= MEMORY),
        ("sockets do not pile up", _most(samples, "sockets"), growth(samples, "sockets") < 20),
        ("threads do not pile up", _most(samples, "threads"), growth(samples, "threads") < 20),
        ("nothing is left after closing", "; ".join(left) or "nothing", not left),
    ]  # fmt: skip
    lines = [
        "# Soak test",
        "",
        f"`nox -s soak`: {options.threads} threads, {options.tasks} tasks, event loops that end, a fork every three "
        f"seconds, faults and rotated secrets, in one process, for {options.minutes:g} minutes, against an "
        "emulator in another.",
        "",
        f"Run on {datetime.now(timezone.utc):%Y-%m-%d}, safekv {safekv.__version__}, "
        f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores.",
        "",
        "| goal | seen | met |",
        "|---|---|---|",
        *(f"| {goal} | {seen} | {'yes' if met else 'no'} |" for goal, seen, met in rows),
        "",
        "| what | how often |",
        "|---|---|",
        *(f"| {kind.replace('_', ' ')} | {count:,} |" for kind, count in sorted(tally.done.items())),
        *(f"| answered {status} | {count:,} |" for status, count in sorted(statuses.items())),
        *(f"| raised, explained by a fault: {kind} | {count:,} |" for kind, count in sorted(tally.expected.items())),
        "",
    ]
    return "\n".join(lines)


def _most(samples: list[Sample], field: str) -> str:
    return f"at most {max(getattr(each, field) for each in samples)}, {growth(samples, field):+.1f}"


def _listed(counts: dict[str, int]) -> str:
    return "; ".join(f"{count} x {what}" for what, count in counts.items())


if __name__ == "__main__":
    sys.exit(main())
