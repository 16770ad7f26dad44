"""Secure key release: exportable keys leave, encrypted for an environment whose claims satisfy the key's policy.

The target's token is read, and its claims are compared; its signature is not checked, because
the emulator asks nobody for keys. What comes out is as the service wraps it: a random AES key
under the target's RSA key, and with that the private key as RFC 5649 says.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from safekv.emulator._answers import Refused
from safekv.emulator._base64url import decode, encode

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "CKM_RSA_AES_KEY_WRAP": hashes.SHA1(),  # noqa: S303  (what the name stands for)
    "RSA_AES_KEY_WRAP_256": hashes.SHA256(),
    "RSA_AES_KEY_WRAP_384": hashes.SHA384(),
}
_DEFAULT_TYPE = "application/json; charset=utf-8"


def read_policy(document: Mapping[str, Any], *, exportable: bool, before: Mapping[str, Any] | None) -> Any:
    """The ``release_policy`` that a key is to have from now on; the one ``before`` if the body has none."""
    given = document.get("release_policy")
    if given is None:
        return before
    if not exportable:
        raise Refused("400_skr1005")
    if before and before["immutable"]:
        raise Refused("400_skr1020")
    return _checked(given)


def _checked(given: object) -> dict[str, Any]:
    try:
        assert isinstance(given, dict)
        rules = json.loads(decode(given["data"]))
        assert isinstance(rules, dict)
    except (AssertionError, KeyError, AttributeError, ValueError, RecursionError):
        raise Refused("400_value") from None
    content_type, immutable = given.get("contentType") or _DEFAULT_TYPE, given.get("immutable") or False
    if not isinstance(content_type, str) or not isinstance(immutable, bool):
        raise Refused("400_value")
    return {"contentType": content_type, "data": given["data"], "immutable": immutable}


def release(content: Mapping[str, Any], bundle: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    """A compact JWS with the key in it, for the target in the body of the request."""
    target, method = document.get("target"), document.get("enc") or "CKM_RSA_AES_KEY_WRAP"
    if not isinstance(target, str) or method not in _HASHES:
        raise Refused("400_value")
    policy = content["release_policy"]
    claims = _claims(target)
    if policy is None or not _satisfies(claims, json.loads(decode(policy["data"]))):
        raise Refused("403_release")
    wrapped = _wrap(base64.b64decode(content["material"]), _target_key(claims), _HASHES[method])
    header = {"alg": "dir", "enc": method, "kid": "TEE"}
    sealed = {"schema_version": "1.0", "header": header, "ciphertext": encode(wrapped)}
    key = {**bundle["key"], "key_hsm": _encoded(sealed)}
    payload = {"request": {"enc": method, "nonce": document.get("nonce")}, "response": {"key": {**bundle, "key": key}}}
    # Signed by nobody, as everything here that looks like a token.
    return f"{_encoded({'alg': 'none', 'typ': 'JWT'})}.{_encoded(payload)}."


def _wrap(material: bytes, target: rsa.RSAPublicKey, digest: hashes.HashAlgorithm) -> bytes:
    key = secrets.token_bytes(32)
    sealed = target.encrypt(key, padding.OAEP(padding.MGF1(digest), digest, None))
    return sealed + keywrap.aes_key_wrap_with_padding(key, material)


def _claims(token: str) -> dict[str, Any]:
    try:
        claims = json.loads(decode(token.split(".")[1]))
        assert isinstance(claims, dict)
    except (AssertionError, IndexError, ValueError, RecursionError):
        raise Refused("400_value") from None
    return claims


def _target_key(claims: Mapping[str, Any]) -> rsa.RSAPublicKey:
    """The key for encrypting that the token vouches for."""
    try:
        (jwk, *_) = [key for key in claims["x-ms-runtime"]["keys"] if key["kty"] == "RSA"]
        numbers = (int.from_bytes(decode(jwk[name]), "big") for name in ("e", "n"))
        return rsa.RSAPublicNumbers(*numbers).public_key()
    except (KeyError, TypeError, AttributeError, ValueError):
        raise Refused("400_value") from None


def _satisfies(claims: Mapping[str, Any], rule: object) -> bool:
    """Whether claims are what a rule of a policy asks for; what is not understood asks for too much."""
    if not isinstance(rule, dict) or rule.get("authority", claims.get("iss")) not in _authorities(claims):
        return False
    for name, combined in (("anyOf", any), ("allOf", all)):
        if isinstance(rule.get(name), list):
            return combined(_satisfies(claims, each) for each in rule[name])
    value: Any = claims
    for part in str(rule.get("claim")).split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value is not None and _text(value) == _text(rule.get("equals"))


def _authorities(claims: Mapping[str, Any]) -> tuple[Any, ...]:
    issuer = str(claims.get("iss")).rstrip("/")
    return claims.get("iss"), issuer, f"{issuer}/"


def _text(value: object) -> str:
    """Policies write true and ``"true"`` alike."""
    return value if isinstance(value, str) else json.dumps(value)


def _encoded(document: object) -> str:
    return encode(json.dumps(document, separators=(",", ":")).encode())
