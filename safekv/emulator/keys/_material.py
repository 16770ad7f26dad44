"""What a key is made of: making it, importing it, and the part of it that anybody may see.

Material is kept as a text: PKCS #8 for RSA and EC, the bytes themselves for ``oct``, in base64.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from safekv.emulator._answers import Refused
from safekv.emulator._base64url import decode, encode
from safekv.emulator.keys._rsa_pool import EXPONENT, EXPONENTS, SIZES, of_primes
from safekv.emulator.keys._rsa_pool import generate as generate_rsa

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | bytes

TYPES = ("RSA", "RSA-HSM", "EC", "EC-HSM", "oct", "oct-HSM")
CURVES: dict[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
    "P-256K": ec.SECP256K1(),
}
OCT_SIZES = (128, 192, 256, 384, 512)
_CURVE_NAMES = {curve.name: name for name, curve in CURVES.items()}
_MOST_LOADED = 512
_LONGEST = 1_024  # characters of a member of a JSON Web Key; RSA-4096 needs 683


def family(kty: str) -> str:
    """``RSA``, ``EC`` or ``oct``."""
    return kty.removesuffix("-HSM")


def generate(kty: str, size: object = None, curve: object = None, exponent: object = None) -> str:
    """New material. Refused if there is no such size, curve or exponent."""
    if family(kty) == "RSA":
        return dump(generate_rsa(_one_of(SIZES, size, 2048), _one_of(EXPONENTS, exponent, EXPONENT)))
    if family(kty) == "EC":
        return dump(ec.generate_private_key(CURVES[_one_of(tuple(CURVES), curve, "P-256")]))
    return dump(secrets.token_bytes(_one_of(OCT_SIZES, size, 256) // 8))


def from_jwk(jwk: Mapping[str, Any]) -> str:
    """The material in a JSON Web Key with its private part."""
    readers: dict[str, Callable[[Mapping[str, Any]], PrivateKey]]
    readers = {"RSA": _read_rsa, "EC": _read_ec, "oct": _read_oct}
    try:
        return dump(readers[family(jwk["kty"])](jwk))
    except (KeyError, TypeError, ValueError, UnsupportedAlgorithm):
        raise Refused("400_value") from None


def dump(key: PrivateKey) -> str:
    if not isinstance(key, bytes):
        key = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return base64.b64encode(key).decode()


@lru_cache(_MOST_LOADED)
def load(kty: str, material: str) -> PrivateKey:
    """The key itself; ``ValueError`` if the material is damaged or of another kind."""
    data = base64.b64decode(material, validate=True)
    if family(kty) == "oct":
        if len(data) * 8 not in OCT_SIZES:
            raise ValueError("not a symmetric key")
        return data
    # It was checked when it was imported, and doing so again takes up to 0.3 s.
    key = load_der_private_key(data, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, rsa.RSAPrivateKey if family(kty) == "RSA" else ec.EllipticCurvePrivateKey):
        raise ValueError(f"not a key of type {kty}")
    return key


def is_usable(content: Mapping[str, Any]) -> bool:
    """Whether a key's content that was read from a file is in order."""
    try:
        load(content["kty"], content["material"])
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        return False
    return content["kty"] in TYPES


def can_hold(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bool:
    """Whether Key Vault has keys of this size, or on this curve."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.key_size in SIZES
    return key.curve.name in _CURVE_NAMES


def shape(content: Mapping[str, Any]) -> int | str:
    """The size in bits of an RSA or ``oct`` key, the curve of an EC key."""
    key = load(content["kty"], content["material"])
    if isinstance(key, bytes):
        return len(key) * 8
    return key.key_size if isinstance(key, rsa.RSAPrivateKey) else _CURVE_NAMES[key.curve.name]


def public_jwk(content: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a JSON Web Key that anybody may see; for ``oct`` keys there are none."""
    key = load(content["kty"], content["material"])
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.public_key().public_numbers()
        return {"n": _unsigned(numbers.n), "e": _unsigned(numbers.e)}
    if isinstance(key, ec.EllipticCurvePrivateKey):
        point, length = key.public_key().public_numbers(), (key.key_size + 7) // 8
        return {"crv": shape(content), "x": _unsigned(point.x, length), "y": _unsigned(point.y, length)}
    return {}


def _read_rsa(jwk: Mapping[str, Any]) -> rsa.RSAPrivateKey:
    n, e, d = (_number(jwk, name) for name in ("n", "e", "d"))
    if "p" in jwk and "q" in jwk:
        p, q = _number(jwk, "p"), _number(jwk, "q")
    else:
        p, q = rsa.rsa_recover_prime_factors(n, e, d)
    key = of_primes(p, q, e, d)
    if p * q != n or not can_hold(key):
        raise ValueError("no RSA key that Key Vault can hold")
    return key


def _read_ec(jwk: Mapping[str, Any]) -> ec.EllipticCurvePrivateKey:
    key = ec.derive_private_key(_number(jwk, "d"), CURVES[jwk["crv"]])
    point = key.public_key().public_numbers()
    if (_number(jwk, "x"), _number(jwk, "y")) != (point.x, point.y):
        raise ValueError("the point does not belong to the private key")
    return key


def _read_oct(jwk: Mapping[str, Any]) -> bytes:
    key = _bytes(jwk, "k")
    if len(key) * 8 not in OCT_SIZES:
        raise ValueError("no symmetric key that Key Vault can hold")
    return key


def _number(jwk: Mapping[str, Any], name: str) -> int:
    return int.from_bytes(_bytes(jwk, name), "big")


def _bytes(jwk: Mapping[str, Any], name: str) -> bytes:
    value = jwk[name]
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise ValueError(f"{name} is no text, or is too long")
    return decode(value)


def _unsigned(number: int, length: int = 0) -> str:
    return encode(number.to_bytes(max(length, (number.bit_length() + 7) // 8), "big"))


def _one_of(known: tuple[Any, ...], given: object, otherwise: Any) -> Any:
    if given is None:
        return otherwise
    if type(given) is not type(known[0]) or given not in known:
        raise Refused("400_value")
    return given
