"""The samples as ``safekv migrate --write`` leaves them. Nothing else is done to them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from outcomes import Outcome
from suite import clean_environment

_LEFT = re.compile(r"^\s*(?:from|import)\s+azure\.(?:keyvault|identity)\b.*", re.MULTILINE)


def migrate(scripts: Path) -> Outcome:
    """Migrate all scripts in the directory; whether that left nothing to be done by hand."""
    command = [sys.executable, "-m", "safekv", "migrate", "--write", str(scripts)]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        return Outcome("failed", f"exit code {done.returncode}: {done.stderr[-1500:]}")
    texts = {script.name: script.read_text(encoding="utf-8") for script in scripts.glob("*.py")}
    left = [f"{name}: {line.strip()}" for name, text in texts.items() for line in _LEFT.findall(text)]
    return Outcome("failed", f"still there: {left}") if left else Outcome("passed")
