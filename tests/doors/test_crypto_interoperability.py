"""What a client wraps, encrypts and signs is undone by cryptography with the key's own material, and the other way."""

from __future__ import annotations

import hashlib
import os
from typing import Any

import pytest
from azure.keyvault.keys.crypto import EncryptionAlgorithm, KeyWrapAlgorithm, SignatureAlgorithm
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, keywrap, padding
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from key_doors import Doors

from safekv.emulator.keys._material import load
from safekv.keys.crypto import CryptographyClient
from safekv.testing import LocalKeyVault

KEY, AAD = os.urandom(32), b"additional"
HASHES: dict[str, Any] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
OAEP = {"RSA-OAEP": hashes.SHA1(), "RSA-OAEP-256": hashes.SHA256()}
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "ES256K": "P-256K"}

pytestmark = pytest.mark.filterwarnings("ignore::safekv.errors.CryptographyWarning")


def inside(local: LocalKeyVault, name: str) -> Any:
    """The private key itself, out of the emulator."""
    (vault,) = local.emulator.vaults.values()
    content = vault.keys.find(name, 0).latest.content
    return load(content["kty"], content["material"])


def scheme(algorithm: str) -> Any:
    if algorithm == "RSA1_5":
        return rsa_padding.PKCS1v15()
    digest = OAEP[algorithm]
    return rsa_padding.OAEP(rsa_padding.MGF1(digest), digest, None)


@pytest.fixture
def rsa(doors: Doors) -> Any:
    return doors.run(doors.keys().create_rsa_key("rsa", size=2048))


@pytest.mark.parametrize("here", [True, False])
@pytest.mark.parametrize("algorithm", ["RSA1_5", "RSA-OAEP", "RSA-OAEP-256"])
def test_rsa(doors: Doors, rsa: Any, algorithm: str, here: bool) -> None:
    client, private = doors.crypto(rsa.id, local=here), inside(doors.local, "rsa")
    assert private.decrypt(doors.run(client.encrypt(algorithm, KEY)).ciphertext, scheme(algorithm)) == KEY
    assert private.decrypt(doors.run(client.wrap_key(algorithm, KEY)).encrypted_key, scheme(algorithm)) == KEY
    sealed = private.public_key().encrypt(KEY, scheme(algorithm))
    assert doors.run(client.decrypt(algorithm, sealed)).plaintext == KEY
    assert doors.run(client.unwrap_key(algorithm, sealed)).key == KEY


@pytest.mark.parametrize("here", [True, False])
@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])
def test_rsa_signatures(doors: Doors, rsa: Any, algorithm: str, here: bool) -> None:
    client, private, kind = doors.crypto(rsa.id, local=here), inside(doors.local, "rsa"), HASHES[algorithm[2:]]
    digest = hashlib.new(kind.name, b"data").digest()
    pss = rsa_padding.PSS(rsa_padding.MGF1(kind), kind.digest_size)
    how: Any = pss if algorithm.startswith("PS") else rsa_padding.PKCS1v15()
    signature = doors.run(client.sign(algorithm, digest)).signature
    private.public_key().verify(signature, digest, how, Prehashed(kind))
    theirs = private.sign(digest, how, Prehashed(kind))
    assert doors.run(client.verify(algorithm, digest, theirs)).is_valid
    other = hashlib.new(kind.name, b"other").digest()
    assert not doors.run(client.verify(algorithm, other, theirs)).is_valid
    assert not doors.run(client.verify(algorithm, digest, bytes(256))).is_valid


