"""``safekv exec``: run a command whose environment has secrets in the place of references."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any, NoReturn

import click

from safekv.cli._failing import Failure, told
from safekv.cli._gathering import Options, gather, options

#: As env(1) and docker: what failed is ours, and the command was not started.
FAILED, NOT_EXECUTABLE, NOT_FOUND = 125, 126, 127


@click.command("exec", context_settings={"allow_interspersed_args": False})
@options
@click.option("--strict", is_flag=True, help="Take warnings for errors.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND [ARGUMENTS]")
def command(command: tuple[str, ...], *, strict: bool, **given: Any) -> None:
    """Run COMMAND with secrets in its environment.

    Variables that are references (kv://vault/name, @Microsoft.KeyVault(...)) are replaced by their secrets,
    in the present environment and in --env-file; --prefix and --map add others. If one of them cannot be
    had, all that is wrong is listed with file and line, and nothing is started.

    The command takes the place of this process: signals and exit status are its own. Otherwise the
    status is 125 (something was wrong), 126 (the command cannot be executed) or 127 (there is no such command).
    """
    with told(FAILED):
        gathered = gather(Options(**given))
        gathered.check()
    for warning in gathered.warnings:
        click.echo(f"safekv exec: {warning}", err=True)
    if strict and gathered.warnings:
        raise Failure("Nothing was started, because of --strict.", FAILED)
    _become(command, gathered.environment)


def _become(command: tuple[str, ...], environment: dict[str, str]) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        if os.name == "nt":  # exec there starts another process, and does not wait for it
            sys.exit(subprocess.run(command, env=environment, check=False).returncode)
        for name in ("SIGPIPE", "SIGXFSZ"):  # Python ignores them, and what is ignored stays so
            signal.signal(getattr(signal, name), signal.SIG_DFL)
        os.execvpe(command[0], command, environment)  # noqa: S606  (no shell is wanted)
    except FileNotFoundError:
        raise Failure(f"{command[0]}: there is no such command.", NOT_FOUND) from None
    except OSError as error:
        raise Failure(f"{command[0]}: {error.strerror}.", NOT_EXECUTABLE) from None
