"""A deployment: many processes start together, and each needs hundreds of secrets of one vault at its real limits.

    python -m benchmarks.herd                                     # 50 processes x 500 secrets, about 4 minutes
    python -m benchmarks.herd --processes 10 --secrets 500 --limit 800
    python -m benchmarks.herd --simulated

The vault is the emulator in this process, limited to 4,000 requests per 10 s (sliding, no Retry-After), so that
25,000 secrets take 52 s at the very least. Each process imports what it needs and waits until all are there; the clock
starts when they are let go. The SDK's read one secret after the other with one client and one credential, and end with
the first exception, as a program that just starts would; safekv's call ``load``. Both have no deadline to speak of.

Fifty processes on a machine of a few cores ask for little more than the limit, whatever they are made of; ten of them
and a fifth of the limit show what fifty do that have a core each.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from typing import Any

from safekv._clock import VirtualClock
from safekv.emulator import Emulator, EmulatorServer, EmulatorSettings, Limits

WINDOW = 10.0
PLENTY = 600.0  # seconds


def names(count: int) -> list[str]:
    return [f"setting-{number:03}" for number in range(count)]


# -- one process of the herd


def member(library: str, secrets: int) -> None:
    """What each process does; prints what came of it."""
    if library == "SDK":
        from azure.identity import DefaultAzureCredential
        from azure.keyvault.secrets import SecretClient
    else:
        import safekv
        import safekv.identity
        import safekv.secrets

        load = safekv.load
    print("ready", flush=True)
    sys.stdin.readline()
    began, found, error = time.monotonic(), 0, ""
    try:
        if library == "SDK":
            client = SecretClient(os.environ["AZURE_KEY_VAULT_URL"], DefaultAzureCredential())
            for name in names(secrets):
                client.get_secret(name)
                found += 1
        else:
            found = len(load(names(secrets), timeout=PLENTY))
    except Exception as raised:
        each = getattr(raised, "failures", {"": raised}).values()
        error = ", ".join(sorted({f"{type(one).__name__} {getattr(one, 'status_code', None) or ''}" for one in each}))
    print(json.dumps({"seconds": time.monotonic() - began, "found": found, "error": error}))


# -- the whole of it


def herd(library: str, server: EmulatorServer, processes: int, secrets: int) -> dict[str, Any]:
    time.sleep(WINDOW)  # the vault has forgotten who was here before
    server.emulator.journal.clear()
    environment = {**os.environ, **server.environment()}
    for name in ("NO_PROXY", "no_proxy"):  # nobody has these set for a vault; they spare the SDK a search
        environment.pop(name, None)
    command = [sys.executable, "-m", "benchmarks.herd", "--member", library, "--secrets", str(secrets)]
    members = [
        subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    for each in members:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in members:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    done = [json.loads(each.communicate()[0]) for each in members]
    statuses = Counter(entry.status for entry in server.emulator.journal)
    fine = [each["seconds"] for each in done if each["found"] == secrets]
    return {
        "started": len(fine),
        "first": min(fine, default=float("nan")),
        "median": statistics.median(fine) if fine else float("nan"),
        "last": max(fine, default=float("nan")),
        "secrets": sum(each["found"] for each in done),
        "429": statuses[429],
        "errors": Counter(each["error"] for each in done if each["error"]),
    }


def simulated(processes: int, secrets: int) -> None:
    """The same with a core for each process, in the fleet simulator: at 4,000 per 10 s."""
    from benchmarks.sim._run import Scenario, run

    print("| | 99 % read, s | 429s | exceptions |\n|---|---:|---:|---:|")
    for policy, workers in (("oracle", 16), ("safekv lane", 16), ("azure-core GET", 1)):
        result = run(Scenario(policy=policy, processes=processes, workers=workers, drain=processes * secrets))
        rejected = result.throttled * processes * secrets
        print(f"| {policy}, {workers} at once | {result.t99:.1f} | {rejected:,.0f} | {result.surfaced:,} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=50)
    parser.add_argument("--secrets", type=int, default=500)
    parser.add_argument("--limit", type=int, default=4_000, help="requests per 10 s")
    parser.add_argument("--simulated", action="store_true", help="in the fleet simulator instead, in seconds")
    parser.add_argument("--only", choices=("SDK", "safekv"))
    parser.add_argument("--member", choices=("SDK", "safekv"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.member:
        member(given.member, given.secrets)
        return
    if given.simulated:
        simulated(given.processes, given.secrets)
        return
    needed = given.processes * given.secrets
    ideal = max(0, needed - given.limit) / given.limit * WINDOW  # what the window holds at once, then its rate
    settings = EmulatorSettings(limits=Limits(secret_create=None, other=given.limit))
    with EmulatorServer(
        Emulator(clock=VirtualClock(running=True), settings=settings), vaults=("one",), max_connections=4_096
    ) as server:
        (vault,) = server.emulator.vaults.values()
        for name in names(given.secrets):
            vault.set_secret(name, "x" * 32)
        print(
            f"{given.processes} processes, {given.secrets} secrets each; no sooner than {ideal:.0f} s at this limit\n"
        )
        print("| | processes that started | first, s | median, s | last, s | secrets read | 429s |")
        print("|---|---:|---:|---:|---:|---:|---:|", flush=True)
        for library in ("SDK", "safekv") if given.only is None else (given.only,):
            r = herd(library, server, given.processes, given.secrets)
            times = " | ".join(f"{r[which]:.1f}" for which in ("first", "median", "last"))
            print(f"| {library} | {r['started']} of {given.processes} | {times} | {r['secrets']:,} | {r['429']:,} |")
            for error, count in r["errors"].items():
                print(f"  {count} x {error}", file=sys.stderr)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
