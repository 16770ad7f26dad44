"""The error of many reads at once: what is wrong with each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from safekv.errors._base import SafeKVError


class LoadError(SafeKVError):
    """Several secrets were asked for at once and some could not be read; the message lists all of them.

    :ivar failures: the error of each, by name.
    """

    failures: Mapping[str, BaseException] = MappingProxyType({})

    @classmethod
    def of(
        cls,
        vault: str,
        failures: Mapping[str, BaseException],
        *,
        transient: bool = False,
        said: Mapping[str, str] | None = None,
    ) -> LoadError:
        """The error for these failures; ``transient`` if all of them may pass by themselves.

        :param said: for settings, the secret that each of them wanted.
        """
        wanted = {name: f" ({secret})" for name, secret in (said or {}).items()}
        lines = "".join(f"\n  {name}{wanted.get(name, '')}: {said}" for name, said in _each_advice_once(failures))
        count = f"{len(failures)} secrets" if len(failures) > 1 else "1 secret"
        made = cls(f"{count} of {vault} could not be read:{lines}", vault=vault, transient=transient)
        made.failures = MappingProxyType(dict(failures))
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        rebuild, (kind, message, details) = super().__reduce__()
        failures = {name: _portable(error) for name, error in self.failures.items()}
        return _rebuild, (rebuild, kind, message, details, failures)


def _rebuild(
    rebuild: Callable[..., LoadError],
    kind: type[LoadError],
    message: str,
    details: dict[str, Any],
    failures: dict[str, BaseException],
) -> LoadError:
    made = rebuild(kind, message, details)
    made.failures = MappingProxyType(failures)
    return made


def _portable(error: BaseException) -> BaseException:
    """The error, or its text if it does not survive pickling."""
    import pickle

    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  (what was pickled just now)
    except Exception:
        return SafeKVError(_in_short(error))
    return error


#: What to do about an answer of the service that has no hint of its own.
_ADVICE = {
    404: "Create it, or name it in optional=.",
    403: "The identity needs the role Key Vault Secrets User (secrets/get), the network to be allowed, "
    "and the secret to be enabled.",
}


def _each_advice_once(failures: Mapping[str, BaseException]) -> Iterator[tuple[str, str]]:
    """Each failure in a line, with what to do about it at the first of those that have the same advice."""
    given: set[str] = set()
    for name, error in failures.items():
        said, hint = _said(error)
        yield name, said if hint in given else f"{said} {hint}".rstrip()
        given.add(hint)


def _in_short(error: BaseException) -> str:
    """What is wrong, in one line, with a hint."""
    return " ".join(_said(error)).rstrip()


def _said(error: BaseException) -> tuple[str, str]:
    said = getattr(error, "message", None) or str(error) or type(error).__name__
    first = str(said).strip().splitlines()[0][:300]
    return first, getattr(error, "hint", None) or _ADVICE.get(getattr(error, "status_code", None) or 0) or ""
