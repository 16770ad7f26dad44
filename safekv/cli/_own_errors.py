"""Errors that safekv raises by itself, about arguments, files and rings: no table of the service's explains them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import safekv.envelope
import safekv.errors
from safekv.errors import SafeKVError
from safekv.errors._explaining import Explanation
from safekv.errors._topics import TOPICS

_HINT = "Its text says what was wrong and, in the last line, what to do."
_HINTS = {
    "LoadError": "Its text has a line for each setting, with its secret and what is wrong, and below them what to do. "
    "error.failures has the whole error of each.",
    "RingUnavailable": "error.failures says why each of the keys could not open the ring.",
}
#: What is explained by the errors that it has in it, as far as they are told.
_OF_OTHERS = frozenset(_HINTS)
_PAGES = {"LoadError": "docs/configuration.md", "MalformedSecret": "docs/configuration.md"}


def with_own(text: str, found: list[Explanation]) -> list[Explanation]:
    """What else the text may mean, and before it the error of safekv's own that ended the program, if one did."""
    classes = dict(_classes())
    named = re.findall(rf"\b({'|'.join(classes)})\b", text)
    if not named:
        return found
    ended = re.findall(r"^safekv(?:\.\w+)*\.(\w+)(?::|$)", text, re.M)  # as tracebacks end
    if found and (named[-1] in _OF_OTHERS or ended[-1:] != named[-1:]):
        return found
    return [_explanation(named[-1], classes[named[-1]]), *found]


def module_of(name: str) -> str:
    """Where an error is public."""
    return "safekv.errors" if hasattr(safekv.errors, name) else "safekv.envelope"


def _explanation(name: str, kind: type[SafeKVError]) -> Explanation:
    said = " ".join((inspect.getdoc(kind) or "").partition("\n\n")[0].replace("``", "").split())
    page = _PAGES.get(
        name, "docs/encryption.md" if module_of(name) == "safekv.envelope" else "docs/reference/errors.md"
    )
    return Explanation(name, name, name, said, _HINTS.get(name, _HINT), (), page, kind.transient, {})


def _classes() -> Iterator[tuple[str, type[SafeKVError]]]:
    """Those that no topic explains."""
    known = {topic.kind for topic in TOPICS.values()} | {"SafeKVError"}
    for module in (safekv.errors, safekv.envelope):
        for name in module.__all__:
            kind = getattr(module, name)
            if isinstance(kind, type) and issubclass(kind, SafeKVError) and name not in known:
                yield name, kind
