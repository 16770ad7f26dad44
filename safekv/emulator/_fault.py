"""One fault: what it meets, what it does, and whether that makes sense."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from safekv.emulator._messages import Network, Request
from safekv.emulator._router import operation_named
from safekv.emulator._settings import RETRY_AFTER_STYLES, is_number, one_of
from safekv.emulator._vault import Vault
from safekv.errors._catalogue import ROWS

LONGEST_DELAY = 600.0
_LONGEST_RETRY_AFTER = 1_000_000.0

Delay = float | dict[str, Any]
Body = bytes | str | dict[str, Any] | list[Any]


@dataclass(slots=True)
class Fault:
    """A failure that waits for its requests; made by ``Emulator.fail``. ``matched`` and ``fired`` count them."""

    operation: str | None = None
    method: str | None = None
    path: str | None = None
    vault: str | None = None
    status: int | None = None
    error: str | None = None
    network: Network | None = None
    html: bool = False
    delay: Delay = 0.0
    nth: int | None = None
    count: int | None = 1
    probability: float = 1.0
    retry_after: float | None = None
    retry_after_style: str = "seconds"
    body: Body | None = field(default=None, repr=False)  # bytes, once made
    matched: int = field(default=0, init=False)
    fired: int = field(default=0, init=False)
    on_remove: Callable[[Fault], None] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        _check_types(self)
        _check_whom(self)
        _check_what(self)
        _check_delay(self.delay)
        _check_numbers(self)

    def remove(self) -> None:
        """Let it wait no longer."""
        if self.on_remove:
            self.on_remove(self)

    @property
    def answers(self) -> bool:
        """Whether it answers in the service's place."""
        return self.error is not None or self.status is not None or self.html or self.body is not None

    @property
    def kind(self) -> str:
        """What it does, for the journal: an error's id, a kind of network failure, a status, …"""
        if self.network:
            return self.network.value
        if self.answers:
            return self.error or ("html" if self.html else str(self.status or 200))
        return "delay"

    def meets(self, request: Request, vault: Vault | None, operation: str | None, *, bearer: bool) -> bool:
        """Whether a request is one that it waits for. See ``_faults`` for ``bearer``.

        Without a ``vault`` it is one to the control plane, which a fault meets only if its ``path`` names it.
        """
        if vault is None and (self.path is None or self.vault is not None):
            return False
        wants_bearer = self.operation is not None or (self.error is not None and self.error.startswith("401_"))
        return (
            (bearer or not wants_bearer)
            and self.operation in (None, operation)
            and self.method in (None, request.method)
            and (self.vault is None or vault is None or self.vault in (vault.name.lower(), vault.authority))
            and (self.path is None or re.search(self.path, request.path) is not None)
        )

    def fires(self, chance: random.Random) -> bool:
        """Count a request that it meets, and say whether this is one that fails."""
        self.matched += 1
        if self.matched < (self.nth or 1) or (self.count is not None and self.fired >= self.count):
            return False
        if self.probability < 1 and chance.random() >= self.probability:
            return False
        self.fired += 1
        return True


def _check_types(fault: Fault) -> None:
    for name in ("operation", "method", "path", "vault", "error", "retry_after_style"):
        value = getattr(fault, name)
        if not isinstance(value, str | None):
            raise ValueError(f"{name} must be a text, not {value!r}")
    if type(fault.html) is not bool:
        raise ValueError(f"html must be True or False, not {fault.html!r}")


def _check_whom(fault: Fault) -> None:
    """Also brings what is given into the form in which it is compared."""
    if fault.operation is not None:
        fault.operation = operation_named(fault.operation)
    if fault.method is not None:
        fault.method = fault.method.upper()
    if fault.vault is not None:
        fault.vault = fault.vault.lower()
    if fault.path is not None:
        try:
            re.compile(fault.path)
        except re.error as problem:
            raise ValueError(
                f"path={fault.path!r} is not a regular expression such as '/secrets/app-': {problem}"
            ) from None


def _check_what(fault: Fault) -> None:
    if fault.network is not None:
        one_of("network", fault.network, [kind.value for kind in Network])
        fault.network = Network(fault.network)
    if fault.error is not None:
        one_of("error", fault.error, [row.id for row in ROWS])
    if fault.status is not None and (type(fault.status) is not int or not 200 <= fault.status <= 599):
        raise ValueError(f"status must be 200 to 599, such as 503, not {fault.status!r}")
    if fault.network and fault.answers:
        raise ValueError("a fault is a network failure or an answer (status, error, html, body), not both")
    if fault.error and (fault.status or fault.html or fault.body is not None):
        raise ValueError("error brings its own status and body; give status, html and body without it")
    if not (fault.network or fault.answers or fault.delay):
        raise ValueError("a fault needs something to do: status=503, error='429', network='dns', html=True, delay=2.0")
    if fault.body is not None:
        fault.body = _as_bytes(fault.body)
    if fault.retry_after is not None and not fault.answers:
        raise ValueError("retry_after needs an answer to stand in, such as status=429")


def _as_bytes(body: Any) -> bytes:
    try:
        if isinstance(body, dict | list):
            return json.dumps(body, allow_nan=False).encode()
        return body if isinstance(body, bytes) else body.encode()
    except (TypeError, ValueError, AttributeError, RecursionError):
        kind = type(body).__name__
        raise ValueError(
            f"body must be a text, bytes, or an object or list that JSON can hold, not this {kind}"
        ) from None


def _check_numbers(fault: Fault) -> None:
    for name in ("nth", "count"):
        value = getattr(fault, name)
        if value is not None and (type(value) is not int or value < 1):
            raise ValueError(f"{name} must be a number of requests >= 1, or None, not {value!r}")
    if not is_number(fault.probability) or not 0 <= fault.probability <= 1:
        raise ValueError(f"probability must be 0 to 1, such as 0.1, not {fault.probability!r}")
    one_of("retry_after_style", fault.retry_after_style, RETRY_AFTER_STYLES)
    retry_after = fault.retry_after
    if retry_after is not None and not (is_number(retry_after) and abs(retry_after) <= _LONGEST_RETRY_AFTER):
        raise ValueError(f"retry_after must be a number of seconds, such as 3, not {retry_after!r}")


def _check_delay(delay: Any) -> None:
    if is_number(delay) and 0 <= delay <= LONGEST_DELAY:
        return
    if isinstance(delay, dict) and len(delay) == 1:
        shape, numbers = next(iter(delay.items()))
        if isinstance(numbers, list | tuple) and len(numbers) == 2 and all(is_number(each) for each in numbers):
            first, second = numbers
            if shape == "uniform" and 0 <= first <= second <= LONGEST_DELAY:
                return
            if shape == "lognormal" and 0 < first <= LONGEST_DELAY and 0 <= second <= 10:
                return
    forms = "0.5, {'uniform': [0.1, 0.5]} or {'lognormal': [median, sigma]}"
    raise ValueError(f"delay must be 0 to {LONGEST_DELAY:.0f} seconds in a form such as {forms}, not {delay!r}")
