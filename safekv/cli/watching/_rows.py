"""From counts to what is shown: a row for each vault, and one for each of its operations. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from safekv.cli.watching._window import Late
from safekv.observability._figures import Counts, plus, quantile


@dataclass(frozen=True, slots=True)
class Traffic:
    """One operation, or all of a vault. Times in seconds; None: nothing was measured.

    :ivar statuses: how many answers had which HTTP status, or failed with which error.
    """

    name: str
    requests: int
    per_second: float
    statuses: dict[str, int]
    p50: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class Lane:
    """A class of a vault's operations. ``rate``: what it is limited to, in cost units per second."""

    name: str
    rate: float | None
    waiting: int


@dataclass(frozen=True, slots=True)
class VaultRow:
    """All of one vault.

    :ivar wait_p99: how long requests waited for their turn.
    :ivar cache_hits: the part of reads that the cache answered, of those that it was asked; None if of none.
    :ivar stale: reads that were answered with a value past its time.
    :ivar kept: secrets in caches.
    """

    traffic: Traffic
    operations: tuple[Traffic, ...]
    throttled: int
    wait_p99: float | None
    lanes: tuple[Lane, ...]
    cache_hits: float | None
    stale: int
    kept: int


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything at one moment, of the last ``seconds``."""

    seconds: float
    vaults: tuple[VaultRow, ...]
    tokens: int
    token_failures: int
    encrypted_bytes: int
    decrypted_bytes: int


def shown(late: Late) -> Shown:
    """The rows, the busiest vault first."""
    counts, now = late.counts, late.now
    hosts = {*counts.get("requests", {}), *counts.get("cache", {}), *now.get("lanes", {})}
    vaults = sorted((_vault(host, late) for host in hosts), key=lambda row: (-row.traffic.requests, row.traffic.name))
    tokens, envelope = counts.get("tokens", {}), counts.get("envelope", {})
    return Shown(
        seconds=late.seconds,
        vaults=tuple(vaults),
        tokens=int(tokens.get("fetched", 0)),
        token_failures=int(tokens.get("failed", 0)),
        encrypted_bytes=int(envelope.get("encrypt", {}).get("bytes", 0)),
        decrypted_bytes=int(envelope.get("decrypt", {}).get("bytes", 0)),
    )


def _vault(host: str, late: Late) -> VaultRow:
    counts, now = late.counts, late.now
    statuses: Counts = counts.get("requests", {}).get(host, {})
    seconds: Counts = counts.get("seconds", {}).get(host, {})
    operations = [_traffic(name, statuses[name], seconds.get(name, {}), late.seconds) for name in statuses]
    all_of_it = _traffic(host, plus(statuses.values()), plus(seconds.values()), late.seconds)
    cache = counts.get("cache", {}).get(host, {})
    lanes = now.get("lanes", {}).get(host, {})
    return VaultRow(
        traffic=all_of_it,
        operations=tuple(sorted((each for each in operations if each.requests), key=lambda each: -each.requests)),
        throttled=int(counts.get("throttled", {}).get(host, 0)),
        wait_p99=quantile(counts.get("waits", {}).get(host, {}), 0.99),
        lanes=tuple(Lane(name, about.get("rate"), int(about["waiting"])) for name, about in sorted(lanes.items())),
        cache_hits=_hits(cache),
        stale=int(cache.get("stale", 0)),
        kept=int(now.get("kept", {}).get(host, 0)),
    )


def _traffic(name: str, statuses: Counts, buckets: Counts, seconds: float) -> Traffic:
    found = {status: int(count) for status, count in sorted(statuses.items()) if count}
    requests = sum(found.values())
    per_second = requests / seconds if seconds > 0 else 0.0
    return Traffic(name, requests, per_second, found, quantile(buckets, 0.5), quantile(buckets, 0.99))


def _hits(cache: dict[str, Any]) -> float | None:
    answered = cache.get("hits", 0) + cache.get("stale", 0) + cache.get("negative", 0)
    asked = answered + cache.get("misses", 0)
    return answered / asked if asked else None
