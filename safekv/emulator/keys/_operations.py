"""What keys do: encrypt, decrypt, wrap, unwrap, sign and verify."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from safekv.emulator._answers import Refused
from safekv.emulator._base64url import decode, encode
from safekv.emulator._call import Call, Route
from safekv.emulator._messages import Response
from safekv.emulator.keys import _algorithms, _rules
from safekv.emulator.keys._algorithms import Incompatible
from safekv.emulator.keys._costs import charge
from safekv.emulator.keys._material import PrivateKey, load, shape
from safekv.emulator.objects import _attributes
from safekv.emulator.objects._objects import Kind

Parameters = Mapping[str, Any]
_Perform = Callable[[str, PrivateKey, Parameters], dict[str, Any]]
_BINARY = ("value", "iv", "tag", "aad", "digest")


def _encrypt(algorithm: str, key: PrivateKey, given: Parameters) -> dict[str, Any]:
    sealed = _algorithms.encrypt(algorithm, key, _needed(given, "value"), given.get("iv"), given.get("aad"))
    extra = {"iv": sealed.iv, "tag": sealed.tag, "aad": given.get("aad")}
    return {"value": encode(sealed.value), **{name: encode(each) for name, each in extra.items() if each is not None}}


def _decrypt(algorithm: str, key: PrivateKey, given: Parameters) -> dict[str, Any]:
    iv, tag, aad = (given.get(name) for name in ("iv", "tag", "aad"))
    return {"value": encode(_algorithms.decrypt(algorithm, key, _needed(given, "value"), iv, tag, aad))}


def _wrap(algorithm: str, key: PrivateKey, given: Parameters) -> dict[str, Any]:
    return {"value": encode(_algorithms.wrap(algorithm, key, _needed(given, "value")))}


def _unwrap(algorithm: str, key: PrivateKey, given: Parameters) -> dict[str, Any]:
    return {"value": encode(_algorithms.unwrap(algorithm, key, _needed(given, "value")))}


def _sign(algorithm: str, key: PrivateKey, given: Parameters) -> dict[str, Any]:
    return {"value": encode(_algorithms.sign(algorithm, key, _needed(given, "value")))}


def _verify(algorithm: str, key: PrivateKey, given: Parameters) -> dict[str, Any]:
    """``value`` is the signature."""
    valid = _algorithms.verify(algorithm, key, _needed(given, "digest"), _needed(given, "value"))
    return {"value": valid}


#: The SDK's method, the last segment of the path, what ``key_ops`` calls it, and what does it.
_ALL: tuple[tuple[str, str, str, _Perform], ...] = (
    ("encrypt", "encrypt", "encrypt", _encrypt),
    ("decrypt", "decrypt", "decrypt", _decrypt),
    ("wrap_key", "wrapkey", "wrapKey", _wrap),
    ("unwrap_key", "unwrapkey", "unwrapKey", _unwrap),
    ("sign", "sign", "sign", _sign),
    ("verify", "verify", "verify", _verify),
)


def _handle(kind: Kind, operation: str, perform: _Perform, call: Call) -> Response:
    stored, version = call.vault.collection(kind).version(call.name, call.version, call.now)
    _rules.check(version, operation, call.now)
    document = _attributes.read_json(call.request.body)
    algorithm, given = _read(document)
    identifier = f"{call.vault.url}/{kind.segment}/{stored.name}/{version.id}"
    kty = version.content["kty"]
    try:
        result = perform(algorithm, load(kty, version.content["material"]), given)
    except Incompatible as problem:
        if problem.curve is None:
            raise Refused("400_algorithm", id=identifier, kty=kty, algorithm=algorithm) from None
        curve = str(shape(version.content))
        names = {"id": identifier, "curve": curve, "algorithm": algorithm, "expected": problem.curve}
        raise Refused("400_curve", **names) from None
    except ValueError:
        raise Refused("400_parameter") from None
    return Response.json(200, result if operation == "verify" else {"kid": identifier, **result})


def _read(document: Mapping[str, Any]) -> tuple[str, Parameters]:
    algorithm = document.get("alg")
    if not isinstance(algorithm, str):
        raise Refused("400_value")
    try:
        return algorithm, {name: decode(document[name]) for name in _BINARY if document.get(name) is not None}
    except (AttributeError, ValueError):
        raise Refused("400_value") from None


def _needed(given: Parameters, name: str) -> bytes:
    if name not in given:
        raise Refused("400_value")
    value: bytes = given[name]
    return value


def routes(kind: Kind) -> tuple[Route, ...]:
    """With a version, with an empty one, and without one."""
    paths = (f"/{kind.segment}/{{name}}/{{version}}/", f"/{kind.segment}/{{name}}/")
    return tuple(
        Route(method, "POST", path + last, partial(_handle, kind, operation, perform), "key", on_hsm=True, cost=charge)
        for method, last, operation, perform in _ALL
        for path in paths
    )
