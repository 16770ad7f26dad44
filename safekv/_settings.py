"""Every knob, its default and its unit.

A setting is given to a client by keyword where ``PER_CLIENT`` names it, or for the whole
process in the environment variable ``SAFEKV_<NAME>``. The keyword wins.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from safekv._seconds import LONGEST
from safekv.errors import InvalidArgument

GATES = ("window", "strict")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a process may change about its connections."""

    #: Seconds for one call, from asking to answer: waiting, attempts and sleeps together.
    timeout: float = 30.0
    #: The same for calls inside ``with safekv.bulk():``.
    bulk_timeout: float = 300.0
    #: Seconds to establish one TCP connection.
    connection_timeout: float = 5.0
    #: Seconds without a byte before an answer is given up.
    read_timeout: float = 10.0
    #: Seconds that one attempt may take to connect, and then without a byte; both timeouts above are cut to it.
    attempt_timeout: float = 10.0
    #: TCP connections kept open to one vault (and, on aio, the most that are opened).
    pool_size: int = 64
    #: Connections (vault and identity) that a process keeps; the least recently used goes first.
    max_connections: int = 64
    #: Requests per second and class of operation, from the start; None: as fast as the vault lets us.
    max_rate: float | None = None
    #: A throttled process never goes slower, for those who compete with clients that do not slow down.
    min_rate: float = 0.1
    #: This process's part of the vault's documented limits: 0.125 for each of 8 processes.
    share: float | None = None
    #: "window": a Retry-After binds the call that was told it. "strict": all calls of its class.
    gate: str = "window"

    #: Seconds for which a CryptographyClient uses what it knows of a key: which version is the newest, and its state.
    key_ttl: float = 300.0
    #: Seconds that waiting for a deletion or a recovery takes at most.
    wait_timeout: float = 300.0

    def __post_init__(self) -> None:
        for field in fields(self):
            _check(field.name, getattr(self, field.name))

    def changed(self, given: Mapping[str, Any]) -> Settings:
        """These settings with what a client was given for itself; None means unchanged."""
        changes = {name: given[name] for name in PER_CLIENT if given.get(name) is not None}
        return replace(self, **changes) if changes else self


#: Keywords of a client, beside ``timeout`` and the two that the SDK has.
PER_CLIENT = ("attempt_timeout", "bulk_timeout", "gate", "key_ttl", "max_rate", "min_rate", "share", "wait_timeout")


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
    """The defaults, with what ``SAFEKV_*`` variables say instead.

    :raises InvalidArgument: naming the variable that cannot be read.
    """
    given: dict[str, Any] = {}
    for field in fields(Settings):
        text = environ.get(f"SAFEKV_{field.name.upper()}", "").strip()
        if text:
            variable = f"SAFEKV_{field.name.upper()}"
            given[field.name] = text if field.type == "str" else _number(variable, text, whole=field.type == "int")
            _check(field.name, given[field.name], variable)
    return Settings(**given)


def _number(name: str, text: str, *, whole: bool) -> float:
    try:
        return int(text) if whole else float(text)
    except ValueError:
        kind = "a whole number" if whole else "a number"
        raise InvalidArgument(f"{name}={text!r} is not {kind}.", hint=_example(name)) from None


def _check(field: str, value: Any, name: str = "") -> None:
    """``name`` is what the caller knows the field by."""
    name = name or field
    if field == "gate":
        if value not in GATES:
            raise InvalidArgument(f"{name}={value!r} must be one of {', '.join(GATES)}.", hint=f"{name}=window")
        return
    if value is None and field in ("max_rate", "share"):
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value <= 0:
        raise InvalidArgument(f"{name}={value!r} must be a positive, finite number.", hint=_example(name))
    if field.endswith("timeout") and value > LONGEST:
        raise InvalidArgument(f"{name}={value!r} must be at most {LONGEST:.0f} seconds.", hint=_example(name))
    if field == "share" and value > 1:
        raise InvalidArgument(f"{name}={value!r} must be at most 1: the whole limit.", hint=_example(name))


def _example(name: str) -> str:
    if name.lower().endswith("share"):
        return f"{name}=0.125 is an example, for each of 8 processes."
    return f"{name}=30 is an example."
