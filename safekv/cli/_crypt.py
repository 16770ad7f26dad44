"""What ``safekv encrypt`` and ``safekv decrypt`` do with their files, and what they say about it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

import click

from safekv.cli._embedded import EmbeddedRings, GivenRing
from safekv.cli._failing import said, told
from safekv.cli._rings import loaded
from safekv.cli._targets import PIPE, Pair, pairs
from safekv.cli._words import counted
from safekv.envelope._replacing import replacing
from safekv.errors import SafeKVError


def run(
    decrypt: bool,
    sources: tuple[str, ...],
    output: str | None,
    *,
    ring: str | None,
    keks: tuple[str, ...],
    aad: str,
    recursive: bool,
    force: bool,
    **options: Any,
) -> None:
    """Do it, say what was done on standard error, and end with 1 if a file failed. ``options``: of the methods."""
    made = pairs(sources, output, recursive=recursive, force=force, decrypt=decrypt)
    if not decrypt and any(it.target == PIPE for it in made) and sys.stdout.isatty():
        raise click.UsageError("A terminal cannot show encrypted data; give a file with -o, or a pipe.")
    with told(), closing(_rings(ring, keks)) as rings:
        started = time.monotonic()
        work = _Work(rings, decrypt, aad.encode("utf-8"), options)
        with _progress(made) as bar:
            failed = [pair for pair in made if not work.one(pair, bar)]
        seconds = time.monotonic() - started
        rate = f"{work.done / max(seconds, 1e-9) / 1e6:,.0f} MB/s"
        verb = "decrypted" if decrypt else "encrypted"
        files = counted(len(made) - len(failed), "file")
        click.echo(
            f"{files} {verb}: {counted(work.done, 'byte')} in {seconds:.2f} s, {rate}, "
            f"{counted(rings.vault_calls(), 'vault call')}",
            err=True,
        )
    if failed:
        raise click.ClickException(f"{counted(len(failed), 'file')} failed; nothing of them was written to a file.")


def _rings(ring: str | None, keks: tuple[str, ...]) -> GivenRing | EmbeddedRings:
    return EmbeddedRings(keks) if ring is None else GivenRing(loaded(ring, keks))


class _Work:
    def __init__(self, rings: GivenRing | EmbeddedRings, decrypt: bool, aad: bytes, options: dict[str, Any]) -> None:
        self._rings, self._decrypt, self._aad, self._options = rings, decrypt, aad, options
        self.done = 0

    def one(self, pair: Pair, bar: _Bar) -> bool:
        """Whether it went well; if not, it has been said why."""
        bar.begins(pair.source)
        try:
            self.done += self._one(pair, bar)
        except BrokenPipeError:
            raise  # nobody reads on: there is nobody to tell, either, and click ends quietly
        except (SafeKVError, OSError, click.ClickException) as error:
            text = error.message if isinstance(error, click.ClickException) else said(error)
            bar.say(text if text.startswith(f"{pair.source}: ") else f"{pair.source}: {text}")
            return False
        return True

    def _one(self, pair: Pair, bar: _Bar) -> int:
        options = {"progress": bar.progress, **self._options}
        if PIPE not in pair:
            box = self._rings.box_for(pair.source)
            Path(pair.target).parent.mkdir(parents=True, exist_ok=True)
            return (box.decrypt_file if self._decrypt else box.encrypt_file)(
                pair.source, pair.target, self._aad, **options
            )
        with _source(pair.source) as source:
            box, source = self._rings.box_and_rest(source)
            stream = box.decrypt_stream if self._decrypt else box.encrypt_stream
            if pair.target != PIPE:
                with replacing(pair.target) as new, os.fdopen(os.dup(new.fd), "wb") as file:
                    return stream(source, file, self._aad, **options)
            count = stream(source, sys.stdout.buffer, self._aad, **options)
        sys.stdout.buffer.flush()
        return count


@contextmanager
def _source(name: str) -> Iterator[IO[bytes]]:
    if name == PIPE:
        yield sys.stdin.buffer
    else:
        with open(name, "rb") as file:
            yield file


class _Bar:
    """Where it stands, on a terminal; nothing elsewhere."""

    def __init__(self, bars: Any = None, task: Any = None) -> None:
        self._bars, self._task = bars, task
        self._before = self._here = 0

    def begins(self, name: str) -> None:
        self._before, self._here = self._before + self._here, 0
        if self._bars:
            self._bars.update(self._task, description=os.path.basename(name))

    def progress(self, done: int, total: int | None) -> None:
        self._here = done
        if self._bars:
            self._bars.update(self._task, completed=self._before + done)

    def say(self, text: str) -> None:
        if self._bars:
            self._bars.console.print(f"Error: {text}", markup=False, highlight=False)
        else:
            click.echo(f"Error: {text}", err=True)


@contextmanager
def _progress(made: list[Pair]) -> Iterator[_Bar]:
    if not sys.stderr.isatty():
        yield _Bar()
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    total = sum(os.path.getsize(it.source) for it in made if os.path.isfile(it.source)) or None
    columns = "{task.description}", BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        yield _Bar(bars, bars.add_task("", total=total))
