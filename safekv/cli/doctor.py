"""``safekv doctor``: walk the guides in order, and say what to do first."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from safekv.cli._words import wrapped
from safekv.cli.examination._check import Check
from safekv.cli.examination._machine import Machine
from safekv.cli.examination._walk import walk

_MARKS = {
    "ok": ("ok", "green"),
    "warning": ("warning", "yellow"),
    "failed": ("FAILED", "red"),
    "skipped": ("skipped", "bright_black"),
}


@click.command("doctor")
@click.argument("vault", required=False)
@click.option("--secret", metavar="NAME", help="Also read this secret; its value is not shown.")
@click.option("--key", metavar="NAME", help="Also read this key, and wrap and unwrap a few bytes with it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(context: click.Context, vault: str | None, secret: str | None, key: str | None, as_json: bool) -> None:
    """Look for what is wrong between this machine and a vault, and say what to do first.

    VAULT is a URL or a name; by default AZURE_KEY_VAULT_URL. Nothing in the vault is changed,
    and no value and no token is shown. The exit code is 0 if all is well, 1 for warnings, 2 for failures.
    """
    machine = context.obj if isinstance(context.obj, Machine) else Machine()
    checks = []
    for check in walk(vault, machine, secret=secret, key=key):
        checks.append(check)
        if not as_json:
            click.echo(_line(check))
    first = first_of(checks)
    if as_json:
        shown = {
            "checks": [asdict(each) for each in checks],
            "first": first and first.name,
            "exit_code": code_of(checks),
        }
        click.echo(json.dumps(shown, indent=2, default=str))
    else:
        click.echo(_first(first))
    sys.exit(code_of(checks))


def first_of(checks: list[Check]) -> Check | None:
    """The check whose advice is to be followed first: the first failure, else the first warning."""
    for state in ("failed", "warning"):
        for check in checks:
            if check.state == state:
                return check
    return None


def code_of(checks: list[Check]) -> int:
    states = {check.state for check in checks}
    return 2 if "failed" in states else 1 if "warning" in states else 0


def _line(check: Check) -> str:
    mark, colour = _MARKS[check.state]
    said = wrapped(check.said, then=" " * 24)
    return f"{click.style(f'{mark:>8}', fg=colour)}  {check.name:<13} {said}"


def _first(check: Check | None) -> str:
    if check is None:
        return "\nAll is well."
    lines = [
        f"\nFirst: {check.name}",
        wrapped(check.advice or check.said, "  "),
    ]
    lines += [f"  $ {each}" for each in check.remedies if each.startswith("az ")][:2]
    return "\n".join([*lines, *([f"  {check.guide_url}"] if check.guide_url else [])])
