"""Other people's programs read what safekv writes, and write what it reads: Tink, two JOSE libraries, the bare JDK."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from envelope_keks import SECOND, RsaKek

from safekv.envelope import DecryptionFailed, Encryptor, KeyRing
from safekv.envelope._keys import DataKey, to_jwks

MIB = 1 << 20
ALGORITHMS = ["XAES-256-GCM", "A256GCM"]
INSTALL = "the dependency group 'witness' is not installed"


@pytest.fixture(params=ALGORITHMS)
def box(request: pytest.FixtureRequest) -> Encryptor:
    return Encryptor(KeyRing.create(RsaKek(), algorithm=request.param))


# Tink


@pytest.fixture(scope="module")
def tink() -> Any:
    return pytest.importorskip("tink", reason=INSTALL)


def keyset(tink: Any, url: str, value: bytes, prefix: int, key_id: int) -> Any:
    """One key as Tink's own keyset: what a user would make of a ring to leave safekv."""
    from tink import cleartext_keyset_handle
    from tink.proto import tink_pb2

    data = tink_pb2.KeyData(
        type_url=f"type.googleapis.com/google.crypto.tink.{url}",
        value=value,
        key_material_type=tink_pb2.KeyData.SYMMETRIC,
    )
    key = tink_pb2.Keyset.Key(key_data=data, status=tink_pb2.ENABLED, key_id=key_id, output_prefix_type=prefix)
    serialized = tink_pb2.Keyset(primary_key_id=key_id, key=[key]).SerializeToString()
    return cleartext_keyset_handle.read(tink.BinaryKeysetReader(serialized))


def tink_aead(tink: Any, key: DataKey) -> Any:
    from tink import aead
    from tink.proto import aes_gcm_pb2, tink_pb2, x_aes_gcm_pb2

    aead.register()
    if key.algorithm == "A256GCM":
        url, value = "AesGcmKey", aes_gcm_pb2.AesGcmKey(key_value=key.secret)
    else:
        params = x_aes_gcm_pb2.XAesGcmParams(salt_size=12)
        url, value = "XAesGcmKey", x_aes_gcm_pb2.XAesGcmKey(key_value=key.secret, params=params)
    handle = keyset(tink, url, value.SerializeToString(), tink_pb2.TINK, int.from_bytes(key.wire_id, "big"))
    return handle.primitive(aead.Aead)


def tink_stream(tink: Any, key: DataKey, segment_size: int) -> Any:
    from tink import streaming_aead
    from tink.proto import aes_gcm_hkdf_streaming_pb2, common_pb2, tink_pb2

    streaming_aead.register()
    params = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingParams(
        ciphertext_segment_size=segment_size, derived_key_size=32, hkdf_hash_type=common_pb2.SHA256
    )
    value = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingKey(key_value=key.secret, params=params)
    handle = keyset(tink, "AesGcmHkdfStreamingKey", value.SerializeToString(), tink_pb2.RAW, 1)
    return handle.primitive(streaming_aead.StreamingAead)


@pytest.mark.parametrize("data", [b"", b"x", b"a record of some length" * 40])
def test_tink_reads_and_writes_records(tink: Any, box: Encryptor, data: bytes) -> None:
    other = tink_aead(tink, box._ring.opened().record_key)
    assert other.decrypt(box.encrypt(data, b"aad"), b"aad") == data
    assert [other.decrypt(token, b"aad") for token in box.encrypt_many([data] * 3, b"aad")] == [data] * 3
    assert box.decrypt(other.encrypt(data, b"aad"), b"aad") == data
    assert box.decrypt_many([other.encrypt(data, b"aad")] * 2, b"aad") == [data] * 2
    with pytest.raises(DecryptionFailed):
        box.decrypt(other.encrypt(data, b"aad"), b"another")


