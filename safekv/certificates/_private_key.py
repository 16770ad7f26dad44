"""A certificate with its private key, out of the secret that Key Vault keeps beside it."""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import HttpResponseError

from safekv.certificates._key_file import load_into
from safekv.errors import (
    BlockedByFirewall,
    InvalidArgument,
    PrivateKeyUnavailable,
    PublicAccessDisabled,
    SecretDisabled,
)

if TYPE_CHECKING:
    import ssl

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes as PrivateKey
    from cryptography.x509 import Certificate

_PKCS12 = "application/x-pkcs12"
_PEM = "application/x-pem-file"


@dataclass(frozen=True, slots=True, repr=False)
class CertificateWithKey:
    """A certificate, its private key, and the certificates that lead from it to its issuer.

    The objects are cryptography's. The repr shows no key, and it cannot be pickled.
    """

    name: str
    version: str | None
    certificate: Certificate
    private_key: PrivateKey
    chain: tuple[Certificate, ...] = ()

    def pem(self, password: bytes | None = None) -> bytes:
        """The private key (PKCS #8, encrypted if there is a ``password``), the certificate and its chain, in PEM."""
        from cryptography.hazmat.primitives.serialization import (
            BestAvailableEncryption,
            Encoding,
            NoEncryption,
            PrivateFormat,
        )

        encryption = NoEncryption() if password is None else BestAvailableEncryption(password)
        key = self.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
        return b"".join([key, *(each.public_bytes(Encoding.PEM) for each in (self.certificate, *self.chain))])

    def save(self, path: str | os.PathLike[str], password: bytes | None = None) -> None:
        """Write :meth:`pem` to a new file that only its owner may read (mode 0600).

        :raises FileExistsError: if there is a file already: others may have it open.
        """
        content = self.pem(password)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
        with os.fdopen(file, "wb") as out:
            out.write(content)

    def load_into(self, context: ssl.SSLContext) -> ssl.SSLContext:
        """Have ``context`` present this certificate; leaves no file behind."""
        load_into(context, self.pem)
        return context

    def __repr__(self) -> str:
        return f"<CertificateWithKey {self.name!r} version {self.version}>"

    def __reduce__(self) -> Any:
        raise TypeError("A CertificateWithKey cannot be pickled: the pickle would contain the private key.")


def ssl_context(found: CertificateWithKey, context: ssl.SSLContext | None, *, server_side: bool) -> ssl.SSLContext:
    """``context``, or a new one for the side that is asked for, with the certificate."""
    import ssl

    purpose = ssl.Purpose.CLIENT_AUTH if server_side else ssl.Purpose.SERVER_AUTH
    return found.load_into(ssl.create_default_context(purpose) if context is None else context)


def from_secret(name: str, secret: Any) -> CertificateWithKey:
    """What is in the secret of a certificate.

    :raises PrivateKeyUnavailable: if that is the certificate alone: its key is not exportable.
    :raises InvalidArgument: if it is the secret of no certificate.
    """
    try:
        key, certificates = _read(name, secret.properties.content_type, secret.value or "")
    except (ValueError, binascii.Error, TypeError):
        # The error that was raised may show what it could not read.
        raise InvalidArgument(
            f"The secret {name!r} cannot be read as a certificate with its key.",
            hint="Get it with safekv.secrets if it is a secret of another kind.",
        ) from None
    if key is None:
        raise PrivateKeyUnavailable(
            f"The private key of the certificate {name!r} does not leave the vault: it is not exportable.",
            hint=f"Use it where it is: Vault.crypto({name!r}) signs and decrypts with it. Or create the certificate "
            "anew with a policy whose key is exportable (CertificatePolicy(..., exportable=True)).",
            operation="get_private_key",
        )
    public = key.public_key()
    ordered = sorted(certificates, key=lambda each: each.public_key() != public)  # stable: the chain keeps its order
    return CertificateWithKey(name, secret.properties.version, ordered[0], key, tuple(ordered[1:]))


def denied(name: str, error: HttpResponseError) -> HttpResponseError:
    """What to raise if the secret could not be read: the error itself, or one that says what is missing."""
    if error.status_code != 403 or isinstance(error, (BlockedByFirewall, PublicAccessDisabled, SecretDisabled)):
        return error
    fields = ("code", "inner_code", "vault", "request_id", "details", "guide_url")
    kept: dict[str, Any] = {field: getattr(error, field, None) for field in fields}
    return PrivateKeyUnavailable(
        f"The private key of the certificate {name!r} may not be read.",
        hint="Key Vault keeps it in the secret of the same name: the caller needs the permission to get secrets "
        "(access policy: secrets get; RBAC: the role 'Key Vault Certificate User', or 'Key Vault Secrets User'), "
        "not only that to get certificates.",
        operation="get_private_key",
        **kept,
    )


def _read(name: str, content_type: str | None, value: str) -> tuple[Any, list[Certificate]]:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12
    from cryptography.x509 import load_pem_x509_certificates

    if content_type == _PKCS12:
        key, certificate, more = pkcs12.load_key_and_certificates(base64.b64decode(value), None)
        return key, [*([certificate] if certificate else []), *more]
    if content_type != _PEM:
        raise InvalidArgument(
            f"{name!r} is a secret of type {content_type!r}, and not that of a certificate.",
            hint=f"Those have the type {_PKCS12} or {_PEM}.",
        )
    data = value.encode()
    return load_pem_private_key(data, None) if b"PRIVATE KEY-----" in data else None, load_pem_x509_certificates(data)
