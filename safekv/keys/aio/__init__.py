"""A drop-in ``azure.keyvault.keys.aio``."""

from safekv.keys.aio._client import KeyClient

__all__ = ["KeyClient"]
