"""Writes ``envelope.json``: what readers and writers in any language can be tested with.

    python tests/vectors/generate.py

The keys in it are made of the names beside them and protect nothing. Ciphertexts hold what the system's random
source gave when this ran, so that running it again gives other vectors of the same kind. It writes every format with
``cryptography`` alone, from the description in docs/explanation/formats.md, and uses nothing of safekv.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

HERE = Path(__file__).parent
KEK = hashlib.sha256(b"the vector's key-encryption key").digest()
KID = "https://vectors.vault.azure.net/keys/kek/0123456789abcdef0123456789abcdef"
CREATED = 1767225600


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def data_key(algorithm: str, name: str, retired: int | None = None) -> dict[str, Any]:
    secret = b64(hashlib.sha256(name.encode()).digest())
    thumbprint = hashlib.sha256(b'{"k":"%s","kty":"oct"}' % secret.encode()).digest()
    key = {"alg": algorithm, "iat": CREATED, "k": secret, "kid": b64(thumbprint), "kty": "oct", "use": "enc"}
    return key if retired is None else {**key, "retired": retired}


KEYS = [
    data_key("A256GCM", "records, AES-256-GCM", CREATED + 1000),
    data_key("XAES-256-GCM", "records, XAES-256-GCM"),
    data_key("AES256-GCM-HKDF", "streams"),
]


def secret_of(key: dict[str, Any]) -> bytes:
    return base64.urlsafe_b64decode(key["k"] + "=")


def thumbprint_of(key: dict[str, Any]) -> bytes:
    return base64.urlsafe_b64decode(key["kid"] + "=")


def ring() -> dict[str, Any]:
    protected = b64(b'{"cty":"jwk-set+json","enc":"A256GCM"}')
    content = json.dumps({"keys": KEYS, "shredded": [], "version": 1}, separators=(",", ":"), sort_keys=True).encode()
    cek, iv = os.urandom(32), os.urandom(12)
    sealed = AESGCM(cek).encrypt(iv, content, protected.encode())
    recipient = {"header": {"alg": "A256KW", "kid": KID}, "encrypted_key": b64(aes_key_wrap(KEK, cek))}
    return {
        "protected": protected,
        "recipients": [recipient],
        "iv": b64(iv),
        "ciphertext": b64(sealed[:-16]),
        "tag": b64(sealed[-16:]),
    }


def gcm_record(key: dict[str, Any], data: bytes, aad: bytes) -> bytes:
    nonce = os.urandom(12)
    return b"\x01" + thumbprint_of(key)[:4] + nonce + AESGCM(secret_of(key)).encrypt(nonce, data, aad)


def xaes_record(key: dict[str, Any], data: bytes, aad: bytes) -> bytes:
    salt, nonce = os.urandom(12), os.urandom(12)
    ecb = Cipher(algorithms.AES(secret_of(key)), modes.ECB()).encryptor()
    doubled = int.from_bytes(ecb.update(bytes(16)), "big") << 1
    k1 = (doubled ^ (0x87 | 1 << 128) if doubled >> 128 else doubled).to_bytes(16, "big")
    blocks = [bytes([0, n]) + b"X\x00" + salt for n in (1, 2)]
    derived = b"".join(ecb.update(bytes(a ^ b for a, b in zip(block, k1, strict=True))) for block in blocks)
    return b"\x01" + thumbprint_of(key)[:4] + salt + nonce + AESGCM(derived).encrypt(nonce, data, aad)


def stream(key: dict[str, Any], data: bytes, info: bytes, size: int) -> bytes:
    salt, prefix = os.urandom(32), os.urandom(7)
    aead = AESGCM(HKDF(SHA256(), 32, salt, info).derive(secret_of(key)))
    cuts = [0, *range(size - 56, len(data), size - 16), len(data)]
    if len(cuts) > 2 and cuts[-1] == cuts[-2]:
        cuts.pop()
    pieces = [data[start:end] for start, end in pairwise(cuts)]
    out = bytes([40]) + salt + prefix
    for number, piece in enumerate(pieces):
        last = number == len(pieces) - 1
        out += aead.encrypt(prefix + number.to_bytes(4, "big") + bytes([last]), piece, b"")
    return out


def framed(key: dict[str, Any], data: bytes, aad: bytes, log: int, copy: bytes = b"") -> bytes:
    preamble = b"SAFEKV" + bytes([1, log]) + (44 + len(copy)).to_bytes(4, "big") + thumbprint_of(key) + copy
    return preamble + stream(key, data, preamble + aad, 1 << log)


def pattern(length: int) -> bytes:
    """Content that is described by its length: byte i is i mod 251."""
    return bytes(i % 251 for i in range(length))


def parquet() -> dict[str, Any]:
    """Key material of a Parquet file's footer, whose master key is the key-encryption key above."""
    key, data = (hashlib.sha256(f"Parquet, {name}".encode()).digest()[:16] for name in ("KEK", "DEK"))
    key_id, nonce = os.urandom(16), os.urandom(12)
    wrapped = {"alg": "A256KW", "encrypted_key": b64(aes_key_wrap(KEK, key)), "kid": KID}
    material = {
        "keyMaterialType": "PKMT1",
        "internalStorage": True,
        "isFooterKey": True,
        "kmsInstanceID": "DEFAULT",
        "kmsInstanceURL": "DEFAULT",
        "masterKeyID": "customers",
        "wrappedDEK": base64.b64encode(nonce + AESGCM(key).encrypt(nonce, data, key_id)).decode(),
        "doubleWrapping": True,
        "keyEncryptionKeyID": base64.b64encode(key_id).decode(),
        "wrappedKEK": json.dumps(wrapped, separators=(",", ":"), sort_keys=True),
    }
    return {"kek": key.hex(), "dek": data.hex(), "key_material": json.dumps(material, separators=(",", ":"))}


def main() -> None:
    document = ring()
    text = json.dumps(document, separators=(",", ":"), sort_keys=True)
    gcm, xaes, streams = KEYS
    records = [
        {"kid": key["kid"], "data": data.hex(), "aad": aad.hex(), "record": make(key, data, aad).hex()}
        for key, make in ((gcm, gcm_record), (xaes, xaes_record))
        for data, aad in (
            (b"", b""),
            (b"hello", b""),
            ("1234 äöü".encode(), b"customers|iban|4711"),
            (pattern(1000), b"x"),
        )
    ]
    files = []
    for length, log, copy, raw in (
        (0, 20, False, False),
        (5, 20, True, False),
        (65481, 16, False, False),
        (0, 20, False, True),
        (300, 16, False, True),
    ):
        data, aad = pattern(length), b"backup|2026"
        made = (
            stream(streams, data, aad, 1 << log)
            if raw
            else framed(streams, data, aad, log, text.encode() if copy else b"")
        )
        files.append(
            {
                "content_length": length,
                "aad": aad.hex(),
                "segment_size": 1 << log,
                "raw": raw,
                "stream": base64.b64encode(made).decode(),
            }
        )
    out = {
        "about": "Vectors for docs/explanation/formats.md. Content of streams: byte i is i mod 251.",
        "kek": {"kid": KID, "alg": "A256KW", "secret": KEK.hex()},
        "ring": text,
        "data_keys": KEYS,
        "records": records,
        "streams": files,
        "parquet": parquet(),
    }
    (HERE / "envelope.json").write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
