"""A drop-in ``azure.keyvault.secrets.aio``."""

from safekv.secrets.aio._client import SecretClient

__all__ = ["SecretClient"]
