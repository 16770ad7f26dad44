"""The rules over Python code. Each module has ``check(code)``, which yields what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from safekv.migrate._checks import catching, clients, crypto, importing, listing, options
from safekv.migrate._code import Code
from safekv.migrate._findings import Finding

CHECKS: tuple[Callable[[Code], Iterator[Finding]], ...] = (
    clients.check,
    crypto.check,
    listing.check,
    importing.check,
    options.check,
    catching.check,
)