@pytest.mark.parametrize("segment_size", [MIB, 1 << 16])
@pytest.mark.parametrize("segments", [0, 1, 2])
@pytest.mark.parametrize("over", [-1, 0, 1])
def test_tink_reads_and_writes_streams(tink: Any, segment_size: int, segments: int, over: int) -> None:
    box = Encryptor(KeyRing.create(RsaKek()))
    other = tink_stream(tink, box._ring.opened().stream_key, segment_size)
    length = max(0, segments * (segment_size - 16) - 40 * bool(segments) + over)
    content = bytes(range(256)) * (length // 256 + 1)
    content = content[:length]
    for aad in (b"", b"aad"):
        ours, back, theirs = io.BytesIO(), io.BytesIO(), Kept()
        box.encrypt_stream(io.BytesIO(content), ours, aad, raw=True, segment_size=segment_size)
        with other.new_decrypting_stream(io.BytesIO(ours.getvalue()), aad) as reading:
            assert reading.read() == content
        with other.new_encrypting_stream(theirs, aad) as writing:
            writing.write(content)
        assert len(theirs.data) == len(ours.getvalue())
        box.decrypt_stream(io.BytesIO(theirs.data), back, aad, raw=True, segment_size=segment_size)
        assert back.getvalue() == content


def test_tink_reads_a_file_without_its_preamble(tink: Any, tmp_path: Path) -> None:
    box = Encryptor(KeyRing.create(RsaKek()))
    other = tink_stream(tink, box._ring.opened().stream_key, MIB)
    plain, sealed = tmp_path / "plain", tmp_path / "sealed"
    plain.write_bytes(content := b"content" * 500_000)
    box.encrypt_file(plain, sealed, b"aad", threads=2)
    data = sealed.read_bytes()
    with other.new_decrypting_stream(io.BytesIO(data[44:]), data[:44] + b"aad") as reading:
        assert reading.read() == content


class Kept(io.BytesIO):
    """Tink closes what it writes to."""

    data = b""

    def close(self) -> None:
        self.data = self.data or self.getvalue()
        super().close()


# JOSE


@pytest.mark.parametrize("number", [0, 1])
def test_jwcrypto_opens_a_ring_with_either_key(number: int) -> None:
    jwe, jwk = (pytest.importorskip(f"jwcrypto.{name}", reason=INSTALL) for name in ("jwe", "jwk"))
    keks = [RsaKek(), RsaKek(SECOND)]
    ring = KeyRing.create(*keks)
    private = keks[number].private
    from cryptography.hazmat.primitives import serialization as form

    pem = private.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    token = jwe.JWE(algs=["RSA-OAEP-256", "A256GCM"])
    token.deserialize(ring.to_json(), jwk.JWK.from_pem(pem))
    assert token.payload == to_jwks(ring.opened().keys)
    for key in jwk.JWKSet.from_json(token.payload.decode())["keys"]:
        assert key.thumbprint() in [info.key_id for info in ring.list_keys()]


@pytest.mark.parametrize("number", [0, 1])
def test_joserfc_opens_a_ring_with_either_key(number: int) -> None:
    jwe = pytest.importorskip("joserfc.jwe", reason=INSTALL)
    from joserfc.jwk import KeySet, RSAKey

    keks = [RsaKek(), RsaKek(SECOND)]
    ring = KeyRing.create(*keks)
    document = json.loads(ring.to_json())
    document["recipients"] = [document["recipients"][number]]
    from cryptography.hazmat.primitives import serialization as form

    pem = keks[number].private.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    key = RSAKey.import_key(pem, {"kid": keks[number].kid})
    opened = jwe.decrypt_json(document, KeySet([key]), algorithms=["RSA-OAEP-256", "A256GCM"])
    assert opened.plaintext == to_jwks(ring.opened().keys)


def test_a_ring_that_jwcrypto_wrote_is_read() -> None:
    jwe, jwk = (pytest.importorskip(f"jwcrypto.{name}", reason=INSTALL) for name in ("jwe", "jwk"))
    kek = RsaKek()
    keys = KeyRing.create(kek).opened().keys
    from cryptography.hazmat.primitives import serialization as form

    public = kek.private.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    token = jwe.JWE(to_jwks(keys), protected='{"cty":"jwk-set+json","enc":"A256GCM"}', algs=["RSA-OAEP-256", "A256GCM"])
    token.add_recipient(jwk.JWK.from_pem(public), header=json.dumps({"alg": "RSA-OAEP-256", "kid": kek.kid}))
    found = json.loads(token.serialize())
    if "recipients" not in found:  # one recipient: it writes the flattened form
        found["recipients"] = [{"header": found.pop("header"), "encrypted_key": found.pop("encrypted_key")}]
    assert KeyRing(json.dumps(found), kek, allow=[kek.address]).opened().keys == keys


# Java

Java = Callable[..., str]


@pytest.fixture(scope="module")
def java(tmp_path_factory: pytest.TempPathFactory) -> Java:
    if not (shutil.which("javac") and shutil.which("java")):
        pytest.skip("there is no JDK on this machine")
    version = subprocess.run(["javac", "-version"], capture_output=True, text=True, check=True, timeout=100)
    if int(re.search(r"\d+", version.stdout + version.stderr)[0]) < 17:  # type: ignore[index]
        pytest.skip("the JDK on this machine is older than 17")
    home = tmp_path_factory.mktemp("java")
    source = Path(__file__).with_name("Witness.java")
    subprocess.run(["javac", "-Xlint:all", "-Werror", "-d", str(home), str(source)], check=True, timeout=100)

    def run(*arguments: str) -> str:
        command = ["java", "-XX:TieredStopAtLevel=1", "-cp", str(home), "Witness", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=100).stdout.strip()

    return run


def test_a_jdk_alone_reads_a_record(java: Java) -> None:
    box = Encryptor(KeyRing.create(RsaKek()))
    key = box._ring.opened().record_key.secret
    token = box.encrypt(b"for Java", b"aad")
    assert bytes.fromhex(java("record", key.hex(), b"aad".hex(), token.hex())) == b"for Java"


def test_a_jdk_alone_reads_a_file(java: Java, tmp_path: Path) -> None:
    box = Encryptor(KeyRing.create(RsaKek()))
    key = box._ring.opened().stream_key.secret
    plain, sealed, back = tmp_path / "plain", tmp_path / "sealed", tmp_path / "back"
    plain.write_bytes(content := b"for Java" * 20_000)
    box.encrypt_file(plain, sealed, b"aad", segment_size=1 << 16, embed_ring=True)
    java("file", key.hex(), b"aad".hex(), str(sealed), str(back))
    assert back.read_bytes() == content
