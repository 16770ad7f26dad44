"""The error for an extra that is not installed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from safekv.errors import MissingPackage


def need(module: str, extra: str) -> Any:
    """The module.

    :raises MissingPackage: saying what to install.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if not module.startswith(error.name or "?"):
            raise
        raise MissingPackage(
            f"safekv.integrations.{extra} needs {module.split('.')[0]}.",
            hint=f"pip install 'safekv[{extra}]'",
        ) from error
