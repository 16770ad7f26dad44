"""What a vault counts together, what each request costs there, and how much it grants.

Source: Microsoft's page on the service limits, per vault and region. A vault counts over 10 s,
a Managed HSM over 1 s. Only ``share=`` needs the numbers; without it a lane learns its limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

_VAULT_WINDOW = 10.0
_HSM_WINDOW = 1.0
_LONGEST_MODULUS = 4_096  # characters of base64


class Work(NamedTuple):
    """The class of operations that a request is counted in, and how much of it the request uses."""

    lane: str
    cost: int
    limit: int  # cost units per window
    window: float  # seconds


class KeyKind(NamedTuple):
    """What a key's operations cost depends on. ``size``: bits of an RSA modulus, else 0."""

    kty: str  # RSA, EC or oct
    hsm: bool
    size: int = 0
    curve: str = ""


_RSA_WEIGHTS = {2048: 1, 3072: 4, 4096: 8}
_KEYS = {False: 4_000, True: 2_000}  # per 10 s, software and HSM
_CREATIONS = {False: 20, True: 10}

_SECRETS = Work("secrets", 1, 4_000, _VAULT_WINDOW)
_SECRET_CREATION = Work("secrets:create", 1, 300, _VAULT_WINDOW)
_CERTIFICATES = Work("certificates", 1, 4_000, _VAULT_WINDOW)
_KEY_OF_UNKNOWN_KIND = Work("keys", 1, 4_000, _VAULT_WINDOW)
_OTHER = Work("other", 1, 4_000, _VAULT_WINDOW)

_MAKES_A_KEY = frozenset({"create_key", "rotate_key", "import_key", "create_certificate", "import_certificate"})
#: Operations that use a key without changing it.
CRYPTOGRAPHY = frozenset({"encrypt", "decrypt", "wrap_key", "unwrap_key", "sign", "verify", "release_key"})
_WITH_PRIVATE_KEY = frozenset({"decrypt", "unwrap_key", "sign"})
_FULL_BACKUP = frozenset({"backup", "restore", "selective_restore"})  # asking how far they are is not counted with them
_LIFECYCLE = frozenset({"delete_key", "purge_deleted_key", "backup_key", "restore_key_backup"})
_HSM_RSA = {  # size: (encrypt, wrap, verify; decrypt, unwrap, sign) per second
    2048: (10_000, 1_100),
    3072: (10_000, 360),
    4096: (6_000, 160),
}
_HSM_EC = {  # curve: (verify, sign) per second
    "P-256": (130, 260),
    "P-256K": (130, 260),
    "P-384": (82, 165),
    "P-521": (28, 56),
}
_HSM_AES = {"encrypt": 8_000, "decrypt": 8_000, "wrap_key": 9_000, "unwrap_key": 9_000}


def work_of(operation: str, path: str, *, hsm: bool = False, key: KeyKind | None = None) -> Work:
    """The class and the cost of one request.

    :param path: of the request; decides where the table of operations knows nothing.
    :param hsm: whether it goes to a Managed HSM.
    :param key: the kind of key that it uses or makes, where that is known.
    """
    if hsm:
        return _on_hsm(operation, path, key)
    collection = path.lstrip("/").split("/", 1)[0]
    if operation == "set_secret":
        return _SECRET_CREATION
    if operation in _MAKES_A_KEY:
        kind = "hsm" if key and key.hsm else "software"
        return Work(f"keys:create:{kind}", 1, _CREATIONS[kind == "hsm"], _VAULT_WINDOW)
    if operation in CRYPTOGRAPHY or operation == "get_key":
        return _with_key(key)
    if collection in ("secrets", "deletedsecrets"):
        return _SECRETS
    if collection in ("certificates", "deletedcertificates"):
        return _CERTIFICATES
    return _KEY_OF_UNKNOWN_KIND if collection in ("keys", "deletedkeys", "rng") else _OTHER


def _with_key(key: KeyKind | None) -> Work:
    if key is None or key.kty not in ("RSA", "EC"):
        return _KEY_OF_UNKNOWN_KIND
    weight = _RSA_WEIGHTS.get(key.size, 1) if key.kty == "RSA" else 1
    kind = f"keys:{'hsm' if key.hsm else 'software'}:{key.kty.lower()}"
    return Work(kind, weight, _KEYS[key.hsm], _VAULT_WINDOW)


def _on_hsm(operation: str, path: str, key: KeyKind | None) -> Work:
    if "/roleassignments" in path.lower() or "/roledefinitions" in path.lower():
        return Work("hsm:roles", 1, 5, _HSM_WINDOW)
    if operation in _FULL_BACKUP:
        return Work("hsm:backup", 1, 1, _HSM_WINDOW)
    if operation in _MAKES_A_KEY:
        return Work("hsm:create", 1, 1, _HSM_WINDOW)
    if operation in _LIFECYCLE:
        return Work("hsm:lifecycle", 1, 10, _HSM_WINDOW)
    if operation in CRYPTOGRAPHY and key is not None:
        return _with_key_on_hsm(operation, key)
    return Work("hsm:get" if operation == "get_key" else "hsm:other", 1, 1_100, _HSM_WINDOW)


def _with_key_on_hsm(operation: str, key: KeyKind) -> Work:
    private = operation in _WITH_PRIVATE_KEY
    side = "private" if private else "public"
    if key.kty == "RSA":
        size = key.size if key.size in _HSM_RSA else 4096
        return Work(f"hsm:rsa-{size}:{side}", 1, _HSM_RSA[size][private], _HSM_WINDOW)
    if key.kty == "EC":
        curve = key.curve if key.curve in _HSM_EC else "P-521"
        return Work(f"hsm:{curve.lower()}:{side}", 1, _HSM_EC[curve][private], _HSM_WINDOW)
    kind = "wrap" if "wrap" in operation else "encrypt"
    return Work(f"hsm:aes:{kind}", 1, _HSM_AES.get(operation, 8_000), _HSM_WINDOW)


def key_kind(jwk: object) -> KeyKind | None:
    """The kind of the key in a JSON Web Key, or in what a request to create one says; None if it does not say."""
    if not isinstance(jwk, Mapping) or not isinstance(jwk.get("kty"), str):
        return None
    kty, _, hsm = jwk["kty"].partition("-")
    return KeyKind(kty, hsm.upper() == "HSM", _bits(jwk), str(jwk.get("crv", "")))


def _bits(jwk: Mapping[str, Any]) -> int:
    modulus, said = jwk.get("n"), jwk.get("key_size")
    if isinstance(modulus, str) and len(modulus) <= _LONGEST_MODULUS:
        return round(len(modulus.rstrip("=")) * 6 / 1024) * 1024
    return said if isinstance(said, int) else 0
