"""Keys for the tests of keys: made once, imported where a test has to know them."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from emulator_wire import Answer, Wire

from safekv.emulator._base64url import decode, encode
from safekv.emulator.keys._material import load
from safekv.emulator.keys._rsa_pool import POOL

CURVES: dict[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
    "P-256K": ec.SECP256K1(),
}


def number(value: int, length: int = 0) -> str:
    return encode(value.to_bytes(max(length, (value.bit_length() + 7) // 8), "big"))


def rsa_jwk(key: rsa.RSAPrivateKey | None = None, **other: Any) -> dict[str, Any]:
    numbers = (key or POOL.take(2048)).private_numbers()
    names = {"d": numbers.d, "p": numbers.p, "q": numbers.q, "dp": numbers.dmp1, "dq": numbers.dmq1, "qi": numbers.iqmp}
    public = {"n": numbers.public_numbers.n, "e": numbers.public_numbers.e}
    return {"kty": "RSA", **{name: number(value) for name, value in {**names, **public}.items()}, **other}


def ec_jwk(curve: str = "P-256", **other: Any) -> dict[str, Any]:
    numbers = ec.generate_private_key(CURVES[curve]).private_numbers()
    length = (CURVES[curve].key_size + 7) // 8
    names = {"d": numbers.private_value, "x": numbers.public_numbers.x, "y": numbers.public_numbers.y}
    return {"kty": "EC", "crv": curve, **{name: number(value, length) for name, value in names.items()}, **other}


def oct_jwk(key: bytes, **other: Any) -> dict[str, Any]:
    return {"kty": "oct", "k": encode(key), **other}


def create(wire: Wire, name: str = "name", kty: str = "EC", **body: Any) -> Answer:
    answer = wire.post(f"/keys/{name}/create", {"kty": kty, **body})
    assert answer.status == 200, answer.json
    return answer


def import_(wire: Wire, jwk: dict[str, Any], name: str = "name", **body: Any) -> Answer:
    answer = wire.put(f"/keys/{name}", {"key": jwk, **body})
    assert answer.status == 200, answer.json
    return answer


def inside(wire: Wire, name: str = "name") -> Any:
    """The private key itself, out of the emulator."""
    content = wire.vault.keys.find(name, 0).latest.content
    return load(content["kty"], content["material"])


def ask(wire: Wire, operation: str, algorithm: str, name: str = "name", **values: bytes) -> Answer:
    """An operation with bytes in base64url."""
    body = {each: encode(value) for each, value in values.items()}
    return wire.post(f"/keys/{name}/{operation}", {"alg": algorithm, **body})


def value(answer: Answer) -> bytes:
    assert answer.status == 200, answer.json
    return decode(answer.json["value"])
