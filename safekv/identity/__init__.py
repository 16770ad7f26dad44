"""A drop-in ``azure.identity``: the same arguments give the same credential object.

>>> from safekv.identity import DefaultAzureCredential
>>> DefaultAzureCredential() is DefaultAzureCredential()
True

Each credential is also an instance of azure-identity's class of that name. What is no
credential (``AzureAuthorityHosts``, ``get_bearer_token_provider`` …) is azure-identity's own.
"""

from typing import TYPE_CHECKING, Any

import azure.identity

from safekv._versions import require as _require

_require("azure-identity", azure.identity.__version__)

if TYPE_CHECKING:
    from azure.identity import *  # noqa: F403

__all__ = list(azure.identity.__all__)


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'safekv.identity' has no attribute {name!r}")
    from safekv.identity._shared import SharedCredential, shared_class

    # Threads that ask first at the same time have to get one class.
    return globals().setdefault(name, shared_class(getattr(azure.identity, name), SharedCredential, __name__))


def __dir__() -> list[str]:
    return __all__
