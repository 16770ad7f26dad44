"""The machine that is examined: its environment, its packages, its DNS, its clock."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata

PACKAGES = (
    "azure-keyvault-secrets",
    "azure-keyvault-keys",
    "azure-keyvault-certificates",
    "azure-keyvault-administration",
    "azure-identity",
    "azure-core",
    "cryptography",
    "requests",
    "aiohttp",
    "msal",
)


@dataclass(frozen=True)
class Resolved:
    """``addresses`` without duplicates; ``canonical`` is the name at the end of the CNAMEs."""

    addresses: tuple[str, ...]
    canonical: str


@dataclass
class Machine:
    """What the checks ask, instead of asking the system themselves."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def versions(self) -> dict[str, str]:
        """The installed ones of ``PACKAGES``."""
        found = {}
        for name in PACKAGES:
            try:
                found[name] = metadata.version(name)
            except metadata.PackageNotFoundError:  # noqa: PERF203  (ten of them, once)
                continue
        return found

    def resolve(self, host: str, port: int) -> Resolved:
        """:raises OSError: if the name is not known."""
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_CANONNAME)
        addresses = tuple(dict.fromkeys(str(answer[4][0]) for answer in answers))
        return Resolved(addresses, next((answer[3] for answer in answers if answer[3]), host))

    def time(self) -> float:
        """Seconds since 1970."""
        return time.time()
