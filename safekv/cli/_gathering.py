"""The environment that ``safekv exec`` gives to a command, and that ``safekv check`` looks at."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import click

from safekv._seconds import positive
from safekv.config._asking import Selection
from safekv.config._files import File, read_file
from safekv.config._loader import Clients
from safekv.config._names import secret_name
from safekv.config._plan import Plan, Wanted, load_error
from safekv.config._references import Reference, Vaults, is_reference, parse
from safekv.config._resolve import check_environ
from safekv.errors import InvalidArgument, LoadError, SafeKVError

C = TypeVar("C", bound=Callable[..., Any])
_NEVER_LEFT_OUT = ("PATH",)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says."""

    vault: str | None = None
    env_files: tuple[str, ...] = ()
    prefix: str | None = None
    map_file: str | None = None
    only: tuple[str, ...] = ()
    pristine: bool = False
    override: bool = False
    timeout: float = 30.0


@dataclass(slots=True)
class Row:
    """A variable that has a secret: where it says so, which, and what is wrong if anything is."""

    name: str
    where: str
    secret: str = ""
    error: BaseException | None = None


@dataclass(slots=True)
class Gathered:
    """All of it. ``environment`` is complete if no row has an error."""

    environment: dict[str, str] = field(default_factory=dict, repr=False)
    rows: list[Row] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def check(self) -> None:
        """:raises LoadError: naming everything that is wrong."""
        failures = {row.where: (row.error, row.secret) for row in self.rows if row.error is not None}
        if failures:
            hosts = dict.fromkeys(row.secret.rpartition(" of ")[2] for row in self.rows if row.error is not None)
            raise load_error(", ".join(host for host in hosts if "." in host), failures)


def options(command: C) -> C:
    """The options that ``exec`` and ``check`` share."""
    for option in reversed(
        (
            click.option("--vault", metavar="VAULT", help="A URL or a name; by default AZURE_KEY_VAULT_URL."),
            click.option(
                "--env-file",
                "env_files",
                multiple=True,
                help="Also these variables (.env, .toml, .json, .yaml); may be repeated.",
            ),
            click.option("--prefix", help="Also all secrets with this prefix: app1-db-url as DB_URL."),
            click.option("--map", "map_file", help="Also the secrets that a file names: VARIABLE=secret, or kv://…"),
            click.option("--only", callback=_names, help="Of files, map and prefix, only these variables: A,B."),
            click.option("--pristine", is_flag=True, help="Leave out the present environment, but for PATH."),
            click.option("--override", is_flag=True, help="Replace variables that are set already."),
            click.option("--timeout", default=30.0, show_default=True, help="Seconds for all of it."),
        )
    ):
        command = option(command)
    return command


def _names(_: click.Context, __: click.Parameter, given: str | None) -> tuple[str, ...]:
    return tuple(each.strip() for each in (given or "").split(",") if each.strip())


def gather(options: Options) -> Gathered:
    """Read files, then the vaults; nothing is left out in silence.

    :raises SafeKVError: for files that cannot be read, and a list that cannot be had.
    """
    gathering = _Gathering(options)
    with Clients(options.vault, None, positive("timeout", options.timeout)) as clients:
        vaults = clients.targets.vaults
        gathering.inherit(vaults)
        for path in options.env_files:
            gathering.take_file(read_file(path), vaults)
        if options.prefix is not None:
            selection = Selection.of(options.prefix, None, True, ())
            gathering.take_listed(selection.wanted(clients.listed(selection)))
        if options.map_file is not None:
            gathering.take_map(read_file(options.map_file), vaults)
        gathering.missing_ones()
        return gathering.result(clients.read(gathering.wanted()))


