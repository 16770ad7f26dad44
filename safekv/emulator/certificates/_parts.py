"""A certificate's version and its two parts: the key and the secret of the same name, with the same version id."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from safekv.emulator import _secrets
from safekv.emulator._answers import Refused
from safekv.emulator.certificates._files import secret_value
from safekv.emulator.certificates._policy import Policy
from safekv.emulator.keys import _keys
from safekv.emulator.keys import _rules as _key_rules
from safekv.emulator.keys._material import load
from safekv.emulator.objects import _attributes
from safekv.emulator.objects._common import add_version
from safekv.emulator.objects._objects import Kind, StoredObject, Version

if TYPE_CHECKING:
    from safekv.emulator._vault import Vault

PARTS: tuple[Kind, ...] = (_keys.KIND, _secrets.KIND)
LONGEST_TAG = 256


def check_names(vault: Vault, name: str, now: float) -> None:
    """Refuse a certificate whose name a key or a secret has that is none of its parts."""
    for kind in PARTS:
        part = vault.collection(kind).writable(name, now)
        if part is not None and not part.latest.managed:
            raise Refused("409_part", name=name)


def made(document: Mapping[str, Any], version_id: str, material: str) -> dict[str, Any]:
    """What is known of a version before it has a certificate, from the body of the request that makes it."""
    blank = Version(version_id, 0, 0, {})
    _attributes.update(blank, document, LONGEST_TAG)
    preserve = document.get("preserveCertOrder")
    if preserve is not None and type(preserve) is not bool:
        raise Refused("400_value")
    own = {"enabled": blank.enabled, "tags": blank.tags, "preserve": preserve}
    return {"version": version_id, "material": material, **own}


def blank_version(made: Mapping[str, Any], now: float) -> Version:
    """The version of this id, disabled until it has its certificate."""
    content = {"cer": None, "preserve": made["preserve"]}
    return Version(made["version"], int(now), int(now), content, enabled=False, tags=made["tags"])


def store(
    vault: Vault, stored: StoredObject, made: Mapping[str, Any], chain: list[x509.Certificate], now: float
) -> Version:
    """Give a version its certificate, and make its parts."""
    for kind in PARTS:  # all or nothing
        vault.collection(kind).writable(stored.name, now)
    policy = stored.details["policy"]
    version = stored.versions.setdefault(made["version"], blank_version(made, now))
    version.content["cer"] = base64.b64encode(chain[0].public_bytes(Encoding.DER)).decode()
    version.not_before = int(chain[0].not_valid_before_utc.timestamp())
    version.expires = int(chain[0].not_valid_after_utc.timestamp())
    version.enabled, version.tags, version.updated = made["enabled"], made["tags"], int(now)
    document = {"attributes": {"enabled": version.enabled, "nbf": version.not_before, "exp": version.expires}}
    for kind, content in _contents(policy, made["material"], chain):
        add_version(vault, kind, stored.name, document, content, now, managed=True, version_id=version.id)
    return version


def _contents(policy: Policy, material: str, chain: list[x509.Certificate]) -> Iterator[tuple[Kind, dict[str, Any]]]:
    key_props, content_type = policy["key_props"], policy["secret_props"]["contentType"]
    kty = key_props["kty"]
    operations = _key_rules.read_operations({}, kty)
    own = {"kty": kty, "material": material, "key_ops": operations}
    yield _keys.KIND, {**own, "exportable": key_props["exportable"], "release_policy": None}
    key = load(kty, material) if key_props["exportable"] else None
    assert not isinstance(key, bytes)  # a policy has no symmetric keys
    yield _secrets.KIND, {"value": secret_value(content_type, key, chain), "contentType": content_type}
