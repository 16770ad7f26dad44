"""The cryptography of keys: what each algorithm of Key Vault does with a key's material.

``Incompatible`` says that a key cannot be used with an algorithm, ``ValueError`` that the data
does not fit, or was not made with this key.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.padding import PKCS7

from safekv.emulator.keys._material import CURVES, PrivateKey

_BLOCK = 16
_AES = re.compile(r"A(128|192|256)(GCM|CBC|CBCPAD|KW)")
_WRAPS = {"CKM_AES_KEY_WRAP": False, "CKM_AES_KEY_WRAP_PAD": True}
_HASHES: dict[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "ES256K": "P-256K"}


def _oaep(digest: hashes.HashAlgorithm) -> padding.OAEP:
    return padding.OAEP(padding.MGF1(digest), digest, None)


_RSA: dict[str, padding.AsymmetricPadding] = {
    "RSA1_5": padding.PKCS1v15(),
    "RSA-OAEP": _oaep(hashes.SHA1()),  # noqa: S303  (what the name stands for)
    "RSA-OAEP-256": _oaep(hashes.SHA256()),
}


class Incompatible(Exception):
    """The key is of another type or size, or on another curve; ``curve`` is the one that it should be on."""

    def __init__(self, curve: str | None = None) -> None:
        super().__init__()
        self.curve = curve


@dataclass(frozen=True, slots=True)
class Sealed:
    """What encrypting gives. ``iv`` and ``tag`` are None where the algorithm has none."""

    value: bytes = field(repr=False)
    iv: bytes | None = None
    tag: bytes | None = None


def encrypt(algorithm: str, key: PrivateKey, data: bytes, iv: bytes | None, aad: bytes | None) -> Sealed:
    if isinstance(key, rsa.RSAPrivateKey) and algorithm in _RSA:
        return Sealed(key.public_key().encrypt(data, _RSA[algorithm]))
    secret, mode = _aes(algorithm, key)
    if mode == "GCM":
        nonce = secrets.token_bytes(12)  # the service's own: one of the caller's could be repeated
        sealed = AESGCM(secret).encrypt(nonce, data, aad)
        return Sealed(sealed[:-16], nonce, sealed[-16:])
    if mode == "KW":
        raise Incompatible
    return Sealed(_cbc(secret, _padded(data, mode), iv, encrypt=True), iv)


def decrypt(
    algorithm: str, key: PrivateKey, data: bytes, iv: bytes | None, tag: bytes | None, aad: bytes | None
) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey) and algorithm in _RSA:
        return key.decrypt(data, _RSA[algorithm])
    secret, mode = _aes(algorithm, key)
    if mode == "GCM":
        if iv is None or tag is None or len(tag) != 16:
            raise ValueError("AES-GCM needs an initialization vector and a tag of 16 bytes")
        try:
            return AESGCM(secret).decrypt(iv, data + tag, aad)
        except InvalidTag:
            raise ValueError("the tag does not fit") from None
    if mode == "KW":
        raise Incompatible
    plain = _cbc(secret, data, iv, encrypt=False)
    if mode == "CBC":
        return plain
    unpadder = PKCS7(_BLOCK * 8).unpadder()
    return unpadder.update(plain) + unpadder.finalize()


def wrap(algorithm: str, key: PrivateKey, data: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey) and algorithm in _RSA:
        return key.public_key().encrypt(data, _RSA[algorithm])
    secret, padded = _key_wrap(algorithm, key)
    return (keywrap.aes_key_wrap_with_padding if padded else keywrap.aes_key_wrap)(secret, data)


def unwrap(algorithm: str, key: PrivateKey, data: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey) and algorithm in _RSA:
        return key.decrypt(data, _RSA[algorithm])
    secret, padded = _key_wrap(algorithm, key)
    try:
        return (keywrap.aes_key_unwrap_with_padding if padded else keywrap.aes_key_unwrap)(secret, data)
    except keywrap.InvalidUnwrap:
        raise ValueError("not wrapped with this key") from None


def sign(algorithm: str, key: PrivateKey, digest: bytes) -> bytes:
    kind, method = algorithm[:2], _digest_of(algorithm)
    if isinstance(key, bytes):
        return _hmac(kind, method, key, digest)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(digest, _signature_padding(kind, method), utils.Prehashed(method))
    _check_curve(algorithm, key)
    r, s = utils.decode_dss_signature(key.sign(digest, ec.ECDSA(utils.Prehashed(method))))
    length = (key.key_size + 7) // 8
    return r.to_bytes(length, "big") + s.to_bytes(length, "big")


def verify(algorithm: str, key: PrivateKey, digest: bytes, signature: bytes) -> bool:
    kind, method = algorithm[:2], _digest_of(algorithm)
    if isinstance(key, bytes):
        return hmac.compare_digest(_hmac(kind, method, key, digest), signature)
    try:
        if isinstance(key, rsa.RSAPrivateKey):
            how = _signature_padding(kind, method)
            key.public_key().verify(signature, digest, how, utils.Prehashed(method))
        else:
            _check_curve(algorithm, key)
            key.public_key().verify(_as_der(signature, key), digest, ec.ECDSA(utils.Prehashed(method)))
    except InvalidSignature:
        return False
    return True


def _aes(algorithm: str, key: PrivateKey) -> tuple[bytes, str]:
    """The key and the mode, if the algorithm is one of AES with keys of this size."""
    found = _AES.fullmatch(algorithm)
    if not found or not isinstance(key, bytes) or len(key) * 8 != int(found[1]):
        raise Incompatible
    return key, found[2]


def _key_wrap(algorithm: str, key: PrivateKey) -> tuple[bytes, bool]:
    """The key, and whether what it wraps is padded."""
    if algorithm in _WRAPS and isinstance(key, bytes) and len(key) in (16, 24, 32):
        return key, _WRAPS[algorithm]
    secret, mode = _aes(algorithm, key)
    if mode != "KW":
        raise Incompatible
    return secret, False


def _padded(data: bytes, mode: str) -> bytes:
    if mode == "CBC":  # as the service does: with zeros, which stay when it is decrypted
        return data + bytes(-len(data) % _BLOCK)
    padder = PKCS7(_BLOCK * 8).padder()
    return padder.update(data) + padder.finalize()


def _cbc(secret: bytes, data: bytes, iv: bytes | None, *, encrypt: bool) -> bytes:
    if iv is None or len(iv) != _BLOCK:
        raise ValueError("AES-CBC needs an initialization vector of 16 bytes")
    cipher = Cipher(algorithms.AES(secret), modes.CBC(iv))
    context = cipher.encryptor() if encrypt else cipher.decryptor()
    return context.update(data) + context.finalize()


def _digest_of(algorithm: str) -> hashes.HashAlgorithm:
    method = _HASHES.get(algorithm[2:5])
    if method is None or (len(algorithm) != 5 and algorithm != "ES256K"):
        raise Incompatible
    return method


def _signature_padding(kind: str, method: hashes.HashAlgorithm) -> padding.AsymmetricPadding:
    if kind == "RS":
        return padding.PKCS1v15()
    if kind == "PS":
        return padding.PSS(padding.MGF1(method), method.digest_size)
    raise Incompatible


def _check_curve(algorithm: str, key: ec.EllipticCurvePrivateKey) -> None:
    curve = _CURVES.get(algorithm)
    if curve is None or key.curve.name != CURVES[curve].name:
        raise Incompatible(curve)


def _as_der(signature: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    length = (key.key_size + 7) // 8
    if len(signature) != 2 * length:
        raise InvalidSignature
    r, s = (int.from_bytes(part, "big") for part in (signature[:length], signature[length:]))
    return utils.encode_dss_signature(r, s)


def _hmac(kind: str, method: hashes.HashAlgorithm, key: bytes, data: bytes) -> bytes:
    if kind != "HS":
        raise Incompatible
    return hmac.digest(key, data, method.name)
