"""The error of many reads at once: what is wrong with each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from safekv.errors._base import SafeKVError
from safekv.errors._briefly import briefly


class LoadError(SafeKVError):
    """Several secrets were asked for at once and some could not be read; the message lists all of them.

    What is wrong with a whole vault is told once. ``hint`` has each advice once, below the list.

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

        :param vault: the hosts of those concerned; empty if there is none.
        :param said: for settings, the secret that each of them wanted, and its vault.
        """
        count = len(failures)
        what = f"setting{'s' * (count > 1)}" if said is not None else f"secret{'s' * (count > 1)} of {vault}"
        lines = _lines(failures)
        listed = "".join(f"\n  {line.subject(said or {}, vault)}: {line.words}" for line in lines)
        made = cls(
            f"{count} {what} could not be read:{listed}",
            hint=_advice(lines),
            vault=vault or None,
            transient=transient,
        )
        made.failures = MappingProxyType(dict(failures))
        return made

    def _where(self) -> str:
        return super()._where() if self.operation else ""  # the list has the vaults

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
#: Names of one line that are written out.
_MOST_NAMES = 8


class _Line:
    """A line of the list: one name, or all those of a vault that have the same trouble with it."""

    def __init__(self, name: str, error: BaseException) -> None:
        self.names = [name]
        self.words, self.known, self.whole = briefly(error)
        self.vault: str | None = getattr(error, "vault", None)
        self.hint = _hint(error)

    def subject(self, said: Mapping[str, str], vault: str) -> str:
        if len(self.names) == 1:
            (name,) = self.names
            return f"{name} ({said[name]})" if name in said else name
        more = len(self.names) - _MOST_NAMES
        named = ", ".join(self.names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
        return f"{self.vault or vault} ({named})"


def _lines(failures: Mapping[str, BaseException]) -> list[_Line]:
    lines: list[_Line] = []
    of_a_vault: dict[tuple[str, str | None], _Line] = {}
    for name, error in failures.items():
        line = _Line(name, error)
        first = of_a_vault.setdefault((line.words, line.vault), line) if line.whole else line
        if first is line:
            lines.append(line)
        else:
            first.names.append(name)
    return lines


def _advice(lines: Iterable[_Line]) -> str | None:
    """Each advice once, with the words (or the names) of those that it is for."""
    given: dict[str, list[str]] = {}
    for line in lines:
        if line.hint:
            given.setdefault(line.hint, []).append(line.words if line.known else line.names[0])
    if not given:
        return None
    told = (f"{'; '.join(dict.fromkeys(labels))}: {hint}" for hint, labels in given.items())
    return "What to do:" + "".join(f"\n  {each}" for each in told)


def _in_short(error: BaseException) -> str:
    """What is wrong, in one line, with a hint."""
    return f"{briefly(error)[0]} {_hint(error)}".rstrip()


def _hint(error: BaseException) -> str:
    given = getattr(error, "hint", None) or _ADVICE.get(getattr(error, "status_code", None) or 0) or ""
    return " ".join(str(given).split())