@pytest.mark.parametrize("here", [True, False])
@pytest.mark.parametrize("algorithm", CURVES)
def test_ec_signatures(doors: Doors, algorithm: str, here: bool) -> None:
    key = doors.run(doors.keys().create_ec_key("ec", curve=CURVES[algorithm]))
    client, private = doors.crypto(key.id, local=here), inside(doors.local, "ec")
    kind = HASHES[algorithm[2:5]]
    digest, how = hashlib.new(kind.name, b"data").digest(), ec.ECDSA(Prehashed(kind))
    signature = doors.run(client.sign(algorithm, digest)).signature
    half = len(signature) // 2
    numbers = (int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
    private.public_key().verify(encode_dss_signature(*numbers), digest, how)
    theirs = b"".join(part.to_bytes(half, "big") for part in decode_dss_signature(private.sign(digest, how)))
    assert doors.run(client.verify(algorithm, digest, theirs)).is_valid
    assert not doors.run(client.verify(algorithm, digest, theirs[half:] + theirs[:half])).is_valid


@pytest.mark.parametrize("bits", [128, 192, 256])
def test_aes_key_wrap(doors: Doors, bits: int) -> None:
    key = doors.run(doors.keys().create_oct_key("aes", size=bits, hardware_protected=True))
    client, private, algorithm = doors.crypto(key.id), inside(doors.local, "aes"), f"A{bits}KW"
    assert keywrap.aes_key_unwrap(private, doors.run(client.wrap_key(algorithm, KEY)).encrypted_key) == KEY
    assert doors.run(client.unwrap_key(algorithm, keywrap.aes_key_wrap(private, KEY))).key == KEY


@pytest.mark.parametrize("bits", [128, 192, 256])
def test_aes_gcm(doors: Doors, bits: int) -> None:
    key = doors.run(doors.keys().create_oct_key("aes", size=bits, hardware_protected=True))
    client, private, algorithm = doors.crypto(key.id), AESGCM(inside(doors.local, "aes")), f"A{bits}GCM"
    sealed = doors.run(client.encrypt(algorithm, b"data", additional_authenticated_data=AAD))
    assert private.decrypt(sealed.iv, sealed.ciphertext + sealed.tag, AAD) == b"data"
    iv = os.urandom(12)
    data = private.encrypt(iv, b"data", AAD)
    options = {"iv": iv, "authentication_tag": data[-16:], "additional_authenticated_data": AAD}
    assert doors.run(client.decrypt(algorithm, data[:-16], **options)).plaintext == b"data"


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("bits", [128, 192, 256])
def test_aes_cbc(doors: Doors, bits: int, padded: bool) -> None:
    key = doors.run(doors.keys().create_oct_key("aes", size=bits, hardware_protected=True))
    client, iv, algorithm = doors.crypto(key.id), os.urandom(16), f"A{bits}CBC{'PAD' if padded else ''}"
    cipher, data = Cipher(algorithms.AES(inside(doors.local, "aes")), modes.CBC(iv)), b"data" * 4
    padder = padding.PKCS7(128).padder()
    blocks = padder.update(data) + padder.finalize() if padded else data
    sealed = doors.run(client.encrypt(algorithm, data, iv=iv)).ciphertext
    assert cipher.decryptor().update(sealed) == blocks
    theirs = cipher.encryptor().update(blocks)
    assert doors.run(client.decrypt(algorithm, theirs, iv=iv)).plaintext == data


def test_every_algorithm_is_here() -> None:
    """One that a newer SDK has needs a test."""
    encryption = {"RSA1_5", *OAEP} | {f"A{bits}{mode}" for bits in (128, 192, 256) for mode in ("GCM", "CBC", "CBCPAD")}
    assert {each.value for each in EncryptionAlgorithm} == encryption
    wrapping = {"RSA1_5", *OAEP, "CKM_AES_KEY_WRAP", "CKM_AES_KEY_WRAP_PAD"} | {f"A{n}KW" for n in (128, 192, 256)}
    assert {each.value for each in KeyWrapAlgorithm} == wrapping
    signing = set(CURVES) | {f"{kind}{bits}" for kind in ("RS", "PS", "HS") for bits in HASHES}
    assert {each.value for each in SignatureAlgorithm} == signing


# -- vectors, with material of one's own


def test_vectors_of_rfc_3394(doors: Doors) -> None:
    kek = bytes.fromhex("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F")
    data = bytes.fromhex("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F")
    wrapped = bytes.fromhex("28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21")
    jwk = {"kty": "oct", "k": kek, "key_ops": ["wrapKey", "unwrapKey"]}
    client = doors.module("keys.crypto").CryptographyClient.from_jwk(jwk)
    assert doors.run(client.wrap_key("A256KW", data)).encrypted_key == wrapped
    assert doors.run(client.unwrap_key("A256KW", wrapped)).key == data
    # The SDK would cut the key off, and no service would undo that.
    with pytest.raises(ValueError, match="not for a symmetric key of 256 bits"):
        doors.run(client.wrap_key("A128KW", data))


def test_vector_of_nist_sp_800_38a(doors: Doors) -> None:
    """F.2.5, CBC-AES256; its padding makes one block more."""
    key = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
    jwk = {"kty": "oct", "k": key, "key_ops": ["encrypt", "decrypt"]}
    client = doors.module("keys.crypto").CryptographyClient.from_jwk(jwk)
    iv, data = bytes(range(16)), bytes.fromhex("6bc1bee22e409f96e93d7e117393172a")
    sealed = doors.run(client.encrypt("A256CBCPAD", data, iv=iv))
    assert sealed.ciphertext[:16].hex() == "f58c4c04d6e5f1ba779eabfb5f7bfbd6"
    assert doors.run(client.decrypt("A256CBCPAD", sealed)).plaintext == data


# -- cryptography's interfaces


def test_rsa_keys_for_cryptography(local: LocalKeyVault) -> None:
    keys = local.vault().keys
    keys.create_rsa_key("rsa", size=2048)
    client = keys.get_cryptography_client("rsa")
    private, public = client.create_rsa_private_key(), client.create_rsa_public_key()
    how: Any = rsa_padding.PKCS1v15()
    signature = private.sign(b"data", how, hashes.SHA256())
    public.verify(signature, b"data", how, hashes.SHA256())
    inside(local, "rsa").public_key().verify(signature, b"data", how, hashes.SHA256())
    assert private.decrypt(public.encrypt(KEY, scheme("RSA-OAEP-256")), scheme("RSA-OAEP-256")) == KEY
    assert private.key_size == public.key_size == 2048
    assert public.public_numbers() == inside(local, "rsa").public_key().public_numbers()

    keys.rotate_key("rsa")
    local.advance(seconds=301)
    client.wrap_key("RSA-OAEP", KEY)
    # They stay with the version whose numbers they have.
    public.verify(private.sign(b"data", how, hashes.SHA256()), b"data", how, hashes.SHA256())
    with pytest.raises(InvalidSignature):
        client.create_rsa_public_key().verify(signature, b"data", how, hashes.SHA256())


def test_they_are_for_rsa_keys_only(local: LocalKeyVault) -> None:
    key = local.vault().keys.create_ec_key("ec")
    with pytest.raises(ValueError, match="not an RSA key"):
        CryptographyClient(key, local.credential(), transport=local.transport()).create_rsa_private_key()
