"""The values that were loaded into an application's settings, so that its error pages can leave them out."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus, unquote, urlsplit

from cachetools import LRUCache

from safekv._fork import on_fork

_MOST = 4_096
#: Parts of one value that are looked for too.
_MOST_PARTS = 64
#: Shorter ones are only left out where they are the whole text, or stand in quotes: "1" is in too many.
_LONG = 8
_DEPTH = 6


class _Known(NamedTuple):
    """What is not to be shown. ``spellings``: of each, as it may stand in a text; long ones first."""

    values: frozenset[str] = frozenset()
    spellings: tuple[str, ...] = ()


class _Loaded:
    def __init__(self) -> None:
        self.values: LRUCache[str, frozenset[str]] = LRUCache(_MOST)
        self.known = _Known()
        self.after_fork()
        on_fork(self)

    def after_fork(self) -> None:
        self.lock = threading.Lock()


_LOADED = _Loaded()


def remember(values: Iterable[Any]) -> None:
    """These are not to be shown, nor what ``Env`` and the application make of them."""
    with _LOADED.lock:
        for value in values:
            if isinstance(value, str) and value:
                for each in (*islice(_parts(value), _MOST_PARTS), value):
                    _LOADED.values[each] = _spellings(each)
        spellings = {spelling for each in _LOADED.values.values() for spelling in each}
        _LOADED.known = _Known(frozenset(_LOADED.values), tuple(sorted(spellings, key=len, reverse=True)))


def redacted(value: Any, instead: str) -> Any:
    """The same, with ``instead`` in the place of what was loaded."""
    return _redacted(value, _LOADED.known, instead, _DEPTH)


def _redacted(value: Any, known: _Known, instead: str, depth: int) -> Any:
    if isinstance(value, str):
        return _text(value, known, instead)
    if value is None or isinstance(value, bool | _Shown):
        return value
    if isinstance(value, int | float):
        shown = repr(value)
        return value if len(shown) < _LONG or _text(shown, known, instead) == shown else instead
    if depth == 0:
        return instead  # nobody reads that deep, and it may be in there
    inner = partial(_redacted, known=known, instead=instead, depth=depth - 1)
    if type(value) is dict:
        return {inner(key): inner(each) for key, each in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(inner, value))
    return _Shown(value, known, instead)


class _Shown:
    """Stands for anything else: its ``repr``, which is what a page has of it, without what was loaded."""

    __slots__ = ("_instead", "_known", "_value")

    def __init__(self, value: Any, known: _Known, instead: str) -> None:
        self._value, self._known, self._instead = value, known, instead

    def __repr__(self) -> str:
        try:
            shown = repr(self._value)
        except Exception as error:  # whose text would be on the page
            return f"<{type(self._value).__name__}, whose repr failed: {type(error).__name__}>"
        return _text(shown, self._known, self._instead)


def _text(text: str, known: _Known, instead: str) -> str:
    if text in known.values:
        return instead
    for spelling in known.spellings:
        if spelling in text:
            text = text.replace(spelling, instead)
    return text


def _spellings(value: str) -> frozenset[str]:
    """How a value may stand in a text: as it is, in a ``repr`` of a text or bytes, in JSON, in a URL."""
    data = value.encode("utf-8", "surrogatepass")
    if len(value) < _LONG:
        return frozenset({repr(value), repr(data), json.dumps(value)})
    # Which quotes a repr has, and so which of them it escapes, is up to the rest of the text.
    reprs = {repr(value)[1:-1], repr(f'"{value}')[2:-1], repr(data)[2:-1], repr(b'"' + data)[3:-1]}
    return frozenset({value, *reprs, json.dumps(value)[1:-1], quote(data, safe=""), quote_plus(data)})


def _parts(value: str) -> Iterator[str]:
    """What is a secret of its own: a URL's password, texts in JSON, long ones in a list with commas."""
    with suppress(ValueError):
        password = urlsplit(value).password if "://" in value else None
        if password:
            yield from (password, unquote(password))
    try:
        read = json.loads(value) if value.lstrip()[:1] in ("{", "[") else None
    except (ValueError, RecursionError):
        read = None
    texts = value.split(",") if read is None else _texts(read)
    yield from (each for text in texts if len(each := text.strip()) >= _LONG)


def _texts(read: Any, depth: int = _DEPTH) -> Iterator[str]:
    if isinstance(read, str):
        yield read
    elif isinstance(read, dict | list) and depth:
        for each in read.values() if isinstance(read, dict) else read:
            yield from _texts(each, depth - 1)
