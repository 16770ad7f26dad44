"""The herd of ``benchmarks.herd`` as claims: 50 processes that start together, each in need of 500 secrets.

python -m benchmarks.deployment              # four minutes
python -m benchmarks.deployment --quick      # 4 processes, 50 secrets, a limit of 400
"""

from __future__ import annotations

from typing import Any

from benchmarks.figures import Figures, command


def measure(quick: bool) -> Figures:
    from benchmarks import herd
    from safekv._clock import VirtualClock
    from safekv.emulator import Emulator, EmulatorServer, EmulatorSettings, Limits

    processes, secrets, limit = (4, 50, 400) if quick else (50, 500, 4_000)
    settings = EmulatorSettings(limits=Limits(secret_create=None, other=limit))
    found: dict[str, Any] = {}
    # Its clock has to run: on one that stands still, a full window stays full.
    emulator = Emulator(clock=VirtualClock(running=True), settings=settings)
    with EmulatorServer(emulator, vaults=("one",), max_connections=4_096) as server:
        (vault,) = server.emulator.vaults.values()
        for name in herd.names(secrets):
            vault.set_secret(name, "x" * 32)
        for library in ("SDK", "safekv"):
            found[library] = herd.herd(library, server, processes, secrets)
    figures = Figures()
    heads = ("processes that started", "first, s", "median, s", "last, s", "secrets read", "429s")
    kinds = ("started", "first", "median", "last", "secrets", "429")
    rows = [(library, *(_known(it[kind]) for kind in kinds)) for library, it in found.items()]
    title = f"{processes} processes need {secrets} secrets each of a vault that admits {limit:,} requests in 10 s"
    figures.table("herd", title, heads, rows)
    what = f"{processes} processes that start together, {secrets} secrets each: how many start"
    peer = "azure-keyvault-secrets"
    figures.claim("started", what, found["safekv"]["started"], goal=processes, least=True, peer=peer)
    return figures


def _known(value: float) -> float | None:
    return None if value != value else value  # nan, where nobody started


if __name__ == "__main__":
    command(measure, __doc__)
