"""A program of its own that uses the SDK without knowing of the emulator."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping

import pytest

RunClient = Callable[..., "subprocess.CompletedProcess[str]"]

# What a client must find in the emulator's variables, and nowhere else.
_FORGOTTEN = ("AZURE_", "IDENTITY_", "MSI_", "IMDS_")


@pytest.fixture
def run_client() -> RunClient:
    """Run Python source as a process with these variables added to an environment that knows no Azure."""

    def run(source: str, variables: Mapping[str, str], *, check: bool = True) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(_FORGOTTEN)}
        return subprocess.run(
            [sys.executable, "-W", "error::ResourceWarning", "-c", source],
            env={**clean, **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=check,
        )

    return run
