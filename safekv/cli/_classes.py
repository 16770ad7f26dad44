"""What safekv's own errors mean, those that no answer of a service stands behind: by the names of their classes."""

from __future__ import annotations

import inspect
import re
from types import ModuleType

from safekv.errors._explaining import Explanation

_HINT = (
    "Its message names what was wrong, and the line after that what to do; docs/reference/errors.md lists all errors."
)


def named(text: str) -> Explanation | None:
    """The explanation of the last error or warning whose class the text names, as a traceback does; or None."""
    kinds = _kinds()
    found = re.findall(rf"^(?:E?\s+)?(?:[\w.]+\.)?({'|'.join(kinds)})(?=:|\s*$)", text, re.M)
    return _explanation(kinds[found[-1]]) if found else None


def _explanation(kind: type[BaseException]) -> Explanation:
    meaning = " ".join(inspect.getdoc(kind).split("\n:")[0].split())  # type: ignore[union-attr]  # all have one
    title = f"{kind.__module__}.{kind.__name__}"
    return Explanation(
        kind.__name__, kind.__name__, title, meaning, _HINT, (), "", bool(vars(kind).get("transient")), {}
    )


def _kinds() -> dict[str, type[BaseException]]:
    import safekv.envelope
    import safekv.errors

    modules: tuple[ModuleType, ...] = safekv.errors, safekv.envelope
    all_of_them = {name: getattr(module, name) for module in modules for name in module.__all__}
    return {name: it for name, it in all_of_them.items() if isinstance(it, type) and issubclass(it, BaseException)}
