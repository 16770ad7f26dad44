"""One call of ``load``: its arguments, checked, and what they ask for. Both colours share this."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from safekv._seconds import positive
from safekv.config._asking import Selection, wanted_by_name
from safekv.config._names import nested, secret_prefix
from safekv.config._plan import Plan, Wanted
from safekv.config._references import Reference, Vaults
from safekv.config._values import Config, sealed
from safekv.errors import InvalidArgument

TIMEOUT = 30.0
#: As many reads of one vault as are under way at once.
CONCURRENCY = 16


class Request:
    """What is asked for: secrets by name, or those of a list.

    :raises InvalidArgument: for arguments that contradict each other, or that no secret can fit.
    """

    def __init__(
        self,
        names: Iterable[str] | Mapping[str, str] | None,
        optional: Iterable[str] | Mapping[str, Any],
        prefix: str | None,
        tags: Mapping[str, str] | None,
        nest: str | None,
        as_env: bool,
        timeout: float,
    ) -> None:
        self.timeout = positive("timeout", timeout)
        self._names, self._optional, self._as_env = once(names), once(optional), as_env
        self._prefix = secret_prefix("" if prefix is None else prefix)
        self._nest = _separator(nest, as_env)
        self.selection: Selection | None = None
        if names is None and (prefix is not None or tags is not None):
            self.selection = Selection.of(prefix, tags, as_env, self._optional)
        elif names is None and not self._optional:
            raise InvalidArgument(
                "load() was not told what to load.",
                hint="Name the secrets, or give prefix= or tags=; prefix='' is the whole vault.",
            )
        elif tags is not None:
            raise InvalidArgument(
                "tags= selects from the vault's list, so it goes without names.", hint="prefix=, tags="
            )

    def wanted(self, vaults: Vaults) -> list[Wanted]:
        """The secrets that are asked for by name."""
        names: Any = () if self._names is None else self._names
        return wanted_by_name(names, self._optional, self._prefix, self._as_env, vaults)

    def result(self, plan: Plan) -> Config:
        """What was loaded.

        :raises LoadError: naming all that was not.
        :raises InvalidArgument: if keys cannot be nested.
        """
        plan.check()
        return self.shaped(plan.values(), plan.origins())

    def shaped(self, values: Mapping[str, Any], origins: Mapping[str, Reference]) -> Config:
        """Values as the call wants them: in groups or flat."""
        return sealed(nested(values, self._nest) if self._nest else values, origins)


def once(given: Any) -> Any:
    """A copy, which can be read again: a generator could not, and a list may change."""
    if isinstance(given, Mapping):
        return dict(given)
    return list(given) if isinstance(given, Iterable) and not isinstance(given, str | bytes) else given


def _separator(nest: Any, as_env: bool) -> str | None:
    if nest is None:
        return None
    if not isinstance(nest, str) or not nest:
        raise InvalidArgument(f"nest={nest!r} must be what separates groups.", hint="nest='--'")
    if as_env:
        raise InvalidArgument("An environment has no groups: give nest= or as_env=True, not both.", hint="nest='--'")
    return nest
