"""The oldest Azure packages that safekv can make safe, checked when a door is imported."""

from __future__ import annotations

import re

from safekv.errors import UnsupportedVersion

#: Below these a shared client can return another caller's secret, and write it again.
FLOORS = {
    "azure-keyvault-secrets": "4.11.3",
    "azure-keyvault-keys": "4.11.3",
    "azure-keyvault-certificates": "4.11.3",
    "azure-identity": "1.25.0",
    "azure-keyvault-administration": "4.7.2",
}


def require(package: str, installed: str) -> None:
    """Refuse a package below its floor.

    :raises UnsupportedVersion: naming both versions and the command that upgrades.
    """
    floor = FLOORS[package]
    if _numbers(installed) >= _numbers(floor):
        return
    raise UnsupportedVersion(
        f"{package} {installed} is installed; safekv needs {floor} or newer. Older versions can hand one caller's "
        "secret or token to another when a client is shared, which is what safekv does.",
        hint=f"pip install -U '{package}>={floor}'",
    )


def _numbers(version: str) -> tuple[int, ...]:
    """``"4.11.3b1"`` as ``(4, 11, 3)``: a pre-release of the floor is taken for the floor."""
    parts = (re.match(r"\d+", part) for part in version.split(".")[:3])
    return tuple(int(number[0]) for number in parts if number)
