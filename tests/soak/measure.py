"""Memory, sockets and threads of this process over time, and whether they stay where they are."""

from __future__ import annotations

import os
import resource
import statistics
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = resource.getpagesize()


@dataclass(frozen=True)
class Sample:
    """At ``seconds`` after the beginning: resident memory in MiB, open sockets, threads, open files."""

    seconds: float
    memory: float
    sockets: int
    threads: int
    files: int


def sample(seconds: float) -> Sample:
    """One look at ``/proc``: Linux only."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    links = []
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            links.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        except OSError:  # noqa: PERF203  (closed meanwhile)
            continue
    sockets = sum(link.startswith("socket:") for link in links)
    return Sample(seconds, pages * PAGE / 2**20, sockets, threading.active_count(), len(links))


def growth(samples: Sequence[Sample], field: str) -> float:
    """How much ``field`` grows over the last two thirds of the time, by the line of least squares, in its own unit."""
    late = samples[len(samples) // 3 :]
    times, values = [each.seconds for each in late], [float(getattr(each, field)) for each in late]
    if len(late) < 3 or len(set(values)) == 1:
        return 0.0
    return statistics.linear_regression(times, values).slope * (times[-1] - times[0])
