"""Which file becomes which, when files are encrypted and decrypted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import click

SUFFIX = ".safekv"
PIPE = "-"


class Pair(NamedTuple):
    """A source and its target; ``-`` is standard input or output."""

    source: str
    target: str


def pairs(sources: tuple[str, ...], output: str | None, *, recursive: bool, force: bool, decrypt: bool) -> list[Pair]:
    """What becomes what, checked as far as it can be before anything is read.

    :raises click.UsageError: saying what to write instead.
    :raises click.ClickException: for a target that is there, which another run may have left.
    """
    found = list(_found(sources, recursive, decrypt))
    if not found:
        raise click.UsageError(f"Nothing to do: no file {'ends with' if decrypt else 'lacks'} {SUFFIX}.")
    several = len(found) > 1 or recursive
    if several and (output == PIPE or PIPE in sources):
        raise click.UsageError("Standard input and output are for one stream; give one file, or a directory with -o.")
    directory = output is not None and output != PIPE and (several or Path(output).is_dir())
    if directory and Path(output or "").exists() and not Path(output or "").is_dir():
        raise click.UsageError(f"{output} is no directory, and there are several files.")
    made = [Pair(source, _target(source, below, output, directory, decrypt)) for source, below in found]
    _check(made, force)
    return made


def _found(sources: Iterable[str], recursive: bool, decrypt: bool) -> Iterator[tuple[str, str]]:
    """Each file, and its name below the directory that was given."""
    for source in sources:
        if source == PIPE or not Path(source).is_dir():
            yield source, os.path.basename(source)
        elif recursive:
            yield from _walk(source, decrypt)
        else:
            raise click.UsageError(f"{source} is a directory; --recursive takes all files in it.")


def _walk(top: str, decrypt: bool) -> Iterator[tuple[str, str]]:
    for directory, below, names in os.walk(top):
        below.sort()
        for name in sorted(names):
            path = os.path.join(directory, name)
            if os.path.islink(path):
                click.echo(f"{path} is a link, and is left out.", err=True)
            elif os.path.isfile(path) and name.endswith(SUFFIX) == decrypt:
                yield path, os.path.relpath(path, top)
        for name in below:  # which os.walk does not go into
            if os.path.islink(os.path.join(directory, name)):
                click.echo(f"{os.path.join(directory, name)} is a link, and is left out.", err=True)


def _target(source: str, below: str, output: str | None, directory: bool, decrypt: bool) -> str:
    if output is not None and not directory:
        return output
    if source == PIPE:
        if directory:
            raise click.UsageError("Standard input has no name to keep; give a file's name with -o.")
        return PIPE
    name = below if directory else source
    if decrypt:
        if not name.endswith(SUFFIX) or os.path.basename(name) == SUFFIX:
            raise click.UsageError(f"{source} does not end with {SUFFIX}; give the target's name with -o.")
        name = name.removesuffix(SUFFIX)
    else:
        name += SUFFIX
    return os.path.join(output or "", name) if directory else name


def _check(made: list[Pair], force: bool) -> None:
    targets: set[str] = set()
    for source, target in made:
        if target == PIPE:
            continue
        if target in targets:
            raise click.UsageError(f"Two files would become {target}.")
        targets.add(target)
        if os.path.exists(target):
            if source != PIPE and os.path.exists(source) and os.path.samefile(source, target):
                raise click.UsageError(f"{source} cannot replace itself; give another name with -o.")
            if not force and os.path.isfile(target):
                raise click.ClickException(f"{target} exists; --force replaces it.")
