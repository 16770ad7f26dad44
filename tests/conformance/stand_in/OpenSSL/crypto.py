"""Signing a certificate request, in the words of pyOpenSSL."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

FILETYPE_PEM = 1
_DAY = timedelta(days=1)


class _Holder:
    """A certificate or a request."""

    def __init__(self, held: Any) -> None:
        self._held = held

    def get_subject(self) -> x509.Name:
        return self._held.subject

    def get_pubkey(self) -> Any:
        return self._held.public_key()


class X509:
    def __init__(self) -> None:
        self._builder = x509.CertificateBuilder()

    def set_serial_number(self, number: int) -> None:
        self._builder = self._builder.serial_number(number)

    def gmtime_adj_notBefore(self, seconds: int) -> None:
        self._builder = self._builder.not_valid_before(_from_now(seconds))

    def gmtime_adj_notAfter(self, seconds: int) -> None:
        self._builder = self._builder.not_valid_after(_from_now(seconds))

    def set_issuer(self, name: x509.Name) -> None:
        self._builder = self._builder.issuer_name(name)

    def set_subject(self, name: x509.Name) -> None:
        self._builder = self._builder.subject_name(name)

    def set_pubkey(self, key: Any) -> None:
        self._builder = self._builder.public_key(key)

    def sign(self, key: Any, digest: str) -> None:
        self.signed = self._builder.sign(key, getattr(hashes, digest.upper())())


def load_privatekey(_: int, text: str) -> Any:
    return load_pem_private_key(text.encode(), None)


def load_certificate(_: int, text: str) -> _Holder:
    return _Holder(x509.load_pem_x509_certificate(text.encode()))


def load_certificate_request(_: int, text: str) -> _Holder:
    return _Holder(x509.load_pem_x509_csr(text.encode()))


def dump_certificate(_: int, certificate: X509) -> bytes:
    return certificate.signed.public_bytes(Encoding.PEM)


def write_authority(directory: Path) -> None:
    """The two files that the tests read, and that are not published with them."""
    key = rsa.generate_private_key(65_537, 2048)
    name = x509.Name.from_rfc4514_string("CN=conformance")
    now = datetime.now(timezone.utc)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - _DAY, now + _DAY)
    (directory / "ca.crt").write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    (directory / "ca.key").write_bytes(pem)


def _from_now(seconds: int) -> datetime:
    return datetime.now(timezone.utc) + timedelta(seconds=seconds)
