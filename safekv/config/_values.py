"""What loading returns: a mapping that can be read, and not be printed, changed or pickled by mistake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NoReturn

from safekv.config._references import Reference
from safekv.errors import CredentialNotPicklable


class Config(Mapping[str, Any]):
    """Values by key. Read-only; its repr has the keys alone.

    ``dict(config)`` is a plain dict, whose repr is not redacted. A pickle would write the values, so there is
    none: the other process loads for itself. Copies are the same object.

    :ivar origins: the secret and the version that each key has, without its value.
    """

    __slots__ = ("_values", "origins")

    origins: Mapping[str, Reference]

    def __init__(self, values: Mapping[str, Any], origins: Mapping[str, Reference] | None = None) -> None:
        object.__setattr__(self, "_values", dict(values))
        object.__setattr__(self, "origins", MappingProxyType(dict(origins or {})))

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<safekv.Config {', '.join(map(str, self._values)) or 'without keys'}>"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Config is read-only")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a Config is read-only")

    def __copy__(self) -> Config:
        return self

    def __deepcopy__(self, memo: Any) -> Config:
        return self

    def __reduce__(self) -> NoReturn:
        raise CredentialNotPicklable(
            "A Config is not pickled: the pickle would have the secrets' values in it.",
            hint="Load in the other process, or pass the values it needs by name.",
        )

    _values: dict[str, Any]


def sealed(values: Mapping[str, Any], origins: Mapping[str, Reference] | None = None) -> Config:
    """A ``Config`` whose groups are ``Config`` too."""
    made = {key: sealed(value) if isinstance(value, dict) else value for key, value in values.items()}
    return Config(made, origins)
