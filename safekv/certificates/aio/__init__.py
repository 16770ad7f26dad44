"""A drop-in ``azure.keyvault.certificates.aio``."""

from safekv.certificates.aio._client import CertificateClient

__all__ = ["CertificateClient"]
