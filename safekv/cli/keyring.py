"""``safekv keyring``: make, show and change key rings."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click

from safekv.cli._failing import said, told
from safekv.cli._rings import KEY_EXAMPLE, kek_option, loaded, vault_calls
from safekv.cli._words import counted
from safekv.envelope import KeyInfo, KeyRing, RingConflict
from safekv.envelope._base import read_document
from safekv.envelope._keys import RECORD_ALGORITHMS
from safekv.envelope._one_writer import one_writer
from safekv.errors import InvalidArgument, SafeKVError

_FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
_SIGN = click.option("--sign-with", metavar="KEY", help="Also sign the ring with this key, into FILE.jws.")
_ALGORITHM = click.option("--algorithm", type=click.Choice(RECORD_ALGORITHMS), help="Of records.")


@click.group("keyring")
def command() -> None:
    """Make, show and change key rings: data keys, wrapped by keys in vaults. A ring's file holds nothing secret."""


@command.command("create")
@_FILE
@click.option(
    "--kek",
    "keks",
    multiple=True,
    required=True,
    metavar="KEY",
    help=f"Id of a key that wraps, such as {KEY_EXAMPLE}; may be repeated.",
)
@_ALGORITHM
@_SIGN
def create(file: Path, keks: tuple[str, ...], algorithm: str | None, sign_with: str | None) -> None:
    """Make a ring with new data keys. Two keys in two vaults keep it readable while one vault is not."""
    with told():
        if file.exists():  # before a vault is asked
            raise _exists(file)
        with KeyRing.create(*keks, algorithm=algorithm) as ring:
            try:
                _keep(ring, file, sign_with)
            except RingConflict:  # somebody else was faster
                raise _exists(file) from None


@command.command("show")
@_FILE
@kek_option
@click.option("--keys", "with_keys", is_flag=True, help="Also the data keys (their ids), which asks a vault.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(file: Path, keks: tuple[str, ...], with_keys: bool, as_json: bool) -> None:
    """Say who can open a ring."""
    with told():
        document = read_document(file)
        shown: dict[str, Any] = {
            "recipients": [{"algorithm": it.algorithm, "key": it.kid} for it in document.recipients]
        }
        if with_keys:
            with loaded(file, keks) as ring:
                due = ring.due()
                shown["keys"] = [{**_described(key), "due": key.key_id in due} for key in ring.list_keys()]
    if as_json:
        click.echo(json.dumps(shown, indent=2))
        return
    for it in shown["recipients"]:
        click.echo(f"{it['algorithm']:<16} {it['key']}")
    for key in shown.get("keys", ()):
        encrypts = "encrypts, and should be replaced: add-key" if key["due"] else "encrypts"
        state = f"only decrypts since {key['retired']}" if key["retired"] else encrypts
        click.echo(f"{key['algorithm']:<16} {key['key']}  of {key['created']}, {state}")


@command.command("add-key")
@_FILE
@kek_option
@_ALGORITHM
@_SIGN
def add_key(file: Path, keks: tuple[str, ...], algorithm: str | None, sign_with: str | None) -> None:
    """Add new data keys, which encrypt from now on. The ones before still decrypt."""
    with told(), loaded(file, keks) as ring:
        key_ids = ring.add_key(algorithm)
        _keep(ring, file, sign_with)
        for key_id in key_ids:
            click.echo(key_id)


@command.command("rewrap")
@_FILE
@kek_option
@click.option(
    "--to",
    "new",
    multiple=True,
    required=True,
    metavar="KEY",
    help="Who opens it from now on: all of them, so it may be repeated.",
)
@_SIGN
def rewrap(file: Path, keks: tuple[str, ...], new: tuple[str, ...], sign_with: str | None) -> None:
    """Have other keys, or new versions of them, open the ring. Data stays as it is."""
    with told(), loaded(file, keks) as ring:
        ring.rewrap(*new)
        _keep(ring, file, sign_with)


@command.command("verify")
@_FILE
@kek_option
@click.option(
    "--signed-by",
    multiple=True,
    metavar="KEY",
    help="Check that this key has signed it (FILE.jws); may be repeated, and one is enough.",
)
def verify(file: Path, keks: tuple[str, ...], signed_by: tuple[str, ...]) -> None:
    """Have every key that can open the ring do so, and look at the signature. The exit code is 1 if one fails."""
    with told(), loaded(file, keks) as ring:
        fine = True
        for recipient in ring._document.recipients:
            alone = KeyRing(ring._document.addressed_to((recipient,)), *ring._keks, allow=ring._allow)
            try:
                number = len(alone.list_keys())
            except SafeKVError as error:
                fine = False
                click.echo(f"FAILED  {recipient.kid}\n{said(error)}")
            else:
                click.echo(f"ok      {recipient.kid}: {counted(number, 'data key')}")
        if signed_by:
            fine = _signature_is_good(ring, file, signed_by) and fine
        click.echo(counted(vault_calls(ring), "vault call"), err=True)
    sys.exit(0 if fine else 1)


def _signature_is_good(ring: KeyRing, file: Path, signers: tuple[str, ...]) -> bool:
    try:
        signer = ring.verify(_signature_of(file).read_text("ascii", errors="replace"), *signers)
    except (InvalidArgument, OSError) as error:
        raise click.ClickException(said(error)) from error
    except SafeKVError as error:
        click.echo(f"FAILED  the signature\n{said(error)}")
        return False
    click.echo(f"ok      signed by {signer}")
    return True


def _exists(file: Path) -> click.ClickException:
    return click.ClickException(
        f"{file} exists; what its keys encrypted would be lost with it.\n"
        f"'safekv keyring add-key {file}' adds keys to a ring that is there; for another ring give another name."
    )


def _keep(ring: KeyRing, file: Path, sign_with: str | None) -> None:
    signature = ring.sign(sign_with) if sign_with else None  # before the file changes: signing may be refused
    if signature:
        with one_writer(_signature_of(file)):  # so that the newest ring's signature is the last one, too
            ring.save(file)
            _signature_of(file).write_text(signature + "\n", "ascii")
    else:
        ring.save(file)
    if not signature and _signature_of(file).exists():
        click.echo(f"{_signature_of(file)} is of the ring as it was before; sign it again.", err=True)
    click.echo(f"{file}: {counted(vault_calls(ring), 'vault call')}", err=True)


def _signature_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.jws")


def _described(key: KeyInfo) -> dict[str, Any]:
    times = {name: _day(value) for name, value in (("created", key.created), ("retired", key.retired))}
    return {"algorithm": key.algorithm, "key": key.key_id, **times}


def _day(seconds: int | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc).date().isoformat()
