"""Making certificates: requests, self-signed ones, and ones of an authority that the emulator plays.

``ValueError`` says that a policy's names cannot stand in a certificate.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from safekv.emulator._duration import Duration
from safekv.emulator.certificates._policy import USAGES, Policy

SigningKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_UPN = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
#: How Windows names two attributes, besides the names of RFC 4514.
_OTHER_NAMES = {"E": NameOID.EMAIL_ADDRESS, "S": NameOID.STATE_OR_PROVINCE_NAME}
_SKEW = timedelta(minutes=10)  # certificates of the service begin this long before they are made
_USAGE_ARGUMENTS = dict(
    zip(
        USAGES,
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        strict=True,
    )
)


def request(policy: Policy, key: SigningKey) -> x509.CertificateSigningRequest:
    builder = x509.CertificateSigningRequestBuilder(_subject(policy))
    for extension, critical in _extensions(policy):
        builder = builder.add_extension(extension, critical)
    return builder.sign(key, hashes.SHA256())


def self_signed(policy: Policy, key: SigningKey, now: float) -> list[x509.Certificate]:
    builder = _builder(policy, _subject(policy), key, now).add_extension(_key_identifier(key), critical=False)
    return [builder.sign(key, hashes.SHA256())]


def issued(policy: Policy, key: SigningKey, now: float) -> list[x509.Certificate]:
    """A certificate, and that of the authority that signed it."""
    authority, its_key = _authority()
    builder = _builder(policy, authority.subject, key, now).add_extension(_key_identifier(its_key), critical=False)
    return [builder.sign(its_key, hashes.SHA256()), authority]


def validity(policy: Policy, now: float) -> tuple[int, int]:
    """From when to when a certificate is valid that is made now, in seconds since 1970."""
    begin, end = _validity(policy, now)
    return int(begin.timestamp()), int(end.timestamp())


def subject_text(name: x509.Name) -> str:
    """As the service writes it, and as a policy may give it."""
    return ", ".join(name.rfc4514_string().split(","))


def alternative_names(certificate: x509.Certificate) -> dict[str, list[str]]:
    """The alternative names of a certificate, as a policy has them."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return {}
    found = {
        "emails": names.get_values_for_type(x509.RFC822Name),
        "dns_names": names.get_values_for_type(x509.DNSName),
        "uris": names.get_values_for_type(x509.UniformResourceIdentifier),
        "ipAddresses": [str(each) for each in names.get_values_for_type(x509.IPAddress)],
    }
    return {kind: texts for kind, texts in found.items() if texts}


@lru_cache(1)
def _authority() -> tuple[x509.Certificate, SigningKey]:
    """The one that stands behind every registered issuer; new in each process."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "safekv emulator issuing authority")])
    begin = datetime(2000, 1, 1, tzinfo=timezone.utc)  # before and after every time that a clock may show
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(begin).not_valid_after(begin.replace(year=9000))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(["keyCertSign", "cRLSign"]), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return builder.sign(key, hashes.SHA256()), key


def _builder(policy: Policy, issuer: x509.Name, key: SigningKey, now: float) -> x509.CertificateBuilder:
    begin, end = _validity(policy, now)
    builder = x509.CertificateBuilder(
        issuer, _subject(policy), key.public_key(), x509.random_serial_number(), begin, end
    )
    for extension, critical in _extensions(policy):
        builder = builder.add_extension(extension, critical)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _key_identifier(key: SigningKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _validity(policy: Policy, now: float) -> tuple[datetime, datetime]:
    made = datetime.fromtimestamp(int(now), timezone.utc)
    end = Duration(policy["x509_props"]["validity_months"], timedelta()).after(int(now))
    return made - _SKEW, datetime.fromtimestamp(end, timezone.utc)


def _subject(policy: Policy) -> x509.Name:
    text: str = policy["x509_props"]["subject"]
    # The service takes spaces after commas and names in lower case; RFC 4514 does not.
    text = re.sub(r"(^|,)\s*([A-Za-z.0-9]+)\s*=", lambda found: f"{found[1]}{found[2].upper()}=", text)
    return x509.Name.from_rfc4514_string(text, _OTHER_NAMES) if text else x509.Name([])


def _extensions(policy: Policy) -> list[tuple[x509.ExtensionType, bool]]:
    props = policy["x509_props"]
    found: list[tuple[x509.ExtensionType, bool]] = [(x509.BasicConstraints(ca=False, path_length=None), False)]
    if props["key_usage"]:
        found.append((_usage(props["key_usage"]), True))
    if props["ekus"]:
        found.append((x509.ExtendedKeyUsage(map(x509.ObjectIdentifier, props["ekus"])), False))
    names = [make(text) for kind, make in _NAMES.items() for text in props["sans"].get(kind) or ()]
    if names:
        found.append((x509.SubjectAlternativeName(names), not props["subject"]))
    return found


def _usage(names: list[str]) -> x509.KeyUsage:
    arguments = {argument: name in names for name, argument in _USAGE_ARGUMENTS.items()}
    # The other two only say something about this one.
    arguments["key_agreement"] |= arguments["encipher_only"] or arguments["decipher_only"]
    return x509.KeyUsage(**arguments)


def _principal_name(text: str) -> x509.OtherName:
    data = text.encode()
    if len(data) > 0x7F:
        raise ValueError("a principal's name has at most 127 bytes")
    return x509.OtherName(_UPN, bytes([0x0C, len(data)]) + data)


_NAMES: Mapping[str, Callable[[str], x509.GeneralName]] = {
    "emails": x509.RFC822Name,
    "dns_names": x509.DNSName,
    "upns": _principal_name,
    "uris": x509.UniformResourceIdentifier,
    "ipAddresses": lambda text: x509.IPAddress(ipaddress.ip_address(text)),
}


def thumbprint(certificate: x509.Certificate) -> bytes:
    """What Key Vault calls ``x5t``."""
    return certificate.fingerprint(hashes.SHA1())  # noqa: S303  (that is how it is defined)


def public_bytes_match(certificate: x509.Certificate, key: Any) -> bool:
    """Whether a certificate is for this private key."""
    return bool(certificate.public_key() == key.public_key())
