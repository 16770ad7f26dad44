"""The packages whose tests are run, and what safekv has for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from outcomes import FLAVOURS, Flavour


@dataclass(frozen=True, slots=True)
class Package:
    """``flavours`` has ``safekv`` as soon as safekv has a door for the package; ``options`` go to pytest."""

    distribution: str
    flavours: tuple[Flavour, ...] = ("sdk",)
    options: tuple[str, ...] = ()


PACKAGES: Mapping[str, Package] = {
    "secrets": Package("azure-keyvault-secrets", FLAVOURS),
    "keys": Package("azure-keyvault-keys", FLAVOURS, options=("--all-api-versions",)),
    "certificates": Package("azure-keyvault-certificates", FLAVOURS),
    "administration": Package("azure-keyvault-administration", FLAVOURS),
}
