"""``safekv top``: what processes, or an emulator, ask of their vaults, as it happens."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.live import Live

from safekv.cli._failing import Failure, told
from safekv.cli.watching._rows import shown
from safekv.cli.watching._sources import Emulator, Processes, Source, emulator_in_environment
from safekv.cli.watching._view import picture


@click.command("top")
@click.argument("pids", metavar="[PID]...", nargs=-1, type=click.IntRange(1))
@click.option(
    "--emulator",
    is_flag=False,
    flag_value="",
    metavar="[URL]",
    help="Watch the emulator with a vault at URL; by default the one that the environment leads to.",
)
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where processes publish, if not in the user's own directory.",
)
@click.option("--interval", default=1.0, show_default=True, type=click.FloatRange(0.1, 60), help="Seconds.")
@click.option("--once", is_flag=True, help="Show it once, and end.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: one line each time.")
def command(
    pids: tuple[int, ...], *, emulator: str | None, directory: Path | None, interval: float, once: bool, as_json: bool
) -> None:
    """Watch what processes ask of their vaults: rates, answers, latency, 429s, lanes, the cache.

    A process shows itself to its own user by calling safekv.observability.publish(). Without PID, all
    that do are added up. Numbers are of the last minute. No names of objects are shown.
    """
    with told():
        source = _source(pids, emulator, directory)
        try:
            _watch(source, interval, once=once, as_json=as_json)
        except KeyboardInterrupt:
            return
        except OSError as error:
            raise Failure(f"{source.title()}: {error}", 1) from None
    if once and isinstance(source, Processes) and not len(source):
        raise SystemExit(1)


def _source(pids: tuple[int, ...], emulator: str | None, directory: Path | None) -> Source:
    if emulator is None:
        return Processes(directory, pids)
    if pids or directory:
        raise click.UsageError("--emulator goes with neither PID nor --directory")
    url = emulator or emulator_in_environment()
    if not url:
        raise click.UsageError("give the URL of one of the emulator's vaults, or the variables that it prints")
    return Emulator(url)


def _watch(source: Source, interval: float, *, once: bool, as_json: bool) -> None:
    source.look()
    console = Console()
    if as_json:
        _print(source)
        while not once:
            time.sleep(interval)
            source.look()
            _print(source)
    elif once:
        console.print(picture(shown(source.late()), source.title()))
    else:
        with Live(picture(shown(source.late()), source.title()), console=console, screen=True) as live:
            while True:
                time.sleep(interval)
                source.look()
                live.update(picture(shown(source.late()), source.title()))


def _print(source: Source) -> None:
    click.echo(json.dumps({"watched": source.title(), **asdict(shown(source.late()))}))
