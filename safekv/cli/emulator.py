"""``safekv emulator``: run the emulator until Ctrl-C or SIGTERM, and say how clients reach it."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import click

from safekv._clock import VirtualClock
from safekv._files import replaced
from safekv.emulator import Emulator, EmulatorServer, EmulatorSettings, Limits
from safekv.emulator.server._environment import Format, IdentityMode, render

WARNING = """\
safekv emulator: THIS PROTECTS NOTHING. Anybody who reaches it reads and writes every secret in it.
It is for development and tests. Put nothing into it that matters.
"""


def _limits(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> Limits:
    values = dict(map(_limit, given))
    try:
        return Limits(**values)
    except (TypeError, ValueError) as error:
        raise click.BadParameter(str(error)) from None


def _limit(given: str) -> tuple[str, Any]:
    names = [field.name for field in fields(Limits)]
    name, _, value = given.partition("=")
    if name not in names or not value:
        raise click.BadParameter(f"{given!r} is not NAME=VALUE with a name of {', '.join(names)}")
    return name, _value(value)


def _value(text: str) -> Any:
    for constant, meaning in {"none": None, "true": True, "false": False}.items():
        if text.lower() == constant:
            return meaning
    for number in (int, float):
        with contextlib.suppress(ValueError):
            return number(text)
    return text


@click.command("emulator")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=0,
    type=click.IntRange(0, 65_535),
    help="Port of the first vault; the others follow. 0: those kept in --state, or any free ones.",
)
@click.option("--vault", "vaults", multiple=True, metavar="NAME", help="A vault; may be repeated.  [default: emulator]")
@click.option("--hsm", "hsms", multiple=True, metavar="NAME", help="A Managed HSM; may be repeated.")
@click.option("--ready-file", type=click.Path(path_type=Path), help="Write the variables here once it is ready.")
@click.option(
    "--state", type=click.Path(path_type=Path), help="Keep the contents and the ports in this file between runs."
)
@click.option(
    "--identity",
    default="managed",
    type=click.Choice(get_args(IdentityMode)),
    show_default=True,
    help="How clients get tokens: managed identity or workload identity.",
)
@click.option("--enforce", is_flag=True, help="Let in only whom an access policy, or with --rbac a role, lets in.")
@click.option("--rbac", is_flag=True, help="The vaults use roles (Azure RBAC) instead of access policies.")
@click.option(
    "--ca-file",
    type=click.Path(path_type=Path),
    help="Write the certificates that clients trust here: the emulator's first, then those trusted so far.",
)
@click.option(
    "--limit",
    "limits",
    multiple=True,
    callback=_limits,
    metavar="NAME=VALUE",
    help="A throttling limit, e.g. other=100 or window=5 or retry_after=seconds; may be repeated.",
)
@click.option(
    "--format",
    "format_",
    default="env",
    type=click.Choice(get_args(Format)),
    show_default=True,
    help="How to show the variables: lines for a shell, or JSON.",
)
@click.option("--force", is_flag=True, help="Listen on an address that other machines can reach.")
def command(
    *,
    host: str,
    port: int,
    vaults: tuple[str, ...],
    hsms: tuple[str, ...],
    ready_file: Path | None,
    state: Path | None,
    identity: IdentityMode,
    enforce: bool,
    rbac: bool,
    ca_file: Path | None,
    limits: Limits,
    format_: Format,
    force: bool,
) -> None:
    """Run a Key Vault on this machine, for development and tests.

    It prints the environment variables with which any program uses it, without changes to the
    program; with --ready-file they are in a file as well, for as long as it runs:

    \b
      safekv emulator --ready-file emulator.env &
      until [ -f emulator.env ]; do sleep 0.1; done
      . ./emulator.env
    """
    settings = EmulatorSettings(limits=limits, enforce=enforce)
    emulator = Emulator(clock=VirtualClock(running=True), settings=settings)
    wanted = {name: {"rbac": rbac} for name in vaults or (() if hsms else ("emulator",))}
    wanted |= {name: {"hsm": True} for name in hsms}
    stopping = threading.Event()
    try:
        server = EmulatorServer(
            emulator, vaults=wanted, host=host, port=port, state=state, ca_file=ca_file, force=force
        )
        with _ends_on_signals(stopping), server:
            click.echo(WARNING, err=True, nl=False)
            _tell_moved(server, port)
            with _ready(server.environment(identity), format_, ready_file):
                _wait(stopping)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from None


@contextlib.contextmanager
def _ends_on_signals(stopping: threading.Event) -> Iterator[None]:
    previous = {number: signal.signal(number, lambda *_: stopping.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _ready(variables: Mapping[str, str], format_: Format, ready_file: Path | None) -> Iterator[None]:
    """Tell the world; the ready file is there only as long as that is true."""
    text = render(variables, format_)
    if ready_file:
        with replaced(ready_file) as file:
            file.write(text.encode())
    try:
        click.echo(text, nl=False)
        yield
    finally:
        if ready_file:
            ready_file.unlink(missing_ok=True)


def _tell_moved(server: EmulatorServer, port: int) -> None:
    for name, before in server.moved.items():
        why = "--port says so" if port else "that port is taken now"
        click.echo(
            f"safekv emulator: {name} is at {server.vault_urls[name]}, not at {before} as before ({why}). "
            "What has that address in it, such as a key ring, does not find it.",
            err=True,
        )


def _wait(stopping: threading.Event) -> None:
    while not stopping.wait(1.0):  # without a timeout, Windows would not see Ctrl-C
        pass
