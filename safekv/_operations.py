"""Every vault operation: how to recognise its request, and what may be done when nobody knows whether it was done.

``repeat`` answers one question: the request may or may not have been carried out (reset,
timeout, 5xx) — does sending it again leave the vault as sending it once would? A throttled
request (429) was not carried out, so it may always be repeated.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from functools import lru_cache
from itertools import product
from typing import NamedTuple


class Repeat(Enum):
    """What to do after an unknown outcome."""

    FREELY = "freely"  # twice is the same as once
    READ_BACK = "read back"  # first see whether it is there
    SETTLE = "settle"  # repeat; if it then is as it should be, the first attempt has done it
    NEVER = "never"  # twice would be two of them


class Operation(NamedTuple):
    """One operation, named like the SDK's method."""

    name: str
    repeat: Repeat


_FREELY, _READ_BACK, _SETTLE, _NEVER = Repeat.FREELY, Repeat.READ_BACK, Repeat.SETTLE, Repeat.NEVER

#: By method and route. ``*`` is a name or a version; whatever else a route has stands for itself.
_ROUTES: dict[str, tuple[str, Repeat]] = {
    "GET secrets": ("list_properties_of_secrets", _FREELY),
    "GET secrets/*": ("get_secret", _FREELY),
    "GET secrets/*/*": ("get_secret", _FREELY),
    "GET secrets/*/versions": ("list_properties_of_secret_versions", _FREELY),
    # A repeated PUT makes a second version, and a second event for whoever listens.
    "PUT secrets/*": ("set_secret", _READ_BACK),
    "PATCH secrets/*": ("update_secret_properties", _FREELY),
    "PATCH secrets/*/*": ("update_secret_properties", _FREELY),
    # Sent twice, the second is answered 404 or 409 although the first has done it.
    "DELETE secrets/*": ("delete_secret", _SETTLE),
    "GET deletedsecrets": ("list_deleted_secrets", _FREELY),
    "GET deletedsecrets/*": ("get_deleted_secret", _FREELY),
    "POST deletedsecrets/*/recover": ("recover_deleted_secret", _SETTLE),
    "DELETE deletedsecrets/*": ("purge_deleted_secret", _SETTLE),
    "POST secrets/*/backup": ("backup_secret", _FREELY),
    # Sent twice, the second is answered 409 whether or not it was the first that restored it.
    "POST secrets/restore": ("restore_secret_backup", _SETTLE),
    "GET keys": ("list_properties_of_keys", _FREELY),
    "GET keys/*": ("get_key", _FREELY),
    "GET keys/*/*": ("get_key", _FREELY),
    "GET keys/*/versions": ("list_properties_of_key_versions", _FREELY),
    "GET keys/*/*/attestation": ("get_key_attestation", _FREELY),
    "POST keys/*/create": ("create_key", _NEVER),
    "POST keys/*/rotate": ("rotate_key", _NEVER),
    "PUT keys/*": ("import_key", _NEVER),
    "PATCH keys/*": ("update_key_properties", _FREELY),
    "PATCH keys/*/*": ("update_key_properties", _FREELY),
    "GET keys/*/rotationpolicy": ("get_key_rotation_policy", _FREELY),
    "PUT keys/*/rotationpolicy": ("update_key_rotation_policy", _FREELY),
    "DELETE keys/*": ("delete_key", _SETTLE),
    "GET deletedkeys": ("list_deleted_keys", _FREELY),
    "GET deletedkeys/*": ("get_deleted_key", _FREELY),
    "POST deletedkeys/*/recover": ("recover_deleted_key", _SETTLE),
    "DELETE deletedkeys/*": ("purge_deleted_key", _SETTLE),
    "POST keys/*/backup": ("backup_key", _FREELY),
    "POST keys/restore": ("restore_key_backup", _SETTLE),
    "POST rng": ("get_random_bytes", _FREELY),
    # These compute, and change nothing; the ``*`` after the name is the version.
    "POST keys/*/*/encrypt": ("encrypt", _FREELY),
    "POST keys/*/*/decrypt": ("decrypt", _FREELY),
    "POST keys/*/*/wrapkey": ("wrap_key", _FREELY),
    "POST keys/*/*/unwrapkey": ("unwrap_key", _FREELY),
    "POST keys/*/*/sign": ("sign", _FREELY),
    "POST keys/*/*/verify": ("verify", _FREELY),
    "POST keys/*/*/release": ("release_key", _FREELY),
    "GET certificates": ("list_properties_of_certificates", _FREELY),
    "GET certificates/*": ("get_certificate", _FREELY),
    "GET certificates/*/*": ("get_certificate_version", _FREELY),
    "GET certificates/*/versions": ("list_properties_of_certificate_versions", _FREELY),
    "GET certificates/*/policy": ("get_certificate_policy", _FREELY),
    "PATCH certificates/*/policy": ("update_certificate_policy", _FREELY),
    "PATCH certificates/*": ("update_certificate_properties", _FREELY),
    "PATCH certificates/*/*": ("update_certificate_properties", _FREELY),
    "POST certificates/*/create": ("create_certificate", _NEVER),
    "POST certificates/*/import": ("import_certificate", _NEVER),
    "POST certificates/*/pending/merge": ("merge_certificate", _NEVER),
    "GET certificates/*/pending": ("get_certificate_operation", _FREELY),
    "PATCH certificates/*/pending": ("cancel_certificate_operation", _FREELY),
    "DELETE certificates/*/pending": ("delete_certificate_operation", _NEVER),
    "DELETE certificates/*": ("delete_certificate", _SETTLE),
    "GET deletedcertificates": ("list_deleted_certificates", _FREELY),
    "GET deletedcertificates/*": ("get_deleted_certificate", _FREELY),
    "POST deletedcertificates/*/recover": ("recover_deleted_certificate", _SETTLE),
    "DELETE deletedcertificates/*": ("purge_deleted_certificate", _SETTLE),
    "POST certificates/*/backup": ("backup_certificate", _FREELY),
    "POST certificates/restore": ("restore_certificate_backup", _SETTLE),
    "GET certificates/contacts": ("get_contacts", _FREELY),
    "PUT certificates/contacts": ("set_contacts", _FREELY),
    "DELETE certificates/contacts": ("delete_contacts", _NEVER),
    "GET certificates/issuers": ("list_properties_of_issuers", _FREELY),
    "GET certificates/issuers/*": ("get_issuer", _FREELY),
    "PUT certificates/issuers/*": ("create_issuer", _FREELY),
    "PATCH certificates/issuers/*": ("update_issuer", _FREELY),
    "DELETE certificates/issuers/*": ("delete_issuer", _NEVER),
    # Only a Managed HSM has the rest.
    "GET settings": ("list_settings", _FREELY),
    "GET settings/*": ("get_setting", _FREELY),
    "PATCH settings/*": ("update_setting", _FREELY),
    # Twice would be two backups; and two restorations would undo what was written between them.
    "POST backup": ("backup", _NEVER),
    "PUT restore": ("restore", _NEVER),
    "PUT keys/*/restore": ("selective_restore", _NEVER),
    "POST prebackup": ("pre_backup", _FREELY),
    "PUT prerestore": ("pre_restore", _FREELY),
    "GET backup/*/pending": ("backup_status", _FREELY),
    "GET restore/*/pending": ("restore_status", _FREELY),
}
#: At each scope of a Managed HSM. What is changed has a GUID for a name, and each attempt of one call has the same.
_ROLES: dict[str, tuple[str, Repeat]] = {
    "GET roleDefinitions": ("list_role_definitions", _FREELY),
    "GET roleDefinitions/*": ("get_role_definition", _FREELY),
    "PUT roleDefinitions/*": ("set_role_definition", _FREELY),
    "DELETE roleDefinitions/*": ("delete_role_definition", _FREELY),  # the SDK takes a 404 for success
    "GET roleAssignments": ("list_role_assignments", _FREELY),
    "GET roleAssignments/*": ("get_role_assignment", _FREELY),
    "PUT roleAssignments/*": ("create_role_assignment", _SETTLE),
    "DELETE roleAssignments/*": ("delete_role_assignment", _FREELY),
}
for _scope, (_route, _known) in product(("", "keys/", "keys/*/"), _ROLES.items()):
    _method, _, _rest = _route.partition(" ")
    _ROUTES[f"{_method} {_scope}providers/Microsoft.Authorization/{_rest}"] = _known

_OPERATIONS = {tuple(route.split(" ", 1)): Operation(*known) for route, known in _ROUTES.items()}
_MOST_SEGMENTS = max(route.count("/") for route in _ROUTES) + 1


@lru_cache(maxsize=256)
def operation_of(method: str, path: str) -> Operation:
    """The operation that a request stands for.

    One that the table does not know is named after its method; only a GET or HEAD of that
    kind may be repeated.
    """
    method = method.upper()
    collection, *rest = path.strip("/").split("/")
    if len(rest) < _MOST_SEGMENTS:
        for route in _spellings(collection, rest):
            known = _OPERATIONS.get((method, route))
            if known is not None:
                return known
    return Operation(method, _FREELY if method in ("GET", "HEAD") else _NEVER)


def _spellings(collection: str, rest: list[str]) -> Iterator[str]:
    """The routes that a path may be an instance of, the more literal ones first."""
    for parts in product(*((segment, "*") for segment in rest)):
        yield "/".join((collection, *parts))
