"""Where values may come from besides the vault, in an order that the call says.

``sources=("environment", ".env", "settings.toml", "vault")``: the first that has a value counts. A file that does not
exist has none. ``SAFEKV_OFFLINE=1`` leaves the vault out, whatever the call says.

A source has a value for a key if it has the key itself, or the secret's name, with ``_`` for ``-`` and in any case:
``DB__HOST`` in an environment and ``host`` in the table ``db`` of a TOML file are both ``db--host``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from safekv.config._files import read_file
from safekv.config._names import variable
from safekv.errors import InvalidArgument, SafeKVError

if TYPE_CHECKING:
    from safekv.config._plan import Wanted
    from safekv.config._snapshot import Snapshot

VAULT, ENVIRONMENT = "vault", "environment"
Source = str | os.PathLike[str] | Mapping[str, Any]
_YES = ("1", "true", "yes", "on")


def offline(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment leaves all vaults out."""
    return environ.get("SAFEKV_OFFLINE", "").strip().lower() in _YES


class Sources:
    """The sources of one call.

    :ivar vault: whether the vault is one of them.
    :raises InvalidArgument: for what is no source, and files that cannot be read.
    """

    def __init__(self, given: Iterable[Source] | None = None, snapshot: Snapshot | None = None) -> None:
        if isinstance(given, str | Mapping) or (given is not None and not isinstance(given, Iterable)):
            raise InvalidArgument("sources must be several.", hint="sources=('environment', '.env', 'vault')")
        if snapshot is not None and not callable(getattr(snapshot, "apply", None)):
            raise InvalidArgument(
                f"snapshot must be a Snapshot, which encrypts, not a {type(snapshot).__name__}.",
                hint="snapshot=safekv.Snapshot('config.skv', Encryptor(ring))",
            )
        listed: list[Source] = [VAULT] if given is None else list(given)
        after = listed.index(VAULT) if VAULT in listed else len(listed)
        self._before = [_read(each) for each in listed[:after]]
        self._after = [_read(each) for each in listed[after + 1 :]]
        self._local = [_name(each) for each in listed if each != VAULT]
        self.offline = offline()
        self.vault = VAULT in listed and not self.offline
        self.snapshot = snapshot

    def serve(self, credential: Any) -> None:
        """What is read is read with this credential.

        :raises InvalidArgument: if the snapshot is another's.
        """
        if self.snapshot is not None:
            self.snapshot.bind(credential)

    def before(self, wanted: Wanted) -> str | None:
        """What a source before the vault has."""
        return _first([*self._before, *self._after] if not self.vault else self._before, wanted)

    def after(self, wanted: Wanted) -> str | None:
        """What a source after the vault has, for secrets that the vault does not have."""
        return _first(self._after, wanted)

    def missing(self, name: str) -> SafeKVError:
        """The error for what no local source has."""
        where = f" ({', '.join(self._local)})" if self._local else ""
        why = ", and SAFEKV_OFFLINE leaves the vault out" if self.offline else ""
        one = "in one of them" if self._local else "in a source of sources= (load, load_as, watch)"
        return SafeKVError(f"No local source{where} has it{why}.", hint=f"Give {variable(name)} {one}.")


def _read(source: Source) -> dict[str, str]:
    if source == ENVIRONMENT:
        return _flat(os.environ)
    if isinstance(source, Mapping):
        return _flat(source)
    if not isinstance(source, str | os.PathLike):
        raise InvalidArgument(f"A source cannot be a {type(source).__name__}.", hint="'environment', a file or 'vault'")
    return _flat(read_file(source).values) if os.path.exists(source) else {}


def _name(source: Source) -> str:
    return "a mapping" if isinstance(source, Mapping) else str(source)


def _first(sources: Iterable[Mapping[str, str]], wanted: Wanted) -> str | None:
    for source in sources:
        for name in (wanted.key, wanted.reference.name):
            if (text := source.get(_same(name))) is not None:
                return text
    return None


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{key}--")
        elif value is not None:
            found[_same(f"{prefix}{key}")] = value if isinstance(value, str) else json.dumps(value, default=str)
    return found


def _same(name: str) -> str:
    return name.replace("_", "-").replace(".", "--").lower()
