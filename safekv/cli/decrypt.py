"""``safekv decrypt``: the reverse of ``safekv encrypt``."""

from __future__ import annotations

from typing import Any

import click

from safekv.cli import _crypt
from safekv.cli._rings import kek_option


@click.command("decrypt")
@click.argument("files", nargs=-1, required=True, metavar="FILE...|-")
@click.option(
    "--ring",
    envvar="SAFEKV_RING",
    show_envvar=True,
    metavar="FILE",
    help="The key ring.  [default: the one in each file, of encrypt --embed-ring]",
)
@kek_option
@click.option("-o", "--output", metavar="PATH", help="The target, or - for standard output; a directory for several.")
@click.option("--aad", default="", help="The context that was given to encrypt.")
@click.option("-r", "--recursive", is_flag=True, help="Take all files in directories that end with .safekv.")
@click.option("--force", is_flag=True, help="Replace files that exist.")
def command(files: tuple[str, ...], output: str | None, **options: Any) -> None:
    """Decrypt files FILE.safekv into FILE, or standard input (-) to standard output.

    A target appears when all of it is known to be genuine. Standard output gets only what is genuine, too; that it is
    complete is said by the exit code 0.

    Without --ring, the ring in a file is opened by the keys of --kek and by no others that it may name. It does not
    prove who wrote the file: anybody can wrap a ring for your key.
    """
    _crypt.run(True, files, output, **options)
