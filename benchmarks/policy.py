"""What the policy costs a call that succeeds at once: microseconds of CPU, beside the SDK's own retry policy.

    python -m benchmarks.policy [--quick]

The policy below it answers at once, so that what is measured is the policy alone: rules, lane,
breaker, budget, slots and bookkeeping. "limited" is with the limiter on, far above what is used.
Rounds of all kinds take turns; the medians and the ratios of the medians are printed.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

from azure.core.pipeline import PipelineContext, PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncRetryPolicy, RetryPolicy
from azure.core.rest import HttpRequest

from benchmarks.figures import Figures, command
from safekv.secrets import SecretClient
from safekv.secrets.aio import SecretClient as AsyncSecretClient
from safekv.testing import LocalKeyVault

CALLS, ROUNDS = 2_000, 21


class Answered:
    """An answer that costs nothing."""

    status_code = 200


class AtOnce:
    """What stands below the policy."""

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        return PipelineResponse(request.http_request, Answered(), request.context)


class AsyncAtOnce:
    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        return PipelineResponse(request.http_request, Answered(), request.context)


def requests(transport: Any) -> list[PipelineRequest[Any]]:
    http = HttpRequest("GET", "https://local.vault.azure.net/secrets/greeting/?api-version=7.5")
    http.headers["Authorization"] = "Bearer x"  # as after the first request: the vault has let us in
    return [PipelineRequest(http, PipelineContext(transport)) for _ in range(CALLS)]


def sync_round(policy: Any, transport: Any) -> float:
    waiting = requests(transport)
    began = time.process_time()
    for request in waiting:
        policy.send(request)
    return (time.process_time() - began) / CALLS * 1e6


async def aio_round(policy: Any, transport: Any) -> float:
    waiting = requests(transport)
    began = time.process_time()
    for request in waiting:
        await policy.send(request)
    return (time.process_time() - began) / CALLS * 1e6


def measure(quick: bool) -> Figures:
    local = LocalKeyVault()
    kinds: dict[str, Callable[[], float]] = {}
    loop = asyncio.new_event_loop()

    def run(round_: Callable[[Any, Any], Awaitable[float]], *arguments: Any) -> float:
        return loop.run_until_complete(round_(*arguments))

    for name, rate in (("", None), (" limited", 1e9)):
        options: dict[str, Any] = {"max_rate": rate} if rate else {}
        for colour, door in (("sync", SecretClient), ("aio", AsyncSecretClient)):
            client: Any = door(local.url(), local.credential(), **options)
            policy = client._lease.connection.policy({})
            policy.next = AtOnce() if colour == "sync" else AsyncAtOnce()
            lease = client._lease
            if colour == "sync":
                kinds[colour + name] = lambda policy=policy, lease=lease: sync_round(policy, lease)
            else:
                kinds[colour + name] = lambda policy=policy, lease=lease: run(aio_round, policy, lease)
    for colour, stock in (("sync", RetryPolicy()), ("aio", AsyncRetryPolicy())):
        below: Any = AtOnce() if colour == "sync" else AsyncAtOnce()
        stock.next = below
        transport = local.transport(colour)
        if colour == "sync":
            kinds["azure-core " + colour] = lambda stock=stock, transport=transport: sync_round(stock, transport)
            kinds["nothing " + colour] = lambda below=below, transport=transport: sync_round(below, transport)
        else:
            kinds["azure-core " + colour] = lambda stock=stock, transport=transport: run(aio_round, stock, transport)
            kinds["nothing " + colour] = lambda below=below, transport=transport: run(aio_round, below, transport)
    taken: dict[str, list[float]] = {name: [] for name in kinds}
    gc.disable()
    for _ in range(3 if quick else ROUNDS):
        for name, once in kinds.items():
            taken[name].append(once())
    loop.close()
    gc.enable()
    figures, rows = Figures(), []
    for name, found in taken.items():
        if name.startswith("nothing"):
            continue
        nothing = taken["nothing aio" if "aio" in name else "nothing sync"]
        own = statistics.median(found) - statistics.median(nothing)
        rows.append((name if name.startswith("azure") else f"safekv {name}", own, min(found) - min(nothing)))
        if not name.startswith("azure"):
            what = f"the policy, for a call that succeeds at once ({name}): CPU"
            goal = 20 if "limited" in name else 12 if name == "aio" else 10
            figures.claim(name.replace(" ", "-"), what, own, goal=goal, unit="µs", peer="azure-core's RetryPolicy")
    title = "What the retry policy costs a call that succeeds at once, µs of CPU"
    figures.table("policy", title, ("median", "best"), rows, bars="median")
    return figures


if __name__ == "__main__":
    command(measure, __doc__)
