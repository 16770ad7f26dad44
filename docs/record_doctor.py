"""Record ``docs/doctor.svg``: ``safekv doctor`` against the emulator, with a role missing.

python docs/record_doctor.py
"""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

from click.testing import CliRunner
from rich.console import Console
from rich.text import Text

from safekv.cli import main
from safekv.emulator import EmulatorServer

_PICTURE = Path(__file__).parent / "doctor.svg"


def record() -> str:
    """What the command prints, with colours, and without what differs from run to run."""
    with EmulatorServer(vaults=["my-vault"]) as server:
        os.environ.update(server.environment())
        (vault,) = server.emulator.vaults.values()
        vault.enforce = True  # whoever asks owns the subscription, which lets nobody read
        vault.use_roles(True)
        printed = CliRunner().invoke(main, ["doctor", "--secret", "db-password"], color=True).output
    printed = re.sub(r"/\S*safekv-emulator-\w+/", "", printed)
    printed = re.sub(r"(127\.0\.0\.1|0\.0\.1):\d+", r"\1:8443", printed)
    return re.sub(r"safekv emulator [0-9a-f]{8}", "safekv emulator", printed)


def main_() -> None:
    console = Console(record=True, width=124, file=io.StringIO(), force_terminal=True)
    console.print(Text("$ safekv doctor --secret db-password", style="bold"))
    console.print(Text.from_ansi(record()))
    _PICTURE.write_text(console.export_svg(title="safekv doctor", unique_id="doctor"), "utf-8")


if __name__ == "__main__":
    main_()
