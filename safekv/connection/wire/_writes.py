"""Which requests change something that others may have kept, and who is told of them.

Told before the request and after it, however it ends: what is read in between may be what was
there before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from safekv.connection.pipeline._reading import path_of

#: ``listener(vault_url, name)``; None is every name.
Listener = Callable[[str, "str | None"], object]

#: A certificate has its private key in a secret of the same name.
_COLLECTIONS = frozenset({"secrets", "deletedsecrets", "certificates", "deletedcertificates"})
_NOBODY = object()
_listeners: tuple[Listener, ...] = ()


def on_write(listener: Listener) -> None:
    """Have ``listener`` told of every write, for as long as the process lives."""
    global _listeners
    _listeners = (*_listeners, listener)


@contextmanager
def telling(url: str, request: Any) -> Iterator[None]:
    """Around a request to the vault at ``url`` that is not a plain read."""
    name = _named(request)
    if name is _NOBODY:
        yield
        return
    _tell(url, name)
    try:
        yield
    finally:
        _tell(url, name)


def is_read(request: Any) -> bool:
    """Whether nobody has to be told. That a certificate is there is seen first by whoever looks for it."""
    if request.method == "GET":
        return "/pending" not in request.url
    return request.method == "POST" and "/backup?" in request.url


def _tell(url: str, name: Any) -> None:
    for listener in _listeners:
        listener(url, name)


def _named(request: Any) -> Any:
    """The name of what is written; None where only the vault knows it."""
    collection, *rest = path_of(request.url).strip("/").split("/")
    if collection not in _COLLECTIONS:
        return _NOBODY
    name = rest[0] if rest else ""
    return None if name in ("", "restore") else name
