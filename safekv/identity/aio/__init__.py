"""A drop-in ``azure.identity.aio``: shared credentials that work in any event loop."""

from typing import TYPE_CHECKING, Any

import azure.identity.aio

if TYPE_CHECKING:
    from azure.identity.aio import *  # noqa: F403

__all__ = list(azure.identity.aio.__all__)


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'safekv.identity.aio' has no attribute {name!r}")
    from safekv.identity._shared import shared_class
    from safekv.identity.aio._shared import AsyncSharedCredential

    return globals().setdefault(name, shared_class(getattr(azure.identity.aio, name), AsyncSharedCredential, __name__))


def __dir__() -> list[str]:
    return __all__
