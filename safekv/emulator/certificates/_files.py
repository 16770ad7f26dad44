"""Certificates with their keys as files: PEM and PKCS #12, in both directions."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)

from safekv.emulator._answers import Refused
from safekv.emulator.certificates._policy import PEM, PKCS12
from safekv.emulator.certificates._x509 import SigningKey, public_bytes_match
from safekv.emulator.keys._material import can_hold

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A key and its certificate, with the certificates that lead to its issuer after it."""

    key: SigningKey = field(repr=False)
    chain: list[x509.Certificate]
    content_type: str


def read(text: str, password: str | None) -> Bundle:
    """What somebody imports: PEM as it is or in base64, or PKCS #12 in base64."""
    data = text.encode()
    if b"-----BEGIN" not in data:
        try:
            data = base64.b64decode(data, validate=True)
        except (ValueError, binascii.Error):
            raise Refused("400_pkcs12") from None
    if b"-----BEGIN" in data:
        return _matching(*_read_pem(data, password), PEM)
    return _matching(*_read_pkcs12(data, password), PKCS12)


def secret_value(content_type: str, key: SigningKey | None, chain: list[x509.Certificate]) -> str:
    """What stands in the secret of a certificate; without a key if that may not leave."""
    if content_type == PEM:
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) if key else b""
        return (private + b"".join(each.public_bytes(Encoding.PEM) for each in chain)).decode()
    archive = pkcs12.serialize_key_and_certificates(None, key, chain[0], chain[1:], NoEncryption())
    return base64.b64encode(archive).decode()


def read_certificate(text: object) -> x509.Certificate:
    """A certificate in base64: of DER, of PEM, or of what stands in PEM between the two lines."""
    try:
        assert isinstance(text, str)
        data = base64.b64decode(text, validate=True)
        if data.startswith(b"-----BEGIN"):
            return x509.load_pem_x509_certificate(data)
        if not data.startswith(b"0\x82"):
            data = base64.b64decode(data)
        return x509.load_der_x509_certificate(data)
    except (AssertionError, ValueError, binascii.Error):
        raise Refused("400_value") from None


def _read_pem(data: bytes, password: str | None) -> tuple[Any, list[x509.Certificate]]:
    key, chain = None, []
    try:
        for block in _BLOCK.finditer(data):
            if block[1].endswith(b"PRIVATE KEY"):
                key = load_pem_private_key(block[0], password.encode() if password else None)
            elif block[1] == b"CERTIFICATE":
                chain.append(x509.load_pem_x509_certificate(block[0]))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Refused("400_pem") from None
    return key, chain


def _read_pkcs12(data: bytes, password: str | None) -> tuple[Any, list[x509.Certificate]]:
    try:
        loaded = pkcs12.load_pkcs12(data, (password or "").encode())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Refused("400_pkcs12") from None
    own = [loaded.cert.certificate] if loaded.cert else []
    return loaded.key, own + [each.certificate for each in loaded.additional_certs]


def _matching(key: Any, chain: list[x509.Certificate], content_type: str) -> Bundle:
    """The certificate of the key comes first, wherever it stood."""
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise Refused("400_pfx")
    if not can_hold(key):
        raise Refused("400_value")
    own = next((each for each in chain if public_bytes_match(each, key)), None)
    if own is None:
        raise Refused("400_pfx")
    return Bundle(key, [own, *(each for each in chain if each is not own)], content_type)
