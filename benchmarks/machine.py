"""On what, with what and when something was measured."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

#: Ours, what it stands on, and the peers.
PACKAGES = (
    "safekv",
    "azure-core",
    "azure-identity",
    "azure-keyvault-secrets",
    "azure-keyvault-keys",
    "cryptography",
    "cachetools",
    "aws-secretsmanager-caching",
    "aws-lambda-powertools",
    "pydantic-settings",
    "azure-appconfiguration-provider",
    "tink",
    "aws-encryption-sdk",
    "pyarrow",
    "pandas",
    "pyspark",
)


def machine() -> dict[str, str | int]:
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
    }


def versions() -> dict[str, str]:
    """Of what is installed."""
    found = {}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def today() -> str:
    return datetime.now(timezone.utc).date().isoformat()


def _processor() -> str:
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
