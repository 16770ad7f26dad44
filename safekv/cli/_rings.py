"""What the commands that use a key ring share: its options, how it is loaded, and what its vaults were asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from safekv.cli._failing import said
from safekv.envelope import KeyRing
from safekv.errors import SafeKVError

Command = TypeVar("Command", bound=Callable[..., Any])

KEY_EXAMPLE = "https://my-vault.vault.azure.net/keys/app-kek"


def kek_option(command: Command) -> Command:
    """``--kek``: who opens the ring."""
    option = click.option(
        "--kek",
        "keks",
        multiple=True,
        metavar="KEY",
        help=f"Id of a key that opens the ring, such as {KEY_EXAMPLE}; may be repeated.  "
        "[default: those of the ring that are in the vault of AZURE_KEY_VAULT_URL]",
    )
    return option(command)


def loaded(path: str | Path, keks: tuple[str, ...]) -> KeyRing:
    """The ring in a file."""
    try:
        return KeyRing.load(path, *keks)
    except OSError as error:
        if isinstance(error, SafeKVError):
            raise
        raise click.ClickException(f"The key ring {said(error)}.") from None


def vault_calls(*rings: KeyRing) -> int:
    """How many requests this process has sent to the vaults of the rings' keys."""
    clients = {kek.address.split("/")[2]: kek.client for ring in rings for kek in ring._keks}
    lanes = [lane for client in clients.values() for lane in client.lane_status().values()]
    return sum(lane.accepted + lane.throttled + lane.failed for lane in lanes)
