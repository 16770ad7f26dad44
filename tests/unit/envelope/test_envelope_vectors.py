"""The published vectors, which were written without safekv, and the page that describes them."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap
from envelope_keks import LocalKek

from safekv.envelope import Encryptor, KeyInfo, KeyRing
from safekv.envelope._encoding import from_base64url, to_json

VECTORS = json.loads(Path(__file__).parents[2].joinpath("vectors", "envelope.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def box() -> Encryptor:
    kek = LocalKek()
    kek.kid, kek.secret = VECTORS["kek"]["kid"], bytes.fromhex(VECTORS["kek"]["secret"])
    return Encryptor(KeyRing(VECTORS["ring"], kek, allow=[kek.kid]))


def test_the_ring(box: Encryptor) -> None:
    keys = VECTORS["data_keys"]
    infos = tuple(KeyInfo(key["kid"], key["alg"], key["iat"], key.get("retired")) for key in keys)
    assert box._ring.list_keys() == infos
    assert box._ring.to_json() == VECTORS["ring"]


@pytest.mark.parametrize("vector", VECTORS["records"], ids=lambda vector: f"{vector['kid'][:4]}-{len(vector['data'])}")
def test_records(box: Encryptor, vector: dict[str, Any]) -> None:
    record, aad, data = (bytes.fromhex(vector[name]) for name in ("record", "aad", "data"))
    assert box.decrypt(record, aad) == data
    assert box.decrypt_many([record], [aad]) == [data]


@pytest.mark.parametrize(
    "vector", VECTORS["streams"], ids=lambda vector: f"{vector['content_length']}{'-raw' * vector['raw']}"
)
def test_streams(box: Encryptor, vector: dict[str, Any], tmp_path: Path) -> None:
    data = base64.b64decode(vector["stream"])
    options = {"raw": vector["raw"], **({"segment_size": vector["segment_size"]} if vector["raw"] else {})}
    aad, content = bytes.fromhex(vector["aad"]), bytes(i % 251 for i in range(vector["content_length"]))
    sink, source, target = io.BytesIO(), tmp_path / "source", tmp_path / "target"
    box.decrypt_stream(io.BytesIO(data), sink, aad, **options)
    assert sink.getvalue() == content
    source.write_bytes(data)
    box.decrypt_file(source, target, aad, **options)
    assert target.read_bytes() == content


def test_the_key_of_a_parquet_file() -> None:
    """What the page says of ``wrappedKEK`` and ``wrappedDEK``; tests/doors/test_arrow.py finds the same in a file."""
    vector = VECTORS["parquet"]
    material = json.loads(vector["key_material"])
    wrapped = json.loads(material["wrappedKEK"])
    assert to_json(wrapped).decode() == material["wrappedKEK"]
    assert (wrapped["alg"], wrapped["kid"]) == (VECTORS["kek"]["alg"], VECTORS["kek"]["kid"])
    key = aes_key_unwrap(bytes.fromhex(VECTORS["kek"]["secret"]), from_base64url(wrapped["encrypted_key"]))
    assert key.hex() == vector["kek"]
    sealed, key_id = (base64.b64decode(material[name]) for name in ("wrappedDEK", "keyEncryptionKeyID"))
    assert AESGCM(key).decrypt(sealed[:12], sealed[12:], key_id).hex() == vector["dek"]
