"""safekv stands between an application and Azure Key Vault."""
__version__ = "0.1.0"
