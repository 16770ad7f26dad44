"""Certificates for the tests of certificates."""

from __future__ import annotations

import base64
import ipaddress
from datetime import datetime, timedelta, timezone
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from emulator_wire import START, Answer, Wire

POLICY = {"issuer": {"name": "Self"}, "x509_props": {"subject": "CN=name"}, "key_props": {"kty": "EC"}}
BEGIN = datetime.fromtimestamp(START, timezone.utc)


def policy(issuer: str = "Self", **other: Any) -> dict[str, Any]:
    return {**POLICY, "issuer": {"name": issuer}, **other}


def create(wire: Wire, name: str = "name", issuer: str = "Self", *, wait: bool = True, **body: Any) -> Answer:
    answer = wire.post(f"/certificates/{name}/create", {"policy": policy(issuer), **body})
    assert answer.status == 202, answer.json
    if wait:
        wire.advance(wire.emulator.settings.issue_delay)
    return answer


def key_and_certificate(
    key: Any = None, signer: Any = None, public: Any = None, subject: str = "CN=own"
) -> tuple[Any, x509.Certificate]:
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name.from_rfc4514_string(subject)
    end = BEGIN + timedelta(days=365)
    builder = x509.CertificateBuilder(name, name, public or key.public_key(), 1, BEGIN, end)
    names = [x509.DNSName("a.example"), x509.IPAddress(ipaddress.ip_address("10.0.0.1"))]
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return key, builder.sign(signer or key, hashes.SHA256())


def pem_of(key: Any, *certificates: x509.Certificate) -> str:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) if key else b""
    return (private + b"".join(each.public_bytes(Encoding.PEM) for each in certificates)).decode()


def der_of(certificate: x509.Certificate) -> str:
    return base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()


def certificate_of(answer: Answer) -> x509.Certificate:
    assert answer.status in (200, 201), answer.json
    return x509.load_der_x509_certificate(base64.b64decode(answer.json["cer"]))
