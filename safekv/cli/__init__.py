"""The ``safekv`` command. Without the ``cli`` extra it says what to install."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

try:
    from safekv.cli._group import main
except ModuleNotFoundError as missing:
    if missing.name != "click":
        raise

    def main(*_: Any, **__: Any) -> NoReturn:  # type: ignore[misc]  # stands in for the command
        print("safekv's command line needs its extra: pip install 'safekv[cli]'", file=sys.stderr)
        raise SystemExit(2)


__all__ = ["main"]
