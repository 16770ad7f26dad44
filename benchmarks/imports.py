"""What importing safekv costs beside the SDK: CPU of fresh processes, in turn, less that of an empty one.

python benchmarks/imports.py [ROUNDS]
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys

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


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    figures: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for number in range(rounds + 1):
        for name, program in PROGRAMS.items():
            milliseconds = cpu(program)
            if number:  # the first round warms the file cache and writes the byte code
                figures[name].append(milliseconds)
    empty = figures.pop("nothing")
    net = {name: [x - y for x, y in zip(each, empty, strict=True)] for name, each in figures.items()}
    print(f"{'CPU ms, less an empty process':45}{'median':>8}{'min':>8}{'ratio to the SDK':>20}")
    for name, each in net.items():
        theirs = net.get(name.replace("safekv.secrets", "azure.keyvault.secrets").replace("safekv.i", "azure.i"))
        ratio = ""
        if theirs is not None and theirs is not each:
            ratio = f"{statistics.median(x / y for x, y in zip(each, theirs, strict=True)):.2f}"
        print(f"{name:45}{statistics.median(each):8.0f}{min(each):8.0f}{ratio:>20}")


def cpu(program: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program], check=True, env=ENVIRONMENT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime) * 1000


if __name__ == "__main__":
    main()
