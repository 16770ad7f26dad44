"""``safekv check``: the resolution of ``safekv exec`` without its command; names and states, no values."""

from __future__ import annotations

import sys
from typing import Any

import click

from safekv.cli._failing import told
from safekv.cli._gathering import Gathered, Options, Row, gather, options
from safekv.config._files import File, read_file
from safekv.config._loader import Clients
from safekv.config._resolve import Resolution


@click.command("check")
@options
@click.option("--strict", is_flag=True, help="Take warnings for errors, as exec --strict does.")
@click.argument("files", nargs=-1)
def command(files: tuple[str, ...], *, strict: bool, **given: Any) -> None:
    """See whether all secrets can be had that safekv exec would need, and those in FILES.

    FILES are .env, TOML, JSON or YAML files with references anywhere in their values. Each name is printed with its
    secret and its state, and no value. The exit code is 1 if anything is wrong; all of it is listed.
    """
    with told():
        gathered = gather(Options(**given))
        for file in map(read_file, files):
            gathered.rows += _rows(file, given["vault"], given["timeout"])
        for row in gathered.rows:
            mark = click.style("      ok", fg="green") if row.error is None else click.style("  FAILED", fg="red")
            click.echo(f"{mark}  {row.where}  {row.secret}")
        for warning in gathered.warnings:
            click.echo(f" warning  {warning}", err=True)
        gathered.check()
        if strict and gathered.warnings:
            raise click.ClickException("Warnings are errors, because of --strict.")
    _summary(gathered)


def _rows(file: File, vault: str | None, timeout: float) -> list[Row]:
    with Clients(vault, None, timeout) as clients:
        found = Resolution(file.values, clients.targets.vaults, file.where)
        plan = clients.read(found.wanted)
    rows = [Row(key, key, *state) for key, state in plan.states().items()]
    return rows + [Row(key, key, "not read", problem) for key, problem in found.problems.items()]


def _summary(gathered: Gathered) -> None:
    count = len(gathered.rows)
    click.echo(
        "There are no references." if not count else f"All {count} can be had." if count > 1 else "It can be had."
    )
    sys.exit(0)
