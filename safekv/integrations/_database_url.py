"""A database's URL as an entry of Django's ``DATABASES``. No message has the URL in it: there is a password in it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from safekv.errors import MalformedSecret

_ENGINES = {
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
    "oracle": "oracle",
    "sqlite": "sqlite3",
}
_HINT = "Write postgres://user:password@host:5432/name, with %40 for an @ in the password."


def database(url: str) -> dict[str, Any]:
    """``ENGINE``, ``NAME`` and what else the URL says; its query is ``OPTIONS``.

    :raises MalformedSecret: if it is no URL of a database that Django knows.
    """
    parts, port, problem = None, None, ""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        problem = "not a URL"  # what was raised may have its text
    if parts is None or problem:
        raise MalformedSecret("Its value is not a URL.", hint=_HINT)
    engine = _ENGINES.get(parts.scheme)
    name = unquote(parts.path[1:])
    if engine is None or not (name or engine == "sqlite3"):
        known = ", ".join(_ENGINES)
        raise MalformedSecret(f"Its value is not the URL of a database (one of {known}) with a name.", hint=_HINT)
    entry = {
        "ENGINE": f"django.db.backends.{engine}",
        "NAME": name or ":memory:",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": "" if port is None else str(port),
    }
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    return {**entry, "OPTIONS": options} if options else entry
