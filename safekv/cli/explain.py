"""``safekv explain``: what an error means, and what to do about it."""

from __future__ import annotations

import json
import sys

import click

from safekv.cli._own_errors import module_of, with_own
from safekv.cli._words import wrapped
from safekv.errors._explaining import MOST, Explanation, explain

_GUIDE = "Microsoft's guide"


@click.command(
    "explain",
    help="Say what an error means and what to do: give a code, an error's name, a message, or - for standard input.",
)
@click.argument("text", nargs=-1, required=True, metavar="CODE|ERROR|MESSAGE|-")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: a list, the likeliest explanation first.")
def command(text: tuple[str, ...], as_json: bool) -> None:
    given = _standard_input() if text == ("-",) else " ".join(text)
    found = with_own(given, explain(given))
    if as_json:
        click.echo(json.dumps([each._asdict() for each in found], indent=2))
    elif found:
        click.echo(_shown(found[0]))
        for each in found[1:4]:
            click.echo(f"See also: safekv explain {each.slug}  ({each.title})")
    else:
        click.echo(
            "Nothing in this is known. Give the service's message, its code (ForbiddenByRbac, AKV10032), a status "
            "(429), or the whole traceback on standard input: safekv explain -",
            err=True,
        )
    sys.exit(0 if found else 1)


def _standard_input() -> str:
    """Its end; a program's whole log may come."""
    kept = b""
    for chunk in iter(lambda: sys.stdin.buffer.read(MOST), b""):
        kept = (kept + chunk)[-MOST:]
    return kept.decode("utf-8", "replace")


def _shown(found: Explanation) -> str:
    known = [f"{name.replace('_', ' ')}: {value}" for name, value in sorted(found.facts.items())]
    commands = [each for each in found.remedies if each.startswith("az ")]
    words = [each for each in found.remedies if not each.startswith("az ")]
    parts = [
        click.style(found.title, bold=True),
        f"Raised as {module_of(found.kind)}.{found.kind}{'; may pass by itself' if found.transient else ''}.",
        wrapped(found.meaning),
        *(["What the text tells:\n" + "\n".join(f"  {each}" for each in known)] if known else []),
        "What to do:\n" + wrapped(found.hint, "  "),
        *(["\n".join(f"  $ {each}" for each in commands)] if commands else []),
        *(["\n".join(wrapped(each, "  - ", "    ") for each in words)] if words else []),
        f"{'More' if found.guide_url.startswith('docs/') else _GUIDE}: {found.guide_url}",
    ]
    return "\n\n".join(parts) + "\n"
