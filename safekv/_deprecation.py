"""Names and arguments on their way out: one wording, one list, and an end that a test enforces.

What the promise is: docs/stability.md. Who deprecates something writes one line where the old thing is, and
``tests/unit/test_deprecation.py`` fails in the release that should no longer have it.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")


@dataclass(frozen=True)
class Deprecation:
    """One thing that will go.

    :param what: the old name as its user writes it, ``"SecretClient.watch()"``.
    :param instead: what to write now.
    :param since: the release that warned first.
    :param removed: the release that no longer has it.
    """

    what: str
    instead: str
    since: str
    removed: str

    def __str__(self) -> str:
        return f"{self.what} is deprecated since safekv {self.since} and goes with {self.removed}. Use {self.instead}."

    def warn(self, stacklevel: int = 2) -> None:
        """Warn the caller's caller; ``stacklevel`` counts as in ``warnings.warn``, from who calls this."""
        warnings.warn(str(self), DeprecationWarning, stacklevel=stacklevel + 1)


#: All of them, filled as their modules are imported.
DEPRECATIONS: list[Deprecation] = []


def announce(what: str, *, instead: str, since: str, removed: str) -> Deprecation:
    """Enter a deprecation in the list; call its ``warn()`` where the old thing is used (a module's ``__getattr__``)."""
    entry = Deprecation(what, instead, since, removed)
    DEPRECATIONS.append(entry)
    return entry


def deprecated(*, instead: str, since: str, removed: str) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Decorate a function, sync or not, that warns when it is called."""

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        entry = announce(f"{function.__qualname__}()", instead=instead, since=since, removed=removed)

        @functools.wraps(function)
        def warned(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            entry.warn()
            return function(*args, **kwargs)

        warned.__deprecated__ = str(entry)  # type: ignore[attr-defined]  # what PEP 702 calls it
        return warned

    return decorate


def renamed_argument(old: str, new: str, *, since: str, removed: str) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Decorate a function whose keyword ``old`` is now ``new``; giving both is a ``TypeError``."""

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        name = function.__qualname__
        entry = announce(f"{name}({old}=)", instead=f"{new}=", since=since, removed=removed)

        @functools.wraps(function)
        def renamed(*args: Any, **kwargs: Any) -> _R:
            if old in kwargs:
                if new in kwargs:
                    raise TypeError(f"{name}() got both {new!r} and {old!r}, its former name")
                entry.warn()
                kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return renamed  # it takes what ``function`` takes, and ``old``

    return decorate
