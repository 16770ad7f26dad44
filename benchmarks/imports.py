"""What importing safekv costs beside the SDK: CPU of fresh processes, in turn, less that of an empty one.

python -m benchmarks.imports [--quick]
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys

from benchmarks.figures import Figures, command

PROGRAMS = {
    "nothing": "pass",
    "import safekv": "import safekv",
    "azure.keyvault.secrets.SecretClient": "from azure.keyvault.secrets import SecretClient",
    "safekv.secrets.SecretClient": "from safekv.secrets import SecretClient",
    "azure.keyvault.secrets.aio.SecretClient": "from azure.keyvault.secrets.aio import SecretClient",
    "safekv.secrets.aio.SecretClient": "from safekv.secrets.aio import SecretClient",
    "azure.identity.DefaultAzureCredential": "from azure.identity import DefaultAzureCredential",
    "safekv.identity.DefaultAzureCredential": "from safekv.identity import DefaultAzureCredential",
}

#: Byte code is written, as pip does when it installs.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def measure(quick: bool) -> Figures:
    figures, rounds = Figures(), 2 if quick else 15
    taken: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for number in range(rounds + 1):
        for name, program in PROGRAMS.items():
            milliseconds = cpu(program)
            if number:  # the first round warms the file cache and writes the byte code
                taken[name].append(milliseconds)
    empty = taken.pop("nothing")
    net = {name: [x - y for x, y in zip(each, empty, strict=True)] for name, each in taken.items()}
    rows = []
    for name, each in net.items():
        theirs = net.get(name.replace("safekv.secrets", "azure.keyvault.secrets").replace("safekv.i", "azure.i"))
        ratio = None
        if theirs is not None and theirs is not each:
            ratio = statistics.median(x / y for x, y in zip(each, theirs, strict=True))
            what = f"import {name}: CPU against the SDK's import"
            goal = 1.1 if name == "safekv.secrets.SecretClient" else None
            figures.claim(name.removeprefix("safekv."), what, ratio, goal=goal, unit="×", peer="the SDK")
        rows.append((name, statistics.median(each), min(each), ratio))
    title = "Imports in a fresh process: ms of CPU, less those of an empty one"
    figures.table("imports", title, ("median", "best", "ratio to the SDK"), rows, bars="median")
    value = statistics.median(net["import safekv"])
    figures.claim("safekv", "import safekv: CPU", value, goal=30, unit="ms")
    return figures


def cpu(program: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program], check=True, env=ENVIRONMENT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime) * 1000


if __name__ == "__main__":
    command(measure, __doc__)
