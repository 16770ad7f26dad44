"""The emulator's own certificate authority, made anew at every start.

The authority's private key is forgotten as soon as it has signed the server's certificate. The
server's private key reaches the disk only because ``ssl`` loads keys from files, encrypted, and
only for the moment of loading. What stays on disk is the authority's certificate, which clients need.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
import ssl
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from safekv._clock import SYSTEM_CLOCK, Clock

#: In the name of every authority that an emulator makes.
NAME = "safekv emulator"

_LIFETIME = timedelta(days=365)
_CLOCK_SKEW = timedelta(days=1)
# Never *.localhost: some clients refuse a wildcard directly below a top-level name.
_DNS_NAMES = ("localhost", "*.vault.azure.net", "*.managedhsm.azure.net", "*.vault.localhost")
_ADDRESSES = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Certificates:
    """What one server needs for TLS.

    ``ca`` is the PEM of the authority that clients must trust. ``good`` presents a certificate that it signed;
    ``bad`` one with the same names, signed by an authority that nobody knows.
    """

    ca: bytes = field(repr=False)
    good: ssl.SSLContext = field(repr=False)
    bad: ssl.SSLContext = field(repr=False)


def make_certificates(host: str = "127.0.0.1", *, clock: Clock = SYSTEM_CLOCK) -> Certificates:
    """New certificates for ``localhost``, the loopback addresses, Azure's vault names and ``host``.

    ``clock`` must be the clock by which clients judge validity: the real one.
    """
    now = datetime.fromtimestamp(clock.time(), timezone.utc)
    known, unknown = _Authority(NAME, now), _Authority(f"{NAME}, unknown", now)
    return Certificates(known.pem, known.server_context(host), unknown.server_context(host))


class _Authority:
    def __init__(self, name: str, now: datetime) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} {secrets.token_hex(4)}")])
        self._now = now
        usage = _key_usage(key_cert_sign=True, crl_sign=True)
        builder = self._builder(self._name, self._key.public_key()).add_extension(usage, critical=True)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.pem = self._sign(builder).public_bytes(serialization.Encoding.PEM)

    def server_context(self, host: str) -> ssl.SSLContext:
        """A server-side context with a new key and a certificate for it."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
        usage = _key_usage(digital_signature=True)
        builder = self._builder(subject, key.public_key()).add_extension(usage, critical=True)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName(_names(host)), critical=False)
        return _server_context(self._sign(builder).public_bytes(serialization.Encoding.PEM), key)

    def _builder(self, subject: x509.Name, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        # Python 3.13 verifies strictly: both key identifiers must be there.
        return (
            x509.CertificateBuilder(subject_name=subject, issuer_name=self._name, public_key=public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - _CLOCK_SKEW)
            .not_valid_after(self._now + _LIFETIME)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )

    def _sign(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        return builder.sign(self._key, hashes.SHA256())


def _names(host: str) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in _DNS_NAMES]
    addresses = dict.fromkeys(map(ipaddress.ip_address, _ADDRESSES))
    try:
        addresses[ipaddress.ip_address(host)] = None
    except ValueError:
        if host not in _DNS_NAMES:
            names.append(x509.DNSName(host))
    return names + [x509.IPAddress(address) for address in addresses]


def _key_usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _server_context(certificate: bytes, key: ec.EllipticCurvePrivateKey) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    # Without resumption every connection sees the certificate that it is meant to see.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    password = secrets.token_urlsafe(32)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password.encode()),
    )
    with tempfile.TemporaryDirectory(prefix="safekv-") as directory:
        path = Path(directory, "server.pem")
        with open(path, "xb", opener=_private) as file:
            file.write(certificate + pem)
        context.load_cert_chain(path, password=password)
    return context


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
