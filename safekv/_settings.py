"""Every knob, its default and its unit.

A setting is given to a client by keyword, or for the whole process in the environment
variable ``SAFEKV_<NAME>``. The keyword wins.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

from safekv.errors import InvalidArgument


@dataclass(frozen=True, slots=True)
class Settings:
    """What a process may change about its connections."""

    #: Seconds for one call, from asking to answer: waiting, attempts and sleeps together.
    timeout: float = 30.0
    #: Seconds to establish one TCP connection.
    connection_timeout: float = 5.0
    #: Seconds without a byte before an answer is given up.
    read_timeout: float = 10.0
    #: TCP connections kept open to one vault (and, on aio, the most that are opened).
    pool_size: int = 64
    #: Connections (vault and identity) that a process keeps; the least recently used goes first.
    max_connections: int = 64

    def __post_init__(self) -> None:
        for field in fields(self):
            _positive(field.name, getattr(self, field.name))


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
    """The defaults, with what ``SAFEKV_*`` variables say instead.

    :raises InvalidArgument: naming the variable that cannot be read.
    """
    given: dict[str, float] = {}
    for field in fields(Settings):
        text = environ.get(f"SAFEKV_{field.name.upper()}", "").strip()
        if text:
            variable = f"SAFEKV_{field.name.upper()}"
            given[field.name] = _number(variable, text, whole=field.type == "int")
            _positive(variable, given[field.name])
    return Settings(**given)  # type: ignore[arg-type]  # whole numbers where an int is wanted, by `whole` above


def _number(name: str, text: str, *, whole: bool) -> float:
    try:
        return int(text) if whole else float(text)
    except ValueError:
        kind = "a whole number" if whole else "a number"
        raise InvalidArgument(f"{name}={text!r} is not {kind}.", hint=f"{name}=30 is an example.") from None


def _positive(name: str, value: float) -> None:
    if isinstance(value, bool) or not math.isfinite(value) or value <= 0:
        raise InvalidArgument(f"{name}={value!r} must be a positive, finite number.", hint=f"{name}=30 is an example.")
