"""The values that were loaded into an application's settings, so that its error pages can leave them out."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from cachetools import LRUCache

from safekv._fork import on_fork

_MOST = 4_096
#: Shorter ones are only left out where they are the whole text: "1" is in too many.
_LONG = 8
_DEPTH = 6


class _Loaded:
    def __init__(self) -> None:
        self.values: LRUCache[str, None] = LRUCache(_MOST)
        self.after_fork()
        on_fork(self)

    def after_fork(self) -> None:
        self.lock = threading.Lock()


_LOADED = _Loaded()


def remember(values: Iterable[Any]) -> None:
    """These are not to be shown."""
    with _LOADED.lock:
        for value in values:
            if isinstance(value, str) and value:
                _LOADED.values[value] = None


def redacted(value: Any, instead: str) -> Any:
    """The same, with ``instead`` in the place of what was loaded."""
    with _LOADED.lock:
        known = sorted(_LOADED.values, key=len, reverse=True)
    return _redacted(value, known, instead, _DEPTH)


def _redacted(value: Any, known: list[str], instead: str, depth: int) -> Any:
    if isinstance(value, str):
        return _text(value, known, instead)
    if depth == 0:
        return instead  # nobody reads that deep, and it may be in there
    if isinstance(value, Mapping):
        return {key: _redacted(each, known, instead, depth - 1) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(each, known, instead, depth - 1) for each in value]
    return value


def _text(text: str, known: list[str], instead: str) -> str:
    for secret in known:
        if text == secret:
            return instead
        if len(secret) >= _LONG:
            text = text.replace(secret, instead)
    return text
