"""A certificate with its key, in the two files that the sample scripts import."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12


def written(directory: Path) -> dict[str, str]:
    """Write them; returns the variables that the samples read."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sample.example.com")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=9))
    ).sign(key, hashes.SHA256())
    plain = serialization.NoEncryption()
    pfx, pem = directory / "sample.pfx", directory / "sample.pem"
    pfx.write_bytes(pkcs12.serialize_key_and_certificates(b"sample", key, certificate, None, plain))
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return {"PFX_CERT_PATH": str(pfx), "PEM_CERT_PATH": str(pem)}
