"""Secrets in Django's settings: ``pip install 'safekv[django]'``.

``load_settings(globals(), {...})`` at the end of ``settings.py`` puts secrets where settings want them; ``Env`` is the
environment with secrets in it, for settings that are read from variables. Both read everything at once, and what is
wrong is one ``LoadError``. ``ExceptionReporterFilter`` keeps what they have read off Django's error pages and mails.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from safekv._seconds import positive
from safekv.config._convert import parse, parser
from safekv.config._loader import Clients
from safekv.config._request import TIMEOUT
from safekv.config._resolve import Resolution, check_environ, environ_request
from safekv.errors import CredentialNotPicklable, SafeKVError
from safekv.integrations._database_url import database
from safekv.integrations._loaded import redacted, remember
from safekv.integrations._missing import need
from safekv.integrations._settings_tree import Settings

if TYPE_CHECKING:
    from safekv.secrets import SecretClient
    from safekv.vault import Vault

need("django", "django")
from django.core.exceptions import ImproperlyConfigured  # noqa: E402
from django.views.debug import SafeExceptionReporterFilter  # noqa: E402

__all__ = ["Env", "ExceptionReporterFilter", "load_settings"]

T = TypeVar("T")
_NONE: Any = object()


def load_settings(
    settings: MutableMapping[str, Any],
    names: Mapping[str, str] | None = None,
    *,
    prefix: str = "",
    vault: str | Vault | SecretClient | None = None,
    credential: Any = None,
    timeout: float = TIMEOUT,
) -> list[str]:
    """Fill in the settings that are secrets: all of them, or none.

    ``load_settings(globals(), {"SECRET_KEY": "django-secret-key", "DATABASES.default.PASSWORD": "db-password"})``
    as the last line of ``settings.py``. What is a reference (``kv://my-vault/name``) in any setting, at any depth, is
    replaced as well.

    :param settings: ``globals()``; only names in upper case count, as in Django.
    :param names: secrets by setting; dots lead into dicts, which have to be there already.
    :param prefix: what stands before these names in the vault.
    :param vault: a URL, a name, a ``Vault`` or a client; by default ``AZURE_KEY_VAULT_URL``.
    :param credential: as for ``SecretClient``.
    :param timeout: seconds for all of it.
    :returns: the settings that were filled in; not their values.
    :raises LoadError: naming every setting whose secret could not be read.
    :raises InvalidArgument: before anything is sent, naming what is no setting, no secret's name or no reference.
    """
    with Clients(vault, credential, positive("timeout", timeout)) as clients:
        tree = Settings(settings, names or {}, prefix, clients.targets.vaults)
        plan = clients.read(tree.wanted)
        plan.check()
    values = plan.values()
    remember(values.values())
    tree.fill(values)
    return list(values)


class Env(Mapping[str, str]):
    """The variables of the environment, and secrets as if they were some: read once, and not shown.

    ``Env({"DATABASE_URL": "database-url"})``, ``Env(["db-password"])`` (as ``DB_PASSWORD``) or ``Env(prefix="app1-")``.
    A variable that is set already stays, and its secret is not read; variables that are references are resolved.
    ``environ.Env.ENVIRON = Env(...)`` gives it to django-environ.

    :param names: secrets by variable, or names; ``optional``, ``prefix``, ``tags``, ``override``, ``vault``,
        ``credential`` and ``timeout`` as for ``safekv.load_environ``.
    :param environ: in the place of ``os.environ``.
    :raises LoadError: naming every variable whose secret could not be read.
    """

    def __init__(
        self,
        names: Iterable[str] | Mapping[str, str] | None = None,
        *,
        optional: Iterable[str] | Mapping[str, str | None] = (),
        prefix: str | None = None,
        tags: Mapping[str, str] | None = None,
        override: bool = False,
        environ: Mapping[str, str] | None = None,
        vault: str | Vault | SecretClient | None = None,
        credential: Any = None,
        timeout: float = TIMEOUT,
    ) -> None:
        present = dict(os.environ if environ is None else environ)
        asked, request = names is not None or prefix is not None or tags is not None or bool(optional), None
        if asked:
            request = environ_request(names, optional, prefix, tags, override, present, timeout)
        with Clients(vault, credential, positive("timeout", timeout)) as clients:
            wanted = [] if request is None else clients.wanted(request)
            wanted = [each for each in wanted if override or each.key not in present]
            mine = {each.key for each in wanted}
            found = Resolution({key: each for key, each in present.items() if key not in mine}, clients.targets.vaults)
            found.check()
            plan = clients.read([*wanted, *found.wanted])
            plan.check()
        values: Mapping[str, Any] = plan.values()  # a default may be None
        read = {key: value for key, value in values.items() if value is not None}
        check_environ(read, of_process=False)
        remember(read.values())
        self._values: dict[str, str] = {**present, **read}

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<safekv.Env of {len(self)} variables>"

    def __reduce__(self) -> NoReturn:
        raise CredentialNotPicklable("An Env is not pickled: it has secrets in it.", hint="Read it where it is needed.")

    def __call__(self, name: str, default: Any = _NONE) -> Any:
        """The text.

        :raises ImproperlyConfigured: if there is none, and no default; so do those below, and for what is not of
            their type. No message has a value in it.
        """
        return self._read(name, default, str)

    def bool(self, name: str, default: Any = _NONE) -> Any:
        """true, false, 1, 0, yes, no, on, off."""
        return self._typed(name, default, bool)

    def int(self, name: str, default: Any = _NONE) -> Any:
        return self._typed(name, default, int)

    def float(self, name: str, default: Any = _NONE) -> Any:
        return self._typed(name, default, float)

    def list(self, name: str, default: Any = _NONE) -> Any:
        """Texts with commas between them."""
        return self._read(name, default, lambda text: [each.strip() for each in text.split(",") if each.strip()])

    def json(self, name: str, default: Any = _NONE) -> Any:
        """A dict or a list."""
        return self._typed(name, default, list if self.get(name, "").lstrip().startswith("[") else dict)

    def database(self, name: str, default: Any = _NONE) -> Any:
        """An entry of ``DATABASES`` from a URL: ``postgres://user:password@host:5432/name?sslmode=require``."""
        return self._read(name, default, database)

    def _typed(self, name: str, default: Any, kind: Any) -> Any:
        convert = parser(kind)
        assert convert is not None
        return self._read(name, default, lambda text: parse(convert, text, kind))

    def _read(self, name: str, default: T, convert: Callable[[str], T]) -> T:
        if name not in self:
            if default is _NONE:
                raise ImproperlyConfigured(
                    f"{name} is not set: no variable has this name, and no secret was read for it."
                )
            return default
        try:
            return convert(self[name])
        except SafeKVError as error:
            said = str(error)
        raise ImproperlyConfigured(f"{name}: {said}")


class ExceptionReporterFilter(SafeExceptionReporterFilter):  # type: ignore[misc]  # Django has no types
    """Django's own filter, which knows secrets by the names of settings; this one knows their values too.

    ``DEFAULT_EXCEPTION_REPORTER_FILTER = "safekv.integrations.django.ExceptionReporterFilter"`` in the settings. What
    ``Env`` and ``load_settings`` have read is left out of error pages and mails, whatever the setting or the local
    variable is called that has it: in the middle of a URL, as bytes, and in what an object shows of itself. So are the
    parts of it that ``Env.database``, ``json`` and ``list`` give out. The message of the exception itself is not
    changed: it goes to logs, too, so put no value into one.
    """

    def cleanse_setting(self, key: Any, value: Any) -> Any:
        cleansed = super().cleanse_setting(key, value)
        return redacted(cleansed, self.cleansed_substitute)

    def get_traceback_frame_variables(self, request: Any, tb_frame: Any) -> Any:
        found = super().get_traceback_frame_variables(request, tb_frame)
        return [(name, redacted(value, self.cleansed_substitute)) for name, value in found]
