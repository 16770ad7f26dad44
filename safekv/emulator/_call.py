"""A request that has been understood: which operation, on which object of which vault, when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from safekv.emulator._answers import Refused
from safekv.emulator._messages import Request, Response

if TYPE_CHECKING:
    from safekv.emulator._vault import Vault


@dataclass(frozen=True, slots=True)
class Route:
    """An operation and where it is found.

    ``path`` has the places ``{name}`` and ``{version}``; ``limit`` is the field of ``Limits``
    that the operation counts against, unless ``cost`` gives one (or a rate of a Managed HSM)
    for each call, with its weight.
    """

    operation: str
    method: str
    path: str
    handler: Callable[[Call], Response]
    limit: str = "other"
    on_hsm: bool = False
    on_vault: bool = True
    cost: Callable[[Call], tuple[str, int]] | None = None
    versioned: bool = True  # whether a request has to name an api-version

    def charge(self, call: Call) -> tuple[str, int]:
        """What a call counts against, and how much."""
        return self.cost(call) if self.cost else (self.limit, 1)


@dataclass(frozen=True, slots=True)
class Target:
    """What a request is about. ``refused`` is the answer to a path that leads nowhere, once it is authorised."""

    route: Route | None
    name: str = ""
    version: str | None = None
    refused: Refused | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """What an operation gets. ``now`` is in seconds since 1970."""

    vault: Vault
    request: Request
    target: Target
    token: str | None = field(repr=False)
    now: float

    @property
    def operation(self) -> str | None:
        return self.target.route.operation if self.target.route else None

    @property
    def name(self) -> str:
        """The name in the path; empty if it has none."""
        return self.target.name

    @property
    def version(self) -> str | None:
        return self.target.version

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query

    @property
    def api_version(self) -> str:
        return self.request.query["api-version"]
