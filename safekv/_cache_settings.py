"""How long a secret is kept: every knob of the cache, its default and its unit.

A client is given them as ``cache=CacheSettings(...)``; a process in the environment
variables ``SAFEKV_CACHE_<NAME>``, and ``SAFEKV_CACHE=off`` for none at all.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from safekv.errors import InvalidArgument


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """What a client may change about its cache. Durations are in seconds."""

    #: No value is older when it is served, while the vault answers.
    ttl: float = 300.0
    #: The part of ``ttl`` by which each value expires earlier, at random, so that a fleet does not read at once.
    jitter: float = 0.2
    #: The part of its time after which a value is read again in the background, if it is still asked for.
    refresh_ahead: float = 0.8
    #: Past ``ttl``, how long the last value stands in while the vault cannot be reached; 0: not at all.
    max_stale: float = 3_600.0
    #: How long "there is no such secret" is remembered; 0: not at all.
    negative_ttl: float = 5.0
    #: An explicit version cannot change; after so long it is read again in the background all the same.
    pinned_ttl: float = 3_600.0
    #: How long one call waits for the vault when it could be given the last value instead.
    patience: float = 5.0
    #: Names and versions that are kept; the least recently used goes first.
    max_entries: int = 1_000

    #: Two clients with equal settings are one.
    compares_by_content: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for field in fields(self):
            _check(field.name, getattr(self, field.name), field.name)


_MAY_BE_ZERO = frozenset({"jitter", "max_stale", "negative_ttl"})
_PARTS = frozenset({"jitter", "refresh_ahead"})
_OFF = frozenset({"off", "0", "false", "no", "none"})
_ON = frozenset({"", "on", "1", "true", "yes"})


def cache_from_environment(environ: Mapping[str, str] = os.environ) -> CacheSettings | None:
    """The defaults with what ``SAFEKV_CACHE_*`` variables say instead; None if ``SAFEKV_CACHE`` turns it off.

    :raises InvalidArgument: naming the variable that cannot be read.
    """
    switch = environ.get("SAFEKV_CACHE", "").strip().lower()
    if switch not in _OFF | _ON:
        raise InvalidArgument(f"SAFEKV_CACHE={switch!r} must be on or off.", hint="SAFEKV_CACHE=off is an example.")
    given: dict[str, Any] = {}
    for field in fields(CacheSettings):
        variable = f"SAFEKV_CACHE_{field.name.upper()}"
        text = environ.get(variable, "").strip()
        if text:
            given[field.name] = _number(variable, text, whole=field.type == "int")
            _check(field.name, given[field.name], variable)
    return None if switch in _OFF else CacheSettings(**given)


def check_cache(given: object) -> CacheSettings | None:
    """What a client was given as ``cache=``.

    :raises InvalidArgument: if it is neither settings nor None.
    """
    if given is None or isinstance(given, CacheSettings):
        return given
    raise InvalidArgument(
        f"cache must be a safekv.CacheSettings or None, not {type(given).__name__}.",
        hint="cache=safekv.CacheSettings(ttl=60) is an example; cache=None reads the vault every time.",
    )


def _number(name: str, text: str, *, whole: bool) -> float:
    try:
        return int(text) if whole else float(text)
    except ValueError:
        kind = "a whole number" if whole else "a number"
        raise InvalidArgument(f"{name}={text!r} is not {kind}.", hint=f"{name}=60 is an example.") from None


def _check(field: str, value: Any, name: str) -> None:
    """``name`` is what the caller knows the field by."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if field == "max_entries" and (not number or value != int(value)):
        raise InvalidArgument(f"{name}={value!r} must be a whole number.", hint=f"{name}=1000 is an example.")
    if not number or value < 0 or (value == 0 and field not in _MAY_BE_ZERO):
        least = "at least 0" if field in _MAY_BE_ZERO else "positive"
        raise InvalidArgument(f"{name}={value!r} must be a finite number, {least}.", hint=f"{name}=1 is an example.")
    if field in _PARTS and value > 1:
        raise InvalidArgument(f"{name}={value!r} is a part, so at most 1.", hint=f"{name}=0.5 is an example.")
