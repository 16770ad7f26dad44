"""``safekv get``: a secret's properties, or its value where that is asked for."""

from __future__ import annotations

import re
import sys
from datetime import datetime
from typing import Any

import click

from safekv.cli._failing import told
from safekv.cli._words import clean
from safekv.config._loader import Clients
from safekv.config._names import secret_name
from safekv.config._references import Reference, is_reference, parse

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


@click.command("get")
@click.argument("name")
@click.option("--vault", metavar="VAULT", help="A URL or a name; by default AZURE_KEY_VAULT_URL.")
@click.option("--version", help="This version, not the current one.")
@click.option("--value", is_flag=True, help="Print the value and nothing else.")
@click.option("--timeout", default=30.0, show_default=True, help="Seconds.")
def command(name: str, *, vault: str | None, version: str | None, value: bool, timeout: float) -> None:
    """Show the properties of the secret NAME, which may also be kv://vault/name.

    As in safekv.load, an underscore in NAME is a hyphen (db_password is db-password): no secret has one.

    With --value, its value instead: as it is where the output is a file or a pipe, with control characters
    escaped where it is a terminal.
    """
    with told(), Clients(vault, None, timeout) as clients:
        found = parse(name, clients.targets.vaults) if is_reference(name) else Reference(None, secret_name(name))
        client = clients.client(found.vault or clients.targets.needed())
        secret = client.get_secret(found.name, version or found.version, timeout=timeout)
    if value:
        write_value(secret.value or "")
    else:
        click.echo(_shown(secret.properties))


def write_value(text: str) -> None:
    """The value, and nothing that a terminal would take for a command."""
    if sys.stdout.isatty():
        click.echo(_CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text), color=True)
        return
    sys.stdout.buffer.write(text.encode("utf-8", "surrogatepass"))
    sys.stdout.buffer.flush()


def _shown(properties: Any) -> str:
    rows = {
        "name": properties.name,
        "vault": properties.vault_url,
        "version": properties.version,
        "enabled": "yes" if properties.enabled else "no",
        "content type": properties.content_type,
        "created": _time(properties.created_on),
        "updated": _time(properties.updated_on),
        "not before": _time(properties.not_before),
        "expires": _time(properties.expires_on),
        **{f"tag {tag}": value for tag, value in (properties.tags or {}).items()},
    }
    return "\n".join(f"{name:<14}{clean(str(value))}" for name, value in rows.items() if value is not None)


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%d %H:%M:%SZ")
