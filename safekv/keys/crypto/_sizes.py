"""How long things may be: data, digests, initialization vectors. Checked before anything is sent."""

from __future__ import annotations

from typing import Any

from azure.keyvault.keys import KeyOperation

from safekv.errors import InvalidArgument

#: What RSA padding takes away, in bytes.
_RSA_OVERHEAD = {"RSA1_5": 11, "RSA-OAEP": 42, "RSA-OAEP-256": 66}
#: Bytes of the digest that is signed.
_DIGESTS = {"256": 32, "384": 48, "512": 64}
#: The curve that an algorithm is for.
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "ES256K": "P-256K"}
AES_KEY_WRAP = ("A128KW", "A192KW", "A256KW")
_AES_BLOCK = 16
_GCM_IV = 12
_GCM_TAG = 16
_OPERATIONS_THAT_SEAL = (KeyOperation.encrypt, KeyOperation.wrap_key)


def modulus_bytes(jwk: Any) -> int | None:
    """The length of an RSA key, if ``jwk`` is one."""
    n = getattr(jwk, "n", None)
    return (int.from_bytes(n, "big").bit_length() + 7) // 8 if isinstance(n, (bytes, bytearray)) and n else None


def check_data(operation: KeyOperation, algorithm: str, data: bytes, modulus: int | None) -> None:
    """Refuse data of a length that the algorithm cannot take.

    :param modulus: bytes of the RSA key's modulus, where it is known.
    :raises InvalidArgument: naming the length, the limit, and what to do.
    """
    if algorithm in _RSA_OVERHEAD and modulus is not None:
        _check_rsa(operation, algorithm, data, modulus)
    elif algorithm in AES_KEY_WRAP:
        least = 16 if operation is KeyOperation.wrap_key else 24
        if len(data) < least or len(data) % 8:
            raise _wrong(operation, algorithm, data, f"at least {least} bytes, and a multiple of 8")
    elif "CBC" in algorithm and operation is KeyOperation.decrypt and len(data) % _AES_BLOCK:
        raise _wrong(operation, algorithm, data, f"a multiple of {_AES_BLOCK} bytes")  # the service pads with zeros


def check_digest(algorithm: str, digest: bytes) -> None:
    """Refuse a digest that the algorithm's hash cannot have made.

    :raises InvalidArgument: naming both lengths.
    """
    length = _DIGESTS.get(algorithm.removesuffix("K")[2:])
    if length is not None and len(digest) != length and not algorithm.startswith("HS"):
        raise InvalidArgument(
            f"{algorithm} signs a digest of {length} bytes; this one has {len(digest)}.",
            hint=f"Hash the data first: hashlib.sha{length * 8}(data).digest().",
        )


def check_iv(operation: KeyOperation, algorithm: str, iv: bytes | None, tag: bytes | None, aad: bytes | None) -> None:
    """Refuse what does not go with the algorithm, and what is missing.

    :raises InvalidArgument: naming the argument.
    """
    cbc, gcm, sealing = "CBC" in algorithm, "GCM" in algorithm, operation is KeyOperation.encrypt
    if aad and not cbc and not gcm:
        raise _unwanted("additional_authenticated_data", algorithm)
    if tag and not gcm:
        raise _unwanted("authentication_tag", algorithm)
    if iv and not cbc and not (gcm and not sealing):
        raise _unwanted("iv", algorithm)
    if iv is None and (cbc or (gcm and not sealing)):
        raise _missing("iv", operation, algorithm, "os.urandom(16)" if sealing else "the result of encrypt has it")
    if tag is None and gcm and not sealing:
        raise _missing("authentication_tag", operation, algorithm, "the result of encrypt has it, as its tag")


def check_lengths(algorithm: str, iv: bytes | None, tag: bytes | None) -> None:
    """Refuse an initialization vector or a tag that the algorithm cannot have.

    :raises InvalidArgument: naming both lengths.
    """
    wanted = _GCM_IV if "GCM" in algorithm else _AES_BLOCK
    for argument, given, length in (("iv", iv, wanted), ("authentication_tag", tag, _GCM_TAG)):
        if given is not None and len(given) != length:
            raise InvalidArgument(
                f"{argument} has {len(given)} bytes; {algorithm} needs {length}.",
                hint="The result of encrypt has it; a new iv is os.urandom(16).",
            )


def _check_rsa(operation: KeyOperation, algorithm: str, data: bytes, modulus: int) -> None:
    if operation in _OPERATIONS_THAT_SEAL:
        most = modulus - _RSA_OVERHEAD[algorithm]
        if len(data) > most:
            raise InvalidArgument(
                f"{len(data)} bytes are too many for {algorithm} with an RSA key of {modulus * 8} bits: "
                f"{most} is the most.",
                hint="Wrap a random key of 32 bytes, and encrypt the data with that key and AES-GCM.",
            )
    elif len(data) != modulus:
        raise _wrong(operation, algorithm, data, f"{modulus} bytes with this key of {modulus * 8} bits")


def _wrong(operation: KeyOperation, algorithm: str, data: bytes, wanted: str) -> InvalidArgument:
    return InvalidArgument(
        f"{len(data)} bytes cannot be the input of {operation.value} with {algorithm}: it takes {wanted}.",
        hint="Pass the bytes as they are: no base64, no text.",
    )


def _unwanted(argument: str, algorithm: str) -> InvalidArgument:
    return InvalidArgument(f"{algorithm} takes no {argument}.", hint=f"Leave {argument} out.")


def _missing(argument: str, operation: KeyOperation, algorithm: str, example: str) -> InvalidArgument:
    return InvalidArgument(
        f"{argument} is required for {operation.value} with {algorithm}.", hint=f"{argument}=...: {example}."
    )
