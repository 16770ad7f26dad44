"""``resolve``, ``resolve_file``, ``load_environ``, ``resolve_environ``. ``_aenviron`` is its twin."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from safekv._seconds import positive
from safekv.config._files import read_file
from safekv.config._loader import Clients
from safekv.config._request import TIMEOUT
from safekv.config._resolve import Resolution, environ_request, put
from safekv.config._values import Config

if TYPE_CHECKING:
    from safekv.secrets import SecretClient
    from safekv.vault import Vault


def resolve(
    values: Mapping[str, Any],
    *,
    vault: str | Vault | SecretClient | None = None,
    credential: Any = None,
    timeout: float = TIMEOUT,
) -> Config:
    """The same values with secrets in the place of references, wherever they are in dicts and lists.

    References are ``kv://vault/name[/version]`` and ``@Microsoft.KeyVault(...)``; see docs/configuration.md.

    :param values: is not changed.
    :param vault: a vault that references may name though it is in none of Key Vault's domains.
    :param credential: as for ``SecretClient``.
    :param timeout: seconds for all of it.
    :raises LoadError: naming every key whose secret could not be read.
    :raises InvalidArgument: before anything is sent, naming every key that is meant as a reference and is none. No
        reference is ever left as it is.
    """
    with Clients(vault, credential, positive("timeout", timeout)) as clients:
        found = Resolution(values, clients.targets.vaults)
        found.check()
        return found.config(clients.read(found.wanted))


def resolve_file(
    path: str | os.PathLike[str],
    *,
    vault: str | Vault | SecretClient | None = None,
    credential: Any = None,
    timeout: float = TIMEOUT,
) -> Config:
    """What is in a ``.env``, TOML, JSON or YAML file, with secrets in the place of references; see :func:`resolve`.

    :raises MissingPackage: for YAML without PyYAML, and TOML on Python 3.10 without tomli.
    """
    file = read_file(path)
    with Clients(vault, credential, positive("timeout", timeout)) as clients:
        found = Resolution(file.values, clients.targets.vaults, file.where)
        found.check()
        return found.config(clients.read(found.wanted))


def load_environ(
    names: Iterable[str] | Mapping[str, str] | None = None,
    *,
    optional: Iterable[str] | Mapping[str, str | None] = (),
    prefix: str | None = None,
    tags: Mapping[str, str] | None = None,
    override: bool = False,
    environ: MutableMapping[str, str] | None = None,
    vault: str | Vault | SecretClient | None = None,
    credential: Any = None,
    timeout: float = TIMEOUT,
) -> list[str]:
    """Set variables of the environment, all or none. Arguments as for ``load``.

    :param names: secrets by variable (``{"DATABASE_URL": "database-url"}``), or names: ``db-password`` is
        ``DB_PASSWORD``.
    :param override: replace variables that are set already. Otherwise they stay, and theirs are not read.
    :param environ: by default ``os.environ``.
    :returns: the names of the variables that were set; not their values.
    :raises LoadError: naming every variable whose secret could not be read.
    """
    into = os.environ if environ is None else environ
    request = environ_request(names, optional, prefix, tags, override, into, timeout)
    if request is None:
        return []
    with Clients(vault, credential, request.timeout) as clients:
        return put(clients.load(request), into, override)


def resolve_environ(
    environ: MutableMapping[str, str] | None = None,
    *,
    vault: str | Vault | SecretClient | None = None,
    credential: Any = None,
    timeout: float = TIMEOUT,
) -> list[str]:
    """Replace the variables that are references by their secrets, all or none; see :func:`resolve`.

    :param environ: by default ``os.environ``.
    :returns: the names of the variables that were replaced.
    """
    into = os.environ if environ is None else environ
    with Clients(vault, credential, positive("timeout", timeout)) as clients:
        found = Resolution(into, clients.targets.vaults)
        found.check()
        return put(found.changed(clients.read(found.wanted)), into, override=True)
