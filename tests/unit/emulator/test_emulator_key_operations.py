"""The cryptography of keys, against ``cryptography`` with the same key, both ways, and against published vectors."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import os
from typing import Any

import pytest
from azure.keyvault.keys.crypto import EncryptionAlgorithm, KeyWrapAlgorithm, SignatureAlgorithm
from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.padding import PKCS7
from emulator_keys import ask, create, ec_jwk, import_, inside, oct_jwk, rsa_jwk, value
from emulator_wire import START, Wire

from safekv.emulator._base64url import decode
from safekv.emulator.keys._rsa_pool import POOL

HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
RSA = {
    "RSA1_5": padding.PKCS1v15(),
    "RSA-OAEP": padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None),
    "RSA-OAEP-256": padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None),
}
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "ES256K": "P-256K"}
DATA = os.urandom(48)
ALL = ["encrypt", "decrypt", "wrapKey", "unwrapKey", "sign", "verify"]


@pytest.fixture
def wire() -> Wire:
    return Wire()


def oct_key(wire: Wire, bits: int) -> bytes:
    key = os.urandom(bits // 8)
    import_(wire, oct_jwk(key, key_ops=ALL))
    return key


@pytest.mark.parametrize("algorithm", RSA)
@pytest.mark.parametrize("operation", [("encrypt", "decrypt"), ("wrapkey", "unwrapkey")])
def test_rsa_both_ways(wire: Wire, algorithm: str, operation: tuple[str, str]) -> None:
    create(wire, kty="RSA")
    key, (there, back) = inside(wire), operation
    sealed = ask(wire, there, algorithm, value=DATA)
    assert sealed.json["kid"] == wire.get("/keys/name").json["key"]["kid"]
    assert key.decrypt(value(sealed), RSA[algorithm]) == DATA
    assert value(ask(wire, back, algorithm, value=key.public_key().encrypt(DATA, RSA[algorithm]))) == DATA
    assert value(ask(wire, back, algorithm, value=value(sealed))) == DATA


@pytest.mark.parametrize("bits", [128, 192, 256])
def test_aes_gcm_both_ways(wire: Wire, bits: int) -> None:
    aead, name = AESGCM(oct_key(wire, bits)), f"A{bits}GCM"
    for extra in ({}, {"aad": b"for whom"}):
        sealed = ask(wire, "encrypt", name, value=DATA, **extra)
        iv, tag = decode(sealed.json["iv"]), decode(sealed.json["tag"])
        assert aead.decrypt(iv, value(sealed) + tag, extra.get("aad")) == DATA
        assert value(ask(wire, "decrypt", name, value=value(sealed), iv=iv, tag=tag, **extra)) == DATA
        theirs = aead.encrypt(iv := os.urandom(12), DATA, extra.get("aad"))
        assert value(ask(wire, "decrypt", name, value=theirs[:-16], iv=iv, tag=theirs[-16:], **extra)) == DATA
    wrong = ask(wire, "decrypt", name, value=theirs[:-16], iv=iv, tag=theirs[-16:], aad=b"other")
    assert (wrong.status, wrong.message) == (400, "The parameter is incorrect.\r\n")


def test_aes_gcm_never_takes_the_callers_nonce(wire: Wire) -> None:
    oct_key(wire, 256)
    nonces = {ask(wire, "encrypt", "A256GCM", value=DATA, iv=bytes(12)).json["iv"] for _ in range(10)}
    assert len(nonces) == 10


@pytest.mark.parametrize("bits", [128, 192, 256])
@pytest.mark.parametrize("length", [0, 16, 45])
def test_aes_cbc_both_ways(wire: Wire, bits: int, length: int) -> None:
    key, iv, data = oct_key(wire, bits), os.urandom(16), os.urandom(length)
    cipher = Cipher(algorithms.AES(key), modes.CBC(iv))
    padder = PKCS7(128).padder()
    padded = {"CBC": data + bytes(-length % 16), "CBCPAD": padder.update(data) + padder.finalize()}
    for mode, text in padded.items():
        encryptor = cipher.encryptor()
        expected = encryptor.update(text) + encryptor.finalize()
        sealed = ask(wire, "encrypt", f"A{bits}{mode}", value=data, iv=iv)
        assert (value(sealed), decode(sealed.json["iv"])) == (expected, iv)
        assert value(ask(wire, "decrypt", f"A{bits}{mode}", value=expected, iv=iv)) == (text if mode == "CBC" else data)


@pytest.mark.parametrize(
    ("algorithm", "bits", "padded"),
    [
        *((f"A{bits}KW", bits, False) for bits in (128, 192, 256)),
        ("CKM_AES_KEY_WRAP", 256, False),
        ("CKM_AES_KEY_WRAP_PAD", 128, True),
    ],
)
def test_aes_key_wrap_both_ways(wire: Wire, algorithm: str, bits: int, padded: bool) -> None:
    key, data = oct_key(wire, bits), DATA[:-1] if padded else DATA
    expected = (keywrap.aes_key_wrap_with_padding if padded else keywrap.aes_key_wrap)(key, data)
    assert value(ask(wire, "wrapkey", algorithm, value=data)) == expected
    assert value(ask(wire, "unwrapkey", algorithm, value=expected)) == data
    assert ask(wire, "unwrapkey", algorithm, value=expected[:-1] + bytes([expected[-1] ^ 1])).status == 400


@pytest.mark.parametrize("size", [2048, 3072, 4096])
@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])
def test_rsa_signatures_both_ways(wire: Wire, algorithm: str, size: int) -> None:
    create(wire, kty="RSA", key_size=size)
    method = HASHES[algorithm[2:]]
    how: Any = padding.PKCS1v15()
    if algorithm.startswith("PS"):
        how = padding.PSS(padding.MGF1(method), method.digest_size)
    digest, key = hashlib.new(method.name, DATA).digest(), inside(wire)
    assert key.key_size == size
    signature = value(ask(wire, "sign", algorithm, value=digest))
    key.public_key().verify(signature, DATA, how, method)
    theirs = key.sign(DATA, how, method)
    assert ask(wire, "verify", algorithm, digest=digest, value=theirs).json == {"value": True}
    assert ask(wire, "verify", algorithm, digest=digest, value=theirs[::-1]).json == {"value": False}


@pytest.mark.parametrize("algorithm", CURVES)
def test_ec_signatures_both_ways(wire: Wire, algorithm: str) -> None:
    create(wire, crv=CURVES[algorithm])
    key, method = inside(wire), HASHES[algorithm[2:5]]
    length, digest = (key.key_size + 7) // 8, hashlib.new(method.name, DATA).digest()
    signature = value(ask(wire, "sign", algorithm, value=digest))
    assert len(signature) == 2 * length
    r, s = (int.from_bytes(part, "big") for part in (signature[:length], signature[length:]))
    key.public_key().verify(utils.encode_dss_signature(r, s), DATA, ec.ECDSA(method))
    theirs = utils.decode_dss_signature(key.sign(DATA, ec.ECDSA(method)))
    raw = b"".join(part.to_bytes(length, "big") for part in theirs)
    assert ask(wire, "verify", algorithm, digest=digest, value=raw).json == {"value": True}
    for wrong in (raw[::-1], raw[:-1], raw + b"\0", b""):
        assert ask(wire, "verify", algorithm, digest=digest, value=wrong).json == {"value": False}


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_hmac_both_ways(wire: Wire, algorithm: str) -> None:
    key = oct_key(wire, 512)
    expected = hmac.digest(key, DATA, f"sha{algorithm[2:]}")
    assert value(ask(wire, "sign", algorithm, value=DATA)) == expected
    assert ask(wire, "verify", algorithm, digest=DATA, value=expected).json == {"value": True}
    assert ask(wire, "verify", algorithm, digest=DATA, value=expected[1:]).json == {"value": False}


def test_every_algorithm_of_the_sdk_is_known() -> None:
    wire = Wire()
    import_(wire, rsa_jwk(key_ops=ALL), "RSA")
    for curve in CURVES.values():
        import_(wire, ec_jwk(curve, key_ops=ALL), curve)
    for bits in (128, 192, 256):
        import_(wire, oct_jwk(os.urandom(bits // 8), key_ops=ALL), f"oct{bits}")
    names = [stored.name for stored in wire.vault.keys]
    for operation, known, data in (
        ("encrypt", EncryptionAlgorithm, DATA),
        ("wrapkey", KeyWrapAlgorithm, DATA),
        ("sign", SignatureAlgorithm, None),
    ):
        for algorithm in known:
            given = data or bytes({"256": 32, "384": 48, "512": 64}[algorithm.value[2:5]])
            iv = {"iv": bytes(16)} if "CBC" in algorithm.value else {}
            answers = [ask(wire, operation, algorithm.value, name, value=given, **iv) for name in names]
            assert 200 in {answer.status for answer in answers}, algorithm
            assert {answer.status for answer in answers} <= {200, 400}


# Published vectors


@pytest.mark.parametrize(
    ("kek", "data", "wrapped"),
    [  # RFC 3394, 4.1 to 4.6
        (16, 16, "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5"),
        (24, 16, "96778B25AE6CA435F92B5B97C050AED2468AB8A17AD84E5D"),
        (32, 16, "64E8C3F9CE0F5BA263E9777905818A2A93C8191E7D6E8AE7"),
        (24, 24, "031D33264E15D33268F24EC260743EDCE1C6C7DDEE725A936BA814915C6762D2"),
        (32, 24, "A8F9BC1612C68B3FF6E6F4FBE30E71E4769C8B80A32CB8958CD5D17D6B254DA1"),
        (32, 32, "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21"),
    ],
)
def test_rfc_3394(wire: Wire, kek: int, data: int, wrapped: str) -> None:
    key = (bytes.fromhex("00112233445566778899AABBCCDDEEFF") + bytes(range(16)))[:data]
    import_(wire, oct_jwk(bytes(range(kek))))
    assert value(ask(wire, "wrapkey", f"A{kek * 8}KW", value=key)).hex().upper() == wrapped
    assert value(ask(wire, "unwrapkey", f"A{kek * 8}KW", value=bytes.fromhex(wrapped))) == key


def test_rfc_5649(wire: Wire) -> None:
    key = bytes.fromhex("c37b7e6492584340bed12207808941155068f738")
    import_(wire, oct_jwk(bytes.fromhex("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8")))
    wrapped = value(ask(wire, "wrapkey", "CKM_AES_KEY_WRAP_PAD", value=key))
    assert wrapped.hex() == "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a"


def test_nist_sp_800_38a_cbc(wire: Wire) -> None:
    """F.2.1, F.2.3 and F.2.5."""
    plain = bytes.fromhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51")
    for key, sealed in {
        "2b7e151628aed2a6abf7158809cf4f3c": "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2",
        "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b": (
            "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a"
        ),
        "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4": (
            "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"
        ),
    }.items():
        import_(wire, oct_jwk(bytes.fromhex(key)))
        answer = ask(wire, "encrypt", f"A{len(key) * 4}CBC", value=plain, iv=bytes(range(16)))
        assert value(answer).hex() == sealed
        opened = ask(wire, "decrypt", f"A{len(key) * 4}CBC", value=bytes.fromhex(sealed), iv=bytes(range(16)))
        assert value(opened) == plain


@pytest.mark.parametrize(
    ("key", "sealed", "tag"),
    [  # the GCM specification's test cases 4, 10 and 16: the same text, nonce and additional data
        (
            "feffe9928665731c6d6a8f9467308308",
            "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
            "5bc94fbc3221a5db94fae95ae7121a47",
        ),
        (
            "feffe9928665731c6d6a8f9467308308feffe9928665731c",
            "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710",
            "2519498e80f1478f37ba55bd6d27618c",
        ),
        (
            "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
            "76fc6ece0f4e1768cddf8853bb2d551b",
        ),
    ],
)
def test_gcm(wire: Wire, key: str, sealed: str, tag: str) -> None:
    """Only opening: the service chooses its own nonces."""
    import_(wire, oct_jwk(bytes.fromhex(key)))
    parts = {
        "value": sealed,
        "iv": "cafebabefacedbaddecaf888",
        "tag": tag,
        "aad": "feedfacedeadbeeffeedfacedeadbeefabaddad2",
    }
    opened = ask(wire, "decrypt", f"A{len(key) * 4}GCM", **{name: bytes.fromhex(each) for name, each in parts.items()})
    assert value(opened).hex() == (
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )


def test_rfc_7515_hmac(wire: Wire) -> None:
    """A.1: a token with HS256."""
    signing_input = (
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0"
        "dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    )
    key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
    import_(wire, {"kty": "oct", "k": key, "key_ops": ALL})
    answer = ask(wire, "sign", "HS256", value=signing_input.encode())
    assert answer.json["value"] == "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


# What is not allowed


@pytest.mark.parametrize(
    ("operation", "path"),
    [
        ("encrypt", "encrypt"),
        ("decrypt", "decrypt"),
        ("wrapKey", "wrapkey"),
        ("unwrapKey", "unwrapkey"),
        ("sign", "sign"),
        ("verify", "verify"),
    ],
)
def test_who_may_do_what_when(wire: Wire, operation: str, path: str) -> None:
    import_(wire, rsa_jwk(key_ops=[each for each in ALL if each != operation]))
    answer = ask(wire, path, "RSA-OAEP", value=DATA, digest=DATA)
    assert (answer.status, answer.code, answer.inner_code) == (403, "Forbidden", "KeyOperationForbidden")
    assert answer.message == f"Operation {operation} is not permitted on this key."

    wire.patch("/keys/name", {"key_ops": [operation]})
    always = operation in ("decrypt", "unwrapKey", "verify")
    for attributes, reason in (
        ({"nbf": int(START) + 10, "exp": None}, "not allowed on a key that is not yet valid."),
        ({"nbf": 0, "exp": int(START)}, "not allowed on an expired key."),
    ):
        wire.patch("/keys/name", {"attributes": attributes})
        answer = ask(wire, path, "RS256" if operation in ("sign", "verify") else "RSA-OAEP", value=DATA, digest=DATA)
        assert (answer.status == 403) is not always, answer.json
        if not always:
            assert answer.code == "Forbidden"
            assert answer.message == f"Operation {operation} is {reason}"

    wire.patch("/keys/name", {"attributes": {"enabled": False}})
    answer = ask(wire, path, "RSA-OAEP", value=DATA, digest=DATA)
    assert (answer.status, answer.inner_code) == (403, "KeyDisabled")
    assert answer.message == f"Operation {operation} is not allowed on a disabled key."
    assert wire.get("/keys/name").status == 200


def test_times_pass(wire: Wire) -> None:
    create(wire, attributes={"nbf": int(START) + 10, "exp": int(START) + 20})
    seen = []
    for _ in range(3):
        seen.append(ask(wire, "sign", "ES256", value=bytes(32)).status)
        wire.advance(10)
    assert seen == [403, 200, 403]


def test_a_key_and_an_algorithm_that_do_not_fit(wire: Wire) -> None:
    create(wire)
    identifier = wire.get("/keys/name").json["key"]["kid"]
    answer = ask(wire, "sign", "ES256K", value=bytes(32))
    assert (answer.status, answer.code) == (400, "BadParameter")
    assert answer.message == (
        f"Key and signing algorithm are incompatible. Key {identifier} uses curve 'P-256', "
        "and algorithm 'ES256K' can only be used with curve 'P-256K'."
    )
    for algorithm in ("RS256", "HS256", "ES257", "none", "", "ES256 "):
        answer = ask(wire, "sign", algorithm, value=bytes(32))
        assert (answer.status, answer.code) == (400, "BadParameter")
        assert answer.message.startswith("Key and ")


def test_sizes_of_symmetric_keys_fit_the_algorithm(wire: Wire) -> None:
    oct_key(wire, 128)
    for operation, algorithm in (("encrypt", "A256GCM"), ("encrypt", "A128KW"), ("wrapkey", "A128GCM")):
        assert ask(wire, operation, algorithm, value=DATA).status == 400


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("encrypt", {"alg": "RSA-OAEP-256", "value": "A" * 260}),  # longer than 190 bytes
        ("decrypt", {"alg": "RSA-OAEP", "value": "AAAA"}),
        ("sign", {"alg": "RS256", "value": "AAAA"}),  # no digest of SHA-256
        ("verify", {"alg": "RS256", "digest": "AAAA", "value": "AAAA"}),
        ("encrypt", {"alg": "RSA-OAEP"}),
        ("encrypt", {"value": "AAAA"}),
        ("encrypt", {"alg": 1, "value": "AAAA"}),
        ("encrypt", {"alg": "RSA-OAEP", "value": "***"}),
        ("encrypt", {"alg": "RSA-OAEP", "value": 1}),
        ("verify", {"alg": "RS256", "value": "AAAA"}),
    ],
)
def test_bad_parameters(wire: Wire, operation: str, body: dict[str, Any]) -> None:
    import_(wire, rsa_jwk())
    answer = wire.post(f"/keys/name/{operation}", body)
    assert (answer.status, answer.code) == (400, "BadParameter")


@pytest.mark.parametrize(
    ("algorithm", "parts"),
    [
        ("A128CBC", {"value": bytes(16)}),
        ("A128CBC", {"value": bytes(16), "iv": bytes(8)}),
        ("A128CBC", {"value": bytes(15), "iv": bytes(16)}),
        ("A128CBCPAD", {"value": bytes(16), "iv": bytes(16)}),
        ("A128GCM", {"value": bytes(16), "iv": bytes(12)}),
        ("A128GCM", {"value": bytes(16), "iv": bytes(12), "tag": bytes(4)}),
        ("A128GCM", {"value": bytes(16), "iv": b"", "tag": bytes(16)}),
    ],
)
def test_bad_parameters_of_symmetric_keys(wire: Wire, algorithm: str, parts: dict[str, bytes]) -> None:
    import_(wire, oct_jwk(bytes(16)))
    answer = ask(wire, "decrypt", algorithm, **parts)
    assert (answer.status, answer.code) == (400, "BadParameter")


def test_versions_in_the_path(wire: Wire) -> None:
    first, second = (create(wire).json["key"]["kid"].rsplit("/", 1)[1] for _ in range(2))
    for path, version in ((f"name/{first}", first), (f"name/{second.upper()}", second), ("name/", second)):
        assert ask(wire, "sign", "ES256", path, value=bytes(32)).json["kid"].endswith(version)
    assert ask(wire, "sign", "ES256", "other", value=bytes(32)).code == "KeyNotFound"
    assert ask(wire, "sign", "ES256", f"name/{'0' * 32}", value=bytes(32)).code == "KeyNotFound"


def test_the_pool_hands_out_another_key_each_time() -> None:
    numbers = [POOL.take(2048).private_numbers().p for _ in range(20)]
    assert len(set(numbers)) <= 6
    assert all(one != other for one, other in itertools.pairwise(numbers))
