"""What the commands that use a key ring share: its options, how it is loaded, and what its vaults were asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

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
    return KeyRing.load(path, *keks)


@contextmanager
def clear_errors() -> Iterator[None]:
    """Say what went wrong and what to do, in place of a traceback."""
    try:
        yield
    except BrokenPipeError:
        raise
    except (SafeKVError, OSError) as error:
        raise click.ClickException(said(error)) from error


def said(error: BaseException) -> str:
    """An error's own words, or the operating system's."""
    if isinstance(error, OSError) and not isinstance(error, SafeKVError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) or type(error).__name__


def vault_calls(ring: KeyRing) -> int:
    """How many requests this process has sent to the vaults of the ring's keys."""
    clients = {kek.address.split("/")[2]: kek.client for kek in ring._keks}
    lanes = [lane for client in clients.values() for lane in client.lane_status().values()]
    return sum(lane.accepted + lane.throttled + lane.failed for lane in lanes)


def counted(number: int, what: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
