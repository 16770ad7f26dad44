"""``safekv list``: the secrets of a vault, with their states; no values."""

from __future__ import annotations

from typing import Any

import click

from safekv.cli._failing import told
from safekv.cli._words import clean
from safekv.config._loader import Clients
from safekv.config._names import secret_prefix


def _tags(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    for each in given:
        if "=" not in each:
            raise click.BadParameter(f"{each!r} is not NAME=VALUE.")
    return dict(each.split("=", 1) for each in given)


@click.command("list")
@click.option("--vault", metavar="VAULT", help="A URL or a name; by default AZURE_KEY_VAULT_URL.")
@click.option("--prefix", default="", help="Those whose names begin so.")
@click.option("--tag", "tags", multiple=True, callback=_tags, metavar="NAME=VALUE", help="Those that have this tag.")
@click.option("--names", is_flag=True, help="Names only, one on a line.")
@click.option("--timeout", default=30.0, show_default=True, help="Seconds.")
def command(*, vault: str | None, prefix: str, tags: dict[str, str], names: bool, timeout: float) -> None:
    """List the secrets of a vault: state, when each was updated, and its name. No values are read."""
    with told(), Clients(vault, None, timeout) as clients:
        client = clients.client(clients.targets.needed())
        begins, now = secret_prefix(prefix).lower(), client._lease.clock.time()
        for each in client.list_properties_of_secrets(timeout=timeout):
            name, has = clean(str(each.name)), each.tags or {}
            if name.lower().startswith(begins) and all(has.get(tag) == value for tag, value in tags.items()):
                updated = f"{each.updated_on:%Y-%m-%d}" if each.updated_on else "-"
                click.echo(name if names else f"{_state(each, now):<10}{updated:<12}{name}")


def _state(properties: Any, now: float) -> str:
    if properties.enabled is False:
        return "disabled"
    if properties.expires_on and properties.expires_on.timestamp() <= now:
        return "expired"
    if properties.not_before and properties.not_before.timestamp() > now:
        return "not yet"
    return "enabled"
