"""Every vault operation: how to recognise its request, and whether it may be repeated.

``repeatable`` answers one question: the request may or may not have been carried out
(reset, timeout, 5xx) — does sending it again leave the vault as sending it once would?
A throttled request (429) was not carried out, so it may always be repeated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, named like the SDK's method."""

    name: str
    method: str
    route: str
    repeatable: bool

    def pattern(self) -> re.Pattern[str]:
        """The route as a regular expression. A version may be empty or missing."""
        return re.compile("/" + self.route.replace("/<version>", "(/(?!versions$)[^/]*)?").replace("<name>", "[^/]+"))


_ALL = (
    Operation("get_secret", "GET", "secrets/<name>/<version>", True),
    Operation("list_properties_of_secrets", "GET", "secrets", True),
    Operation("list_properties_of_secret_versions", "GET", "secrets/<name>/versions", True),
    # A repeated PUT makes a second version, and a second event for whoever listens.
    Operation("set_secret", "PUT", "secrets/<name>", False),
    Operation("update_secret_properties", "PATCH", "secrets/<name>/<version>", True),
    # Sent twice, the second is answered 404 or 409 although the first has done it.
    Operation("delete_secret", "DELETE", "secrets/<name>", False),
    Operation("get_deleted_secret", "GET", "deletedsecrets/<name>", True),
    Operation("list_deleted_secrets", "GET", "deletedsecrets", True),
    Operation("recover_deleted_secret", "POST", "deletedsecrets/<name>/recover", False),
    Operation("purge_deleted_secret", "DELETE", "deletedsecrets/<name>", False),
    Operation("backup_secret", "POST", "secrets/<name>/backup", True),
    Operation("restore_secret_backup", "POST", "secrets/restore", False),
)
_ROUTES = tuple((operation, operation.pattern()) for operation in _ALL)


def operation_of(method: str, path: str) -> Operation:
    """The operation that a request stands for.

    One that the table does not know is named after its method; only a GET or HEAD of
    that kind is repeatable.
    """
    method = method.upper()
    for operation, pattern in _ROUTES:
        if operation.method == method and pattern.fullmatch(path.rstrip("/")):
            return operation
    return _unknown(method)


@lru_cache(maxsize=16)
def _unknown(method: str) -> Operation:
    return Operation(method, method, "", method in ("GET", "HEAD"))
