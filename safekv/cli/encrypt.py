"""``safekv encrypt``: files and pipes, under a key ring."""

from __future__ import annotations

from typing import Any

import click

from safekv.cli import _crypt
from safekv.cli._rings import kek_option


@click.command("encrypt")
@click.argument("files", nargs=-1, required=True, metavar="FILE...|-")
@click.option("--ring", required=True, envvar="SAFEKV_RING", show_envvar=True, metavar="FILE", help="The key ring.")
@kek_option
@click.option("-o", "--output", metavar="PATH", help="The target, or - for standard output; a directory for several.")
@click.option("--aad", default="", help="Context that decrypting needs again; it is not stored and not secret.")
@click.option("-r", "--recursive", is_flag=True, help="Take all files in directories that do not end with .safekv.")
@click.option("--force", is_flag=True, help="Replace files that exist.")
@click.option(
    "--embed-ring",
    is_flag=True,
    help="Put the wrapped ring into each file, to be read with the vault alone: decrypt --kek.",
)
def command(files: tuple[str, ...], output: str | None, **options: Any) -> None:
    """Encrypt files, each into FILE.safekv, or standard input (-) to standard output.

    Sources are left alone. A target appears when all of it is written, and for its owner only.
    """
    _crypt.run(False, files, output, **options)
