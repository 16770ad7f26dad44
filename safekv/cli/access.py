"""``safekv access``: who may do what in a vault, and what a deployment would do to that."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from safekv import access
from safekv._files import mode_of, replaced
from safekv.access import PermissionModel, Template, VaultAccess
from safekv.access._export import FORMATS, saved
from safekv.access._templates import vault_named_in
from safekv.cli._access_shown import access_lines, difference_lines, verdict_lines
from safekv.cli._failing import Failure, told
from safekv.cli._words import clean

C = TypeVar("C", bound=Callable[..., Any])

#: The exit code for an error; 1 says that access is lost, or not there.
_ERROR = 2
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _object_id(_: click.Context, __: click.Parameter, given: str) -> str:
    """Azure takes a name for an identity that has no access, and so would every answer here."""
    if not _OBJECT_ID.fullmatch(given):
        raise Failure(
            f"{given!r} is no object id, which is like 00000000-0000-4000-8000-000000000001.\n"
            "`az ad user show --id MAIL --query id`, `az ad sp show --id CLIENT_ID --query id` and `safekv doctor` "
            "print it.",
            _ERROR,
        )
    return given


@click.group("access")
def command() -> None:
    """Who may do what in a vault, and what deploying its template would do to that.

    Whatever asks Azure needs the extra: pip install 'safekv[management]'. With --present FILE nothing is asked: FILE is
    what `safekv access export --format json` or `az keyvault show` has written.
    """


@dataclass(frozen=True)
class _Asked:
    """Which vault, and where what is known of it comes from."""

    vault: str | None
    present: str | None
    subscription: str | None
    endpoint: str | None
    timeout: float

    def access(self, template: Template | None = None, *, roles: bool = True) -> VaultAccess:
        if self.present is not None:
            return access.load(self.present)
        vault = self.vault or (vault_named_in(template) if template is not None else None)
        return access.read(
            vault, subscription_id=self.subscription, roles=roles, timeout=self.timeout, endpoint=self.endpoint
        )

    def groups(self, present: VaultAccess, identity: str) -> Collection[str] | None:
        """Through which groups an identity has roles; None where nobody can be asked."""
        if self.present is not None or present.model is not PermissionModel.RBAC:
            return None
        return access.groups_of(present, identity, timeout=self.timeout, endpoint=self.endpoint)


def _asking(command: C) -> C:
    """The options that say which vault, and where to ask."""
    for option in (
        click.option("--timeout", default=60.0, show_default=True, help="Seconds for all requests together."),
        click.option("--endpoint", metavar="URL", help="Of a management plane that is none of Azure's own."),
        click.option("--subscription", metavar="ID", help="Where the vault is; by default AZURE_SUBSCRIPTION_ID."),
        click.option("--present", metavar="FILE", help="Ask nobody: take the access that was saved in FILE."),
    ):
        command = option(command)
    return command


_VAULT = click.argument("vault", required=False)
_OF_VAULT = click.option("--vault", metavar="VAULT", help="By default the one that the template names.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_TEMPLATE = click.argument("template", metavar="TEMPLATE")
_PARAMETERS = click.option(
    "--parameters", multiple=True, metavar="FILE", help="A parameter file; may be repeated, the later ones count."
)
_ALLOW = click.option("--allow-unknown", is_flag=True, help="Go on where only the deployment knows who has access.")


@command.command("show")
@_VAULT
@_asking
@_JSON
def show(vault: str | None, as_json: bool, **asked: Any) -> None:
    """Say who has what in VAULT: a resource id, a URL or a name; by default AZURE_KEY_VAULT_URL."""
    with told(_ERROR):
        present = _Asked(vault, **asked).access()
        _print(saved(present), access_lines(present), as_json)


@command.command("export")
@_VAULT
@click.option("--format", "format_", type=click.Choice(FORMATS), default="arm", show_default=True)
@click.option("--child", is_flag=True, help="A resource accessPolicies/add, which takes nothing away, instead.")
@click.option("-o", "--output", metavar="FILE", help="Where to; by default standard output.")
@_asking
def export(vault: str | None, format_: str, child: bool, output: str | None, **asked: Any) -> None:
    """Print the present access policies of VAULT as the section to put into its template.

    JSON is all that was read, for --present.
    """
    with told(_ERROR):
        _write(access.export(_Asked(vault, **asked).access(roles=format_ == "json"), format_, child=child), output)


@command.command("diff")
@_TEMPLATE
@_PARAMETERS
@_OF_VAULT
@_ALLOW
@_asking
@_JSON
def diff(
    template: str, parameters: tuple[str, ...], vault: str | None, allow_unknown: bool, as_json: bool, **asked: Any
) -> None:
    """Say whom a deployment of TEMPLATE would take access from, and whom it would give some.

    TEMPLATE is an ARM template; Bicep is compiled first (az bicep build). The exit code is 1 if anybody loses anything,
    or if that cannot be known; 2 for an error.
    """
    with told(_ERROR):
        read = Template.load(template, parameters)
        found = access.diff(read, _Asked(vault, **asked).access(read))
        _print(found.to_dict(), difference_lines(found), as_json)
    sys.exit(0 if found.is_safe(allow_unknown=allow_unknown) else 1)


@command.command("merge")
@_TEMPLATE
@_PARAMETERS
@_OF_VAULT
@_ALLOW
@click.option("-o", "--output", metavar="FILE", help="Where to; by default standard output.")
@_asking
def merge(
    template: str, parameters: tuple[str, ...], vault: str | None, allow_unknown: bool, output: str | None, **asked: Any
) -> None:
    """Write TEMPLATE with the present policies kept, so that deploying it takes nothing away.

    Everything else in it stays as it is. What was changed is said on standard error.
    """
    with told(_ERROR):
        read = Template.load(template, parameters)
        found = access.merge(read, _Asked(vault, **asked).access(read), allow_unknown=allow_unknown)
        _write(found.text, output)
    for line in (*found.changes, *(f"not known: {each}" for each in found.difference.unknown)):
        click.echo(clean(line), err=True)
    if not found.changes:
        click.echo("Nothing had to be changed.", err=True)


@command.command("check")
@_VAULT
@click.option("--identity", required=True, metavar="OID", callback=_object_id, help="The object id of who wants to.")
@click.option("--operation", required=True, metavar="NAME", help="As the SDK's method is called: get_secret.")
@click.option("--name", metavar="NAME", help="Of the object; without it, whether it may for every object.")
@click.option("--group", "groups", multiple=True, metavar="OID", help="A group that it is in; give all of them.")
@click.option("--no-groups", is_flag=True, help="It is in no group.")
@_asking
@_JSON
def check(
    vault: str | None,
    identity: str,
    operation: str,
    name: str | None,
    groups: tuple[str, ...],
    no_groups: bool,
    as_json: bool,
    **asked: Any,
) -> None:
    """Say whether an identity may do something in VAULT, by which entry, and the smallest change that would allow it.

    The exit code is 1 if it may not, as far as can be known; 2 for an error.
    """
    with told(_ERROR):
        asking = _Asked(vault, **asked)
        present = asking.access()
        known = groups or (() if no_groups else asking.groups(present, identity))
        found = access.check(present, identity, operation, name, groups=known)
        _print(found.to_dict(), verdict_lines(found), as_json)
    sys.exit(0 if found.allowed else 1)


def _print(data: Any, lines: Iterable[str], as_json: bool) -> None:
    click.echo(json.dumps(data, indent=2, ensure_ascii=False) if as_json else "\n".join(map(clean, lines)))


def _write(text: str, output: str | None) -> None:
    if output is None or output == "-":
        click.echo(text, nl=not text.endswith("\n"))
    else:
        with replaced(output, mode=mode_of(output)) as file:
            file.write(text.encode())
