"""A ring in a secret, written by many.

A vault has no "write if nobody else has", so somebody else is found out afterwards: of writers that look, write and
look again, the one that wrote last sees the versions of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import Any

from safekv.envelope._conflicts import written_at_once
from safekv.errors import AccessDenied, NotFound

Flow = Generator[Any, Any, Any]

#: RFC 7516, of the JSON serialisation.
CONTENT_TYPE = "application/jose+json"
#: The versions of a secret: ``versions_of(client, name)``, of the ring's colour.
VersionsOf = Callable[[Any, str], Any]


def replacing_secret(client: Any, versions_of: VersionsOf, name: str, text: str, check: Callable[[str], None]) -> Flow:
    """Write ``text``, if the secret is not there or ``check`` finds no fault with its value.

    :raises RingConflict: if somebody else wrote meanwhile; what they and we wrote are versions of the secret.
    """
    before = yield from _versions(client, versions_of, name)
    try:
        secret = yield partial(client.get_secret, name, max_age=0)
        check(secret.value or "")
    except NotFound:
        pass
    ours = (yield from writing_secret(client, name, text)).properties.version
    after = None if before is None else (yield from _versions(client, versions_of, name))
    if after is None:  # this identity may not list; then only who came after us is seen
        after = {(yield partial(client.get_secret, name, max_age=0)).properties.version}
    others = after - (before or frozenset()) - {ours}
    if others:
        raise written_at_once(called(name), others)


def writing_secret(client: Any, name: str, text: str) -> Flow:
    """Write ``text``, whatever is there."""
    return (yield partial(client.set_secret, name, text, content_type=CONTENT_TYPE))


def called(name: str) -> str:
    """The secret in an error."""
    return f"The secret {name!r}"


def _versions(client: Any, versions_of: VersionsOf, name: str) -> Flow:
    try:
        return (yield partial(versions_of, client, name))
    except NotFound:
        return frozenset()
    except AccessDenied:
        return None