class _Gathering:
    def __init__(self, options: Options) -> None:
        self._options = options
        self._base = dict(os.environ) if not options.pristine else _kept(os.environ)
        self._given: dict[str, str] = {}
        self._references: dict[str, Reference] = {}
        self._where: dict[str, str] = {}
        self._problems: dict[str, SafeKVError] = {}
        self._warnings: list[str] = []

    def inherit(self, vaults: Vaults) -> None:
        """Take what the environment has; references in it too."""
        for name, value in self._base.items():
            self._set(name, value, f"environment {name}", vaults)

    def take_file(self, file: File, vaults: Vaults) -> None:
        for name, value in file.values.items():
            if self._takes(name, file.where(name), value):
                self._set(name, value, file.where(name), vaults)

    def take_map(self, file: File, vaults: Vaults) -> None:
        """Each value is a secret's name, or a reference."""
        for name, secret in file.values.items():
            if self._takes(name, file.where(name), ""):
                self._where[name] = file.where(name)
                try:
                    found = parse(secret, vaults) if is_reference(secret) else Reference(None, secret_name(secret))
                except InvalidArgument as problem:
                    self._problem(name, problem)
                else:
                    self._refer(name, found)

    def take_listed(self, listed: Iterable[Wanted]) -> None:
        """What the prefix brings. That it brings nothing is told: it may be mistyped."""
        found = list(listed)
        if not found:
            self._warnings.append(f"no secret that can be read begins with --prefix {self._options.prefix}")
        for wanted in found:
            where = f"{self._options.prefix}* {wanted.key}"
            if self._takes(wanted.key, where, ""):
                self._where[wanted.key] = where
                self._refer(wanted.key, wanted.reference)

    def missing_ones(self) -> None:
        """What ``--only`` names has to be somewhere."""
        for name in self._options.only:
            if name not in self._where:
                self._where[name] = f"--only {name}"
                self._problem(name, InvalidArgument("No file, map or prefix has it."))

    def wanted(self) -> list[Wanted]:
        return [Wanted(name, reference) for name, reference in self._references.items()]

    def result(self, plan: Plan) -> Gathered:
        gathered = Gathered({**self._given, **plan.values()}, [], self._warnings)
        states = plan.states()
        for name, where in self._where.items():
            if name in self._problems:
                gathered.rows.append(Row(name, where, "not read", self._problems[name]))
            elif name in states:
                gathered.rows.append(Row(name, where, *states[name]))
        try:
            check_environ(gathered.environment)
        except LoadError as error:
            known = {row.name: row for row in gathered.rows}
            for name, failure in error.failures.items():
                row = known.get(name) or Row(name, self._where.get(name, name))
                row.error = failure
                gathered.rows += [] if name in known else [row]
        return gathered

    def _takes(self, name: str, where: str, value: Any) -> bool:
        """Whether a variable is taken from where it is. One that was there before is told."""
        if self._options.only and name not in self._options.only:
            return False
        before = self._where.get(name)
        if before is None or self._given.get(name) == value:
            return True
        inherited = name in self._base and before.startswith("environment ")
        if inherited and not self._options.override:
            self._warnings.append(f"{where} is not used: the variable is set already. --override uses it.")
            return False
        self._warnings.append(f"{where} replaces {before}.")
        return True

    def _set(self, name: str, value: Any, where: str, vaults: Vaults) -> None:
        self._forget(name)
        self._where[name] = where
        if not isinstance(value, str):
            self._problem(name, InvalidArgument("Its value is no text.", hint=f"Write {name} = '...'."))
        elif not is_reference(value):
            self._given[name] = value
        else:
            try:
                self._references[name] = parse(value, vaults)
            except InvalidArgument as problem:
                self._problem(name, problem)

    def _refer(self, name: str, reference: Reference) -> None:
        self._forget(name)
        self._references[name] = reference

    def _problem(self, name: str, problem: SafeKVError) -> None:
        self._forget(name)
        self._problems[name] = problem

    def _forget(self, name: str) -> None:
        for place in (self._given, self._references, self._problems):
            place.pop(name, None)


def _kept(environ: Mapping[str, str], names: Iterable[str] = _NEVER_LEFT_OUT) -> dict[str, str]:
    return {name: environ[name] for name in names if name in environ}
