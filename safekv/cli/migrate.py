"""``safekv migrate``: an application of the Azure SDK becomes one of safekv, and hears what the guide warns of."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import click

import safekv
from safekv.cli import _sources
from safekv.cli._failing import Failure, told

if TYPE_CHECKING:
    from safekv.migrate import Examined

_FORMATS = ("text", "json", "sarif", "github")


@click.command("migrate")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(exists=True))
@click.option("--write", is_flag=True, help="Change the files. Without it, a diff is shown.")
@click.option("--check", is_flag=True, help="Exit with 1 if anything would change, or anything is found.")
@click.option("--format", "form", type=click.Choice(_FORMATS), default="text", show_default=True)
@click.option("--exclude", multiple=True, metavar="GLOB", help="Leave out files and directories; may be repeated.")
def command(paths: tuple[str, ...], write: bool, check: bool, form: str, exclude: tuple[str, ...]) -> None:
    """Replace azure.keyvault and azure.identity by safekv in Python files, and lint.

    PATH is a file or a directory. Imports, names that depend on them and what tests patch are rewritten; what is
    private to the SDK stays and is listed. Each finding has a rule, a reason and a fix; the comment
    "# safekv: ignore[SKV101]" silences one. Requirements files, pyproject.toml, setup.cfg, setup.py and Pipfile are
    looked at for versions that are too old. Virtual environments, .git and node_modules are left out, and notebooks
    are not read.
    """
    with told(2):
        from safekv import migrate
    files, notebooks, failed = [], [], []
    for path in _sources.found(paths, exclude):
        if path.suffix == _sources.NOTEBOOK:
            notebooks.append(_shown(path))
        elif _concerns(path, paths):
            try:
                files.append(_examined(path, paths, write))
            except OSError as error:
                failed.append(f"{_shown(path)}: {error.strerror or error}")
    report = migrate.Report(files, notebooks, write, safekv.__version__)
    _say(migrate.FORMATS[form](report))
    if failed:
        raise Failure("Not read or not written:\n  " + "\n  ".join(failed), 1)
    unreadable = any(finding.rule == "SKV009" for finding in report.findings)
    sys.exit(1 if unreadable or (check and not report.clean) else 0)


def _concerns(path: Path, given: Sequence[str]) -> bool:
    from safekv.migrate._checks.versions import is_requirements

    return path.suffix in {".py", ".pyi"} or is_requirements(str(path)) or str(path) in set(map(str, map(Path, given)))


def _examined(path: Path, given: Sequence[str], write: bool) -> Examined:
    from safekv.migrate import Examined, Finding, examine
    from safekv.migrate._examine import decoded

    shown = _shown(path)
    if path.stat().st_size > _sources.LARGEST:
        finding = Finding(shown, 1, 1, "SKV009", f"it is larger than {_sources.LARGEST // 2**20} MiB")
        return Examined(shown, "", "", (), (finding,))
    data = path.read_bytes()
    try:
        text, encoded = decoded(data, shown)
    except SyntaxError as error:
        return Examined(shown, "", "", (), (Finding(shown, 1, 1, "SKV009", str(error.msg)),))
    done = examine(text, shown, test=_sources.is_test(_relative(path, given)), write=write)
    if write and done.changed:
        _sources.replace(path, data, encoded(done.new))
    return done


def _shown(path: Path) -> str:
    return click.format_filename(_below(path, [Path.cwd()]))


def _relative(path: Path, given: Iterable[str]) -> PurePath:
    """The path below the working directory, or below the one that was given: what is above says nothing of tests."""
    return _below(path, [Path.cwd(), *map(Path, given)])


def _below(path: Path, tops: Iterable[Path]) -> PurePath:
    for top in tops:
        if path.is_absolute() == top.is_absolute() or top == Path.cwd():
            full = path if path.is_absolute() == top.is_absolute() else Path.cwd() / path
            if full != top and full.is_relative_to(top):
                return full.relative_to(top)
    return path


def _say(text: str) -> None:
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for line in text.split("\n"):
        colour = colours.get(line[:1])
        click.echo(click.style(line, fg=colour) if colour else line)
