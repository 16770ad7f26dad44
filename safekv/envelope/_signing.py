"""Signatures over a ring: RFC 7515 JWS in the compact form, with the payload left out (Appendix F).

RSA wrapping proves nothing about who wrapped; a signature by a key in a vault does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any

from safekv.envelope._allowed import allowed, shown
from safekv.envelope._encoding import from_base64url, from_json, to_base64url, to_json
from safekv.envelope._errors import BadSignature, KeyNotAllowed
from safekv.errors import InvalidArgument

Flow = Generator[Any, Any, Any]

TYPE = "keyring+jws"  # so that nothing else that the key signs passes for a ring's signature
_HASHES = {"PS256": "sha256", "ES256": "sha256", "ES384": "sha384", "ES512": "sha512"}
_CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
_MAX_SIGNATURE = 4096


def signing(signer: Any, document: str) -> Flow:
    """The signature of ``document`` by ``signer`` (a ``VaultKey``), as text.

    :raises InvalidArgument: if its key cannot sign, or we may not see it.
    """
    known = yield signer.client._look_up
    algorithm = _algorithm_of(signer, known.jwk)
    header = to_base64url(to_json({"alg": algorithm, "kid": f"{signer.address}/{known.version}", "typ": TYPE}))
    digest = _digest(algorithm, header, document)
    result = yield partial(signer.client.sign, algorithm, digest, key_id=known.id)
    return f"{header}..{to_base64url(result.signature)}"


def signers_of(keys: Sequence[Any], credential: Any, make: Callable[[Any, Any], Any]) -> list[Any]:
    """The ``VaultKey`` of each of ``keys``.

    :raises InvalidArgument: if there are none, or one is no key in a vault.
    """
    if not keys:
        raise InvalidArgument(
            "Nobody is named who may have signed the ring.",
            hint="ring.verify(signature, 'https://.../keys/ring-signer')",
        )
    return [make(key, credential) for key in keys]


def verifying(signers: Sequence[Any], document: str, signature: str) -> Flow:
    """Check that one of ``signers`` has signed ``document``; gives the id of the key that did.

    :raises BadSignature: if it has not.
    :raises KeyNotAllowed: if another key claims to have; it is not asked.
    """
    header, algorithm, kid, value = _parse(signature)
    signer = next((it for it in signers if it.is_mine(kid)), None)
    if signer is None or not allowed([it.address for it in signers]).allows(kid):
        raise KeyNotAllowed(
            f"The ring's signature is by {shown(kid)}, which is none of the keys that may sign it.",
            hint="If it is yours, give it to verify() (--signed-by).",
        )
    digest = _digest(algorithm, header, document)
    result = yield partial(signer.client.verify, algorithm, digest, value, key_id=kid)
    if not result.is_valid:
        raise BadSignature(
            f"{shown(kid)} has not signed this version of the ring.",
            hint="Sign it again after each change. If nobody of yours has changed it, do not use it.",
        )
    return kid


def _algorithm_of(signer: Any, jwk: Any) -> str:
    kty, curve = (getattr(jwk, name, None) for name in ("kty", "crv"))
    kind = str(getattr(kty, "value", kty or "")).upper()
    found = "PS256" if kind.startswith("RSA") else _CURVES.get(str(getattr(curve, "value", curve)))
    if found is None:
        what = f"a key of type {kind}" if kind else "a key that this identity may not look at"
        raise InvalidArgument(
            f"{signer.address} is {what}: a ring cannot be signed with it.",
            hint="Use an RSA key, or one on the curve P-256, P-384 or P-521.",
        )
    return found


def _digest(algorithm: str, header: str, document: str) -> bytes:
    signed = f"{header}.{to_base64url(document.encode('ascii'))}"
    return hashlib.new(_HASHES[algorithm], signed.encode("ascii")).digest()


def _parse(signature: str) -> tuple[str, str, str, bytes]:
    try:
        header, payload, value = signature.strip()[: _MAX_SIGNATURE + 1].split(".")
        found = from_json(from_base64url(header))
        if payload or len(value) > _MAX_SIGNATURE or set(found) != {"alg", "kid", "typ"} or found["typ"] != TYPE:
            raise ValueError
        if found["alg"] not in _HASHES or not isinstance(found["kid"], str):
            raise ValueError
        return header, found["alg"], found["kid"], from_base64url(value)
    except (AttributeError, TypeError, ValueError):
        raise BadSignature("This is no signature of a key ring: not a detached JWS as sign() gives it.") from None
